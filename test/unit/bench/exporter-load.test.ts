import { describe, expect, it } from "vitest";
import { makeBodies, stamp, type LabelOrder } from "../../../bench/exporter/bodies";
import { LineCounter, type Tally } from "../../../bench/exporter/checksum";
import { parseExposition } from "../../../services/exporter/exposition";

const none = (): Tally => ({ lines: 0, checksum: 0 });
const passedOver = Buffer.from("pipeline_push_batch{");

/** What a sink counts of a body that comes in chunks of `size` bytes. */
function counted(text: Buffer, size: number): { readonly tally: Tally; readonly isWhole: boolean } {
  const tally = none();
  const counter = new LineCounter(tally, passedOver);
  for (let at = 0; at < text.length; at += size) counter.add(text.subarray(at, at + size));
  return { tally, isWhole: counter.isWhole };
}

/** The canonical lines that the exporter makes of a body. */
function canonical(body: Buffer): Buffer {
  const { text, start, end, count } = parseExposition(body, { shardLabel: "gatewayID", receiveTime: 1 });
  return Buffer.concat(Array.from({ length: count }, (_, at) => text.subarray(start[at], end[at])));
}

describe.each<LabelOrder>(["sorted", "mixed", "shuffled"])("a load with %s labels", (order) => {
  it.each([[1], [2]])("expects at the sinks what the exporter writes, at stamp %i too", (stamps) => {
    const [body] = makeBodies(1, 3, order, 4, 3);
    if (body === undefined) throw new Error("no body");
    const expected = Array.from({ length: 4 }, none);
    for (let round = 1; round <= stamps; round += 1) {
      for (const tally of expected) Object.assign(tally, none());
      stamp(body, round, 1_700_000_000_000 + round, expected);
    }
    const { tally } = counted(canonical(body.bytes), 64 * 1024);
    const sum = (of: (tally: Tally) => number): number => expected.reduce((total, one) => (total + of(one)) | 0, 0);
    expect(tally).toStrictEqual({ lines: sum(({ lines }) => lines), checksum: sum(({ checksum }) => checksum) });
    expect(tally.lines).toBe(body.samples);
  });
});

describe("a sink", () => {
  const text = Buffer.from('a{b="c d"} 1 5\npipeline_push_batch{exporter="x"} 7 8\np 2 6\n');

  it.each([1, 2, 7, 1_000])("counts lines the same in chunks of %i bytes, without the exporter's own", (size) => {
    expect(counted(text, size)).toStrictEqual(counted(text, text.length));
    expect(counted(text, size).tally.lines).toBe(2);
  });

  it.each([
    ["another value", 'a{b="c d"} 2 5\np 2 6\n'],
    ["another label", 'a{b="c e"} 1 5\np 2 6\n'],
    ["another timestamp", 'a{b="c d"} 1 6\np 2 6\n'],
  ])("notices %s", (_, other) => {
    expect(counted(Buffer.from(other), 99).tally.checksum).not.toBe(counted(text, 99).tally.checksum);
  });

  it("notices a body that was cut", () => {
    expect(counted(text.subarray(0, -3), 99).isWhole).toBe(false);
  });
});
