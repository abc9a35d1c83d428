/** Test files of one process come after another in it (vitest.config.mts): what a file changes there, it puts back. */
import { afterAll, expect, vi } from "vitest";

function state(): ReadonlyMap<string, unknown> {
  return new Map<string, unknown>([
    ...Object.entries(process.env).map(([name, value]) => [`environment variable ${name}`, value] as const),
    ["working folder", process.cwd()],
    ["fake timers", vi.isFakeTimers()],
    ["format of stack traces", Reflect.get(Error, "prepareStackTrace")],
  ]);
}

const before = state();

afterAll(() => {
  const after = state();
  // Names only: values of the environment may be secrets.
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => before.get(name) !== after.get(name),
  );
  expect(changed, "what this file changed of its process and did not put back").toStrictEqual([]);
});
