/** Asks the oracle, the root and the frontend the same, and compares. */
import { ask } from "./ask";
import { difference, sizeOf, type FullAnswer } from "./compare";
import { knownDifference, type Found, type KnownDifference } from "./known-differences";
import { aligned, type QueryCase } from "./query-case";
import type { World } from "./world";

/** Queries under way at a time. */
const atATime = 6;

/** What one way of asking came to. */
export interface Compared {
  readonly found: Found;
  readonly known: KnownDifference | undefined;
}

/** What a query came to. */
export interface Outcome {
  readonly asked: QueryCase;
  /** Of the oracle's answer: `empty` has no series. */
  readonly kind: "answer" | "empty" | "error";
  /** Undefined: the same. */
  readonly root: Compared | undefined;
  readonly frontend: Compared | undefined;
  /** The frontend's second answer, which may come from its cache, is another one. */
  readonly changesInCache: string | undefined;
}

function compared(asked: QueryCase, wanted: FullAnswer, given: FullAnswer): Compared | undefined {
  const isOrdered = asked.times.step === undefined && /^sort(?:_desc)?\(/.test(asked.query);
  const text = difference(wanted, given, isOrdered);
  if (text === undefined) return undefined;
  const found: Found = { asked, wanted, given, text };
  return { found, known: knownDifference(found) };
}

export async function runCase(world: World, asked: QueryCase): Promise<Outcome> {
  const atFrontend = aligned(asked);
  const isAligned = JSON.stringify(atFrontend) === JSON.stringify(asked);
  const [wanted, root, frontend] = await Promise.all([
    ask(world.oracle, asked),
    ask(world.root, asked),
    ask(world.frontend, asked),
  ]);
  const wantedAligned = isAligned ? wanted : await ask(world.oracle, atFrontend);
  const again = asked.times.step === undefined ? frontend : await ask(world.frontend, asked);
  return {
    asked,
    kind: wanted.status !== "success" ? "error" : sizeOf(wanted) === 0 ? "empty" : "answer",
    root: compared(asked, wanted, root),
    frontend: compared(atFrontend, wantedAligned, frontend),
    changesInCache: difference(frontend, again, false),
  };
}

/** @param each Called with what each came to. */
export async function runCases(
  world: World,
  cases: readonly QueryCase[],
  each: (outcome: Outcome) => void,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = [...cases];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const outcome = await runCase(world, next);
      outcomes.push(outcome);
      each(outcome);
    }
  };
  await Promise.all(Array.from({ length: atATime }, worker));
  return outcomes;
}
