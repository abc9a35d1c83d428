/** Writes one line of JSON to standard error: what container log collectors read without further configuration. */
export function log(
  level: "info" | "warn" | "error",
  message: string,
  details: Readonly<Record<string, unknown>> = {},
): void {
  process.stderr.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...details })}\n`);
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
