import { expect, test } from "vitest";
import { limiter } from "../../../tools/feed/feed";
import { choose } from "../kit/form";
import { fuzzedBody, randomFrom } from "../kit/fuzz";
import { restartsIn } from "../kit/objects";
import { malformedOf, rejectedOf, type PushAnswer } from "../kit/push";
import { shardCount, stacks, type World } from "./world";

const seed = 20_260_101;

/** Whether line 1 of the body was accepted; undefined when the answer is none that the exporter may give. */
function acceptsFirstLine(answer: PushAnswer): boolean | undefined {
  if (answer.status === 200) return true;
  if (malformedOf(answer) !== undefined) return false;
  const rejected = rejectedOf(answer)?.rejected;
  return rejected === undefined ? undefined : !rejected.some(({ line }) => line === 1);
}

/** Fuzzing of the running exporter, with an oracle: line 1 of every body is intact and has a number of its own. */
export function fuzzTests(world: () => World): void {
  const count = choose({ short: 500, long: 10_000 });

  test(`${String(count)} fuzzed bodies: what was accepted is readable, nothing else is, and nothing restarts`, async () => {
    const { pipeline } = world();
    const random = randomFrom(seed);
    const limited = limiter(4);
    const accepted = new Set<string>();
    const strange: string[] = [];
    const bodies = Array.from({ length: count }, (_, index) => ({
      id: String(index),
      seed: Math.floor(random() * 2 ** 32),
    }));
    await Promise.all(
      bodies.map(({ id, seed: own }) =>
        limited(async () => {
          const now = Date.now();
          const first = `e2e_fuzzed{gatewayID="fuzz-${String(own % 50)}",id="${id}"} 1 ${String(now)}\n`;
          const body = Buffer.concat([Buffer.from(first), fuzzedBody(randomFrom(own), now)]);
          const answer = await pipeline.push(body);
          const verdict = acceptsFirstLine(answer);
          if (verdict === undefined) {
            strange.push(`body ${id} (seed ${String(own)}): ${String(answer.status)} ${answer.text.slice(0, 200)}`);
          } else if (verdict) accepted.add(id);
        }),
      ),
    );
    expect(strange.slice(0, 5)).toEqual([]);
    await pipeline.settle(shardCount);
    const stored = await pipeline.series("e2e_fuzzed");
    const ids = new Set(stored.map(({ labels }) => labels["id"] ?? ""));
    expect([...accepted].filter((id) => !ids.has(id))).toEqual([]);
    expect([...ids].filter((id) => !accepted.has(id))).toEqual([]);
    // Both kinds must have come up, or the fuzzing shows nothing.
    expect(accepted.size).toBeGreaterThan(count / 10);
    expect(accepted.size).toBeLessThan((count * 9) / 10);
    expect(await restartsIn(stacks.dev)).toEqual([]);
  });
}
