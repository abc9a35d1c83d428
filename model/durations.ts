const UNIT_MILLISECONDS = {
  y: 365 * 24 * 3_600_000,
  w: 7 * 24 * 3_600_000,
  d: 24 * 3_600_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
} as const;

const PATTERN = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const UNITS = ["y", "w", "d", "h", "m", "s", "ms"] as const;

/**
 * Milliseconds of a duration in Prometheus' own notation (`15s`, `1h30m`, `15d`; no fractions),
 * as prometheus/common model.ParseDuration reads it, or undefined when it is not one.
 */
export function parseDuration(text: string): number | undefined {
  const match = text === "" ? null : PATTERN.exec(text);
  if (match === null) return text === "0" ? 0 : undefined;
  return UNITS.reduce((sum, unit, index) => sum + Number(match[index + 1] ?? 0) * UNIT_MILLISECONDS[unit], 0);
}

/** Milliseconds of a duration that the config schema has already accepted. */
export function milliseconds(duration: string): number {
  const value = parseDuration(duration);
  if (value === undefined) throw new Error(`"${duration}" is not a duration such as 15s, 30m or 15d`);
  return value;
}

/** Whole seconds of a duration, rounded up. */
export function seconds(duration: string): number {
  return Math.ceil(milliseconds(duration) / 1000);
}

/** The canonical text of a number of milliseconds, in the largest unit that divides it (no weeks and years). */
export function formatDuration(value: number): string {
  for (const unit of ["d", "h", "m", "s"] as const) {
    if (value !== 0 && value % UNIT_MILLISECONDS[unit] === 0)
      return `${String(value / UNIT_MILLISECONDS[unit])}${unit}`;
  }
  return `${String(value)}ms`;
}

/** A number of milliseconds as Go's time.ParseDuration reads it, which knows no days. */
export function goDuration(value: number): string {
  return value % 1000 === 0 ? `${String(value / 1000)}s` : `${String(value)}ms`;
}
