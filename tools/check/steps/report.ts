/** What the check of every step found. */

import type { CheckReport } from "../report";
import type { Cause, Difference } from "./judge";

/** Every evaluation step of a range beside the ledger. */
export interface StepReport {
  /** First and last step, ms, and their distance. */
  readonly from: number;
  readonly to: number;
  readonly interval: number;
  /** Steps that were compared, each for every gateway and for all together. */
  readonly compared: number;
  /** Steps at which at least one gateway's answer, or the total, was wrong. */
  readonly wrong: number;
  /** Steps that differed within the one scrape interval that is allowed, and were not wrong. */
  readonly tolerated: number;
  /** Wrong steps by cause; a step may have several. */
  readonly causes: Readonly<Partial<Record<Cause, number>>>;
  /** The first wrong differences in order of time. */
  readonly first: readonly Difference[];
  /** Wrong differences in all. */
  readonly differences: number;
  /** Gateways' steps left out, because pushes under churn may or may not be stored. */
  readonly leftOut: number;
  /** `increase` over the range vector window at every step. */
  readonly increases: CheckReport;
}

/** At most this many differences are kept. */
const shown = 20;

/** Counts steps; `steps` are all that were compared, ascending. */
export function summariseSteps(
  steps: readonly number[],
  interval: number,
  differences: readonly Difference[],
  rest: Pick<StepReport, "leftOut" | "increases">,
): StepReport {
  const wrong = differences.filter(({ tolerated }) => !tolerated).sort((left, right) => left.from - right.from);
  const wrongSteps = new Set(wrong.flatMap((each) => each.steps));
  const differing = new Set(differences.flatMap((each) => each.steps));
  const causes: Partial<Record<Cause, number>> = {};
  for (const cause of new Set(wrong.map((each) => each.cause))) {
    causes[cause] = new Set(wrong.filter((each) => each.cause === cause).flatMap((each) => each.steps)).size;
  }
  return {
    from: steps[0] ?? 0,
    to: steps.at(-1) ?? 0,
    interval,
    compared: steps.length,
    wrong: wrongSteps.size,
    tolerated: differing.size - wrongSteps.size,
    causes,
    first: wrong.slice(0, shown),
    differences: wrong.length,
    ...rest,
  };
}

const time = (at: number): string => new Date(at).toISOString().slice(11, 23);

function described({ gateway, from, to, steps, cause, expected, answered }: Difference): string {
  const who = gateway === undefined ? "all" : gateway === "" ? "(no gateway)" : gateway;
  const when = from === to ? time(from) : `${time(from)} to ${time(to)} (${String(steps.length)} steps)`;
  const numbers = `expected ${String(expected.count)} series, sum ${String(expected.sum)}; answered ${String(answered.count)}, ${String(answered.sum)}`;
  const where = answered.shards.length === 0 ? "" : ` on shard ${answered.shards.join(" and ")}`;
  return `        ${when} ${who}: ${cause}: ${numbers}${where}`;
}

/** The report as lines for a person. */
export function formatSteps(report: StepReport): readonly string[] {
  const { compared, wrong, tolerated, causes, first, differences, leftOut, increases } = report;
  const verdict = wrong > 0 ? "WRONG" : compared === 0 ? "none " : "ok   ";
  const why = Object.entries(causes).map(([cause, count]) => `${cause} at ${String(count)}`);
  const lines = [
    `every ${String(report.interval / 1_000)} s from ${new Date(report.from).toISOString()} to ${new Date(report.to).toISOString()}`,
    `  ${verdict} steps: ${String(compared)} compared, ${String(wrong)} wrong${why.length === 0 ? "" : ` (${why.join(", ")})`}, ` +
      `${String(tolerated)} differ within one scrape interval after a push`,
    ...first.map(described),
  ];
  if (differences > first.length) lines.push(`        and ${String(differences - first.length)} more`);
  if (leftOut > 0) {
    lines.push(
      `        ${String(leftOut)} left out: pushes that may or may not be stored, of gateways whose series change`,
    );
  }
  const note = increases.note === undefined ? "" : `  [${increases.note}]`;
  lines.push(
    `  ${increases.mismatches > 0 ? "WRONG" : increases.compared === 0 ? "none " : "ok   "} ${increases.name}: ` +
      `${String(increases.compared)} compared, ${String(increases.mismatches)} wrong${note}`,
  );
  for (const { what, expected, answered } of increases.first) {
    lines.push(`        ${what}: expected ${expected}, answered ${answered}`);
  }
  return lines;
}

/** Wrong steps and increases together. */
export function wrongSteps(report: StepReport): number {
  return report.wrong + report.increases.mismatches;
}
