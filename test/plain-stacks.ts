import { createRequire } from "node:module";
import { Resource } from "@pulumi/pulumi";

type Bookkeeping = (...args: readonly unknown[]) => unknown;

// The module itself, as the SDK's other modules have it: an import would be a copy that can't be changed.
const debuggable = createRequire(__filename)("@pulumi/pulumi/runtime/debuggable") as {
  debuggablePromise: Bookkeeping;
};

/** The same function, in which errors get no stack. */
function withoutStack(call: Bookkeeping): Bookkeeping {
  return (...args) => {
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
      return call(...args);
    } finally {
      Error.stackTraceLimit = limit;
    }
  };
}

/**
 * Runs a program under mocks without the stack traces that Pulumi's SDK notes down for every promise and resource: taking
 * them, and vitest's mapping of each back to TypeScript, are half of such a run's time, and mocks drop them. Errors of the
 * program keep their stacks.
 */
export async function withPlainStacks<T>(run: () => Promise<T>): Promise<T> {
  const { debuggablePromise } = debuggable;
  const callsites: unknown = Reflect.get(Resource, "callsites");
  debuggable.debuggablePromise = withoutStack(debuggablePromise);
  Reflect.set(Resource, "callsites", () => []);
  try {
    return await run();
  } finally {
    debuggable.debuggablePromise = debuggablePromise;
    Reflect.set(Resource, "callsites", callsites);
  }
}
