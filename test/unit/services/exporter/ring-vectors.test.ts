import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ringVectors, type RingVectors } from "../../../../services/exporter/ring-vectors";
import { Router } from "../../../../services/exporter/route";
import { parseExposition } from "../../../../services/exporter/exposition";

const folder = join(__dirname, "../../../../services/exporter");
const committed = JSON.parse(readFileSync(join(folder, "ring-vectors.json"), "utf8")) as RingVectors;
const text = readFileSync(join(folder, "RING.md"), "utf8");

/** The ring again, written from RING.md alone. */
function score(shard: string, key: Buffer): bigint {
  const digest = createHash("sha256")
    .update(Buffer.concat([Buffer.from(shard), Buffer.from([0]), key]))
    .digest();
  let value = 0n;
  for (const byte of digest.subarray(0, 8)) value = value * 256n + BigInt(byte);
  return value;
}

function order(ring: RingVectors["rings"][number]["table"], key: string | null): readonly number[] {
  const bytes = Buffer.from(key ?? "", "utf8");
  const ranked = ring.shards
    .map(({ index, name }) => ({ index, score: score(name, bytes) }))
    .sort((left, right) => (left.score === right.score ? left.index - right.index : left.score < right.score ? 1 : -1))
    .map(({ index }) => index);
  if (key !== null && key !== "") return ranked;
  return [ring.homeShard, ...ranked.filter((index) => index !== ring.homeShard)];
}

describe("ring-vectors.json", () => {
  it("is what make-ring-vectors.ts makes", () => {
    expect(committed).toStrictEqual(JSON.parse(JSON.stringify(ringVectors())));
  });

  it("holds the scores of RING.md", () => {
    for (const vector of committed.scores) {
      expect(Buffer.from(vector.keyHex, "hex").toString("utf8")).toBe(vector.key);
      expect(score(vector.shard, Buffer.from(vector.keyHex, "hex")).toString()).toBe(vector.score);
    }
    expect(committed.scores.length).toBeGreaterThan(30);
  });

  it("holds the orders of RING.md", () => {
    for (const { table, keys } of committed.rings) {
      for (const vector of keys) expect(vector.order).toStrictEqual(order(table, vector.key));
    }
    expect(committed.rings.map(({ table }) => table.shards.length)).toStrictEqual([1, 2, 3, 8, 16]);
  });

  it("holds the versions of RING.md", () => {
    for (const { table, version } of committed.rings) {
      const shards = table.shards.map(({ index, name }) => `{"index":${String(index)},"name":"${name}"}`).join(",");
      const json = `{"shardLabel":"${table.shardLabel}","homeShard":${String(table.homeShard)},"shards":[${shards}]}`;
      expect(version).toBe(createHash("sha256").update(json).digest("hex").slice(0, 16));
    }
  });

  it("holds the orders and versions of RING.md with pins", () => {
    for (const { table, version, keys } of committed.pinned) {
      for (const { key, order: expected } of keys) {
        const pin = table.pins.find((each) => each.key === (key ?? ""))?.shards ?? [];
        const first = (key === null ? [table.homeShard, ...pin] : pin).filter((each) =>
          table.shards.some(({ index }) => index === each),
        );
        expect(expected).toStrictEqual([...new Set([...first, ...order({ ...table, pins: new Map() }, key)])]);
      }
      const shards = table.shards.map(({ index, name }) => `{"index":${String(index)},"name":"${name}"}`).join(",");
      const pins = table.pins
        .map(({ key, shards: first }) => `{"key":"${Buffer.from(key).toString("hex")}","shards":[${first.join(",")}]}`)
        .sort()
        .join(",");
      const json = `{"shardLabel":"gatewayID","homeShard":${String(table.homeShard)},"shards":[${shards}],"pins":[${pins}]}`;
      expect(version).toBe(createHash("sha256").update(json).digest("hex").slice(0, 16));
    }
    expect(committed.pinned.length).toBe(3);
  });

  it("holds what the exporter does with lines of text", () => {
    const ring = committed.rings.find(({ table }) => table.shards.length === 8)?.table;
    if (ring === undefined) throw new Error("no ring of 8");
    const router = new Router(ring);
    for (const { line, key, first } of committed.lines) {
      const samples = parseExposition(Buffer.from(`${line}\n`), { shardLabel: ring.shardLabel, receiveTime: 0 });
      expect(router.orderOf(samples, 0)).toStrictEqual(order(ring, key));
      expect(first).toBe(order(ring, key)[0]);
    }
  });
});

describe("RING.md", () => {
  it("shows the worked example as it is computed", () => {
    const shards = [0, 1, 2, 3].map((index) => ({ index, name: `shard-${String(index)}` }));
    const table = { shardLabel: "gatewayID", homeShard: 0, shards };
    for (const { name } of shards) {
      const value = score(name, Buffer.from("gateway-1"));
      expect(text).toContain(
        `| \`${name}\` | \`${value.toString(16).padStart(16, "0")}\`        | ${value.toString()}`,
      );
    }
    expect(text).toContain(`Order: ${order(table, "gateway-1").join(", ")}. The series belongs to \`shard-2\``);
    expect(text).toContain(`The home shard comes first: ${order(table, null).join(", ")}.`);
  });
});
