import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shardOrder } from "../../../../model/ring";
import { parseExposition } from "../../../../services/exporter/exposition";
import { Router, unescaped } from "../../../../services/exporter/route";

const shards = Array.from({ length: 7 }, (_, index) => ({ index, name: `shard-${String(index)}` }));
const table = { homeShard: 3, shards };

function escaped(text: string): string {
  return text.replace(/[\\"\n]/g, (one) => (one === "\n" ? "\\n" : `\\${one}`));
}

function ordersOf(router: Router, body: string): readonly (readonly number[])[] {
  const samples = parseExposition(Buffer.from(body), { shardLabel: "gatewayID", receiveTime: 0 });
  return Array.from({ length: samples.count }, (_, at) => router.routeOf(samples, at).order);
}

const key = fc.oneof(
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }),
  fc.string({ unit: fc.constantFrom("\\", '"', "\n", "n", "a"), minLength: 1, maxLength: 6 }),
);

describe("Router", () => {
  it("follows the ring for every key, whatever else the line holds, again and again", () => {
    const router = new Router(table);
    fc.assert(
      fc.property(fc.array(key, { maxLength: 10 }), (keys) => {
        const body = keys
          .map((one, at) => `m${String(at)}{z="${String(at)}",gatewayID="${escaped(one)}",a="1"} ${String(at)}\n`)
          .join("");
        const expected = keys.map((one) => shardOrder(table, one).map(({ index }) => index));
        expect(ordersOf(router, body)).toStrictEqual(expected);
        expect(ordersOf(router, body)).toStrictEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it("sends series without the label, or with an empty one, to the home shard first", () => {
    const [absent, empty, other] = ordersOf(new Router(table), 'a 1\na{gatewayID=""} 1\na{gatewayId="g"} 1\n');
    expect(absent?.[0]).toBe(3);
    expect(empty).toStrictEqual(absent);
    expect(other).toStrictEqual(absent);
  });

  it("gives positions in the table, not indexes of shards", () => {
    const router = new Router({
      homeShard: 9,
      shards: [
        { index: 5, name: "shard-5" },
        { index: 9, name: "shard-9" },
      ],
    });
    expect(ordersOf(router, "a 1\n")).toStrictEqual([[1, 0]]);
  });
});

describe("unescaped", () => {
  it("undoes the three escapes of the text format", () => {
    fc.assert(
      fc.property(key, (text) => {
        expect(unescaped(Buffer.from(escaped(text))).toString("utf8")).toBe(text);
      }),
    );
  });
});
