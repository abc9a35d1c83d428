/** What a person at a terminal sees: step lines with durations, progress on long work, one readable error. */

const isTty = process.stderr.isTTY;

/** Writes one line to standard error, so that standard output stays for results that scripts read. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Seconds with one decimal since `startedAt` (milliseconds of `Date.now()`). */
export function secondsSince(startedAt: number): string {
  return ((Date.now() - startedAt) / 1000).toFixed(1);
}

/** An error that is meant for the user: its message is printed without a stack. `hint` says what to do next. */
export class UserError extends Error {
  constructor(
    message: string,
    readonly hint?: string,
  ) {
    super(message);
    this.name = "UserError";
  }
}

/**
 * Runs `work` as a named step: prints its start, its progress (rewritten in place on a terminal, else at most every
 * 15 s) and its duration.
 */
export async function step<T>(title: string, work: (progress: (note: string) => void) => Promise<T>): Promise<T> {
  const startedAt = Date.now();
  say(`==> ${title}`);
  let lastLine = 0;
  const progress = (note: string): void => {
    if (!isTty && Date.now() - lastLine < 15_000) return;
    lastLine = Date.now();
    const line = `    ${title}: ${note} (${secondsSince(startedAt)} s)`;
    if (isTty) process.stderr.write(`\r\u001b[K${line}`);
    else say(line);
  };
  try {
    const result = await work(progress);
    if (isTty) process.stderr.write("\r\u001b[K");
    say(`    done in ${secondsSince(startedAt)} s`);
    return result;
  } catch (error) {
    if (isTty) process.stderr.write("\r\u001b[K");
    say(`    FAILED after ${secondsSince(startedAt)} s`);
    throw error;
  }
}

/** Runs a command line program: a UserError is printed with its hint, anything else with its stack; both exit 1. */
export function runMain(main: () => Promise<number>): void {
  main().then(
    (code) => {
      process.exitCode = code;
    },
    (error: unknown) => {
      if (error instanceof UserError) {
        say(`error: ${error.message}`);
        if (error.hint !== undefined) say(`  what to do: ${error.hint}`);
      } else {
        say(error instanceof Error ? (error.stack ?? error.message) : String(error));
      }
      process.exitCode = 1;
    },
  );
}
