/** Functions of Pulumi's SDK that take a stack trace only to note down where a promise or a resource comes from. */
const BOOKKEEPING: ReadonlySet<string | null | undefined> = new Set(["debuggablePromise", "callsites"]);

/**
 * Runs a program under mocks without the stack traces that Pulumi's SDK notes down for every promise and resource: vitest
 * maps each back to TypeScript, which is a third of such a run's time, and mocks drop them. Errors keep their stacks.
 */
export async function withPlainStacks<T>(run: () => Promise<T>): Promise<T> {
  const before: unknown = Reflect.get(Error, "prepareStackTrace");
  if (typeof before !== "function") return run();
  Error.prepareStackTrace = (error, frames): unknown =>
    BOOKKEEPING.has(frames[0]?.getFunctionName()) ? "" : Reflect.apply(before, Error, [error, frames]);
  try {
    return await run();
  } finally {
    Reflect.set(Error, "prepareStackTrace", before);
  }
}
