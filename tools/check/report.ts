/** What a check found. */

/** One difference between the answer and the ledger. */
export interface Mismatch {
  /** Which group, series or sample. */
  readonly what: string;
  readonly expected: string;
  readonly answered: string;
}

/** One comparison, of possibly many numbers. */
export interface CheckReport {
  readonly name: string;
  readonly query: string;
  /** Numbers (or samples) that were compared. */
  readonly compared: number;
  readonly mismatches: number;
  /** The first mismatches. */
  readonly first: readonly Mismatch[];
  /** Why something was left out, if it was. */
  readonly note?: string;
}

/** All checks at one time. */
export interface MomentReport {
  /** Time (ms) of the queries. */
  readonly at: number;
  readonly checks: readonly CheckReport[];
  /** Series that are answered by more than one shard. */
  readonly duplicates: number;
  readonly milliseconds: number;
}

/** At most this many mismatches of one check are kept. */
const shown = 10;

/** Collects comparisons of one check. */
export class Comparison {
  private compared = 0;
  private mismatches = 0;
  private readonly first: Mismatch[] = [];
  private readonly notes: string[] = [];

  constructor(
    private readonly name: string,
    private readonly query: string,
  ) {}

  /** Counts one comparison. */
  ok(count = 1): void {
    this.compared += count;
  }

  /** Counts one comparison that failed. */
  mismatch(what: string, expected: string, answered: string): void {
    this.compared += 1;
    this.mismatches += 1;
    if (this.first.length < shown) this.first.push({ what, expected, answered });
  }

  note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text);
  }

  report(): CheckReport {
    const { name, query, compared, mismatches, first, notes } = this;
    return { name, query, compared, mismatches, first, ...(notes.length === 0 ? {} : { note: notes.join("; ") }) };
  }
}

/** The report as lines for a person. */
export function formatMoment(report: MomentReport): readonly string[] {
  const lines = [`at ${new Date(report.at).toISOString()} (${(report.milliseconds / 1_000).toFixed(1)} s)`];
  for (const check of report.checks) {
    const verdict = check.mismatches > 0 ? "WRONG" : check.compared === 0 ? "none " : "ok   ";
    const note = check.note === undefined ? "" : `  [${check.note}]`;
    lines.push(
      `  ${verdict} ${check.name}: ${String(check.compared)} compared, ${String(check.mismatches)} wrong${note}`,
    );
    if (check.mismatches === 0) continue;
    lines.push(`        ${check.query}`);
    for (const { what, expected, answered } of check.first) {
      lines.push(`        ${what}: expected ${expected}, answered ${answered}`);
    }
    const more = check.mismatches - check.first.length;
    if (more > 0) lines.push(`        and ${String(more)} more`);
  }
  if (report.duplicates !== 0) lines.push(`  ${String(report.duplicates)} series are answered by more than one shard`);
  return lines;
}

/** Mismatches of all checks together. */
export function mismatchesOf(report: MomentReport): number {
  return report.checks.reduce((total, check) => total + check.mismatches, 0);
}
