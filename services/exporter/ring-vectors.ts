import {
  rankShards,
  ringScore,
  ringVersion,
  scoreValue,
  shardOrder,
  type Pins,
  type RingShard,
  type RingTable,
} from "../../model/ring";

/** Test vectors of the ring for writers in other languages. RING.md says how to read them. */
export interface RingVectors {
  readonly about: string;
  readonly scores: readonly {
    readonly shard: string;
    readonly keyHex: string;
    readonly key: string;
    readonly score: string;
  }[];
  readonly rings: readonly {
    readonly table: RingTable;
    readonly version: string;
    /** `order`: indexes of the shards, first choice first. `key` null: the series has no shard label. */
    readonly keys: readonly { readonly key: string | null; readonly order: readonly number[] }[];
  }[];
  /** The same of tables with pins. Pinned keys come first, then some that are not pinned. */
  readonly pinned: readonly {
    readonly table: Omit<RingTable, "pins"> & {
      readonly pins: readonly { readonly key: string; readonly shards: readonly number[] }[];
    };
    readonly version: string;
    readonly keys: readonly { readonly key: string | null; readonly order: readonly number[] }[];
  }[];
  /** A sample line in the text format, its key after unescaping (null: none), and the first choice in a ring of 8. */
  readonly lines: readonly { readonly line: string; readonly key: string | null; readonly first: number }[];
}

const keys: readonly string[] = [
  "gateway-1",
  "gateway-2",
  "gateway-347",
  "0",
  " ",
  "a b",
  "Gateway-1",
  "gateway\n1",
  'quote"d',
  "back\\slash",
  "ünïcödé-網關-🛰",
  "x".repeat(300),
];

const lines: readonly (readonly [string, string | null])[] = [
  ['up{gatewayID="gateway-1"} 1 1700000000000', "gateway-1"],
  ['up{networkID="n1",gatewayID="gateway-2"} 1 1700000000000', "gateway-2"],
  ['up{gatewayID="quote\\"d"} 1 1700000000000', 'quote"d'],
  ['up{gatewayID="back\\\\slash"} 1 1700000000000', "back\\slash"],
  ['up{gatewayID="gateway\\n1"} 1 1700000000000', "gateway\n1"],
  ['up{gatewayID="ünïcödé-網關-🛰"} 1 1700000000000', "ünïcödé-網關-🛰"],
  ['up{gatewayID=""} 1 1700000000000', null],
  ["up 1 1700000000000", null],
];

/** Owner alone, owner and next, the key's own owner, shards that are not in the ring, the series without a key. */
const pins: Pins = new Map([
  ["gateway-1", [1]],
  ["gateway-2", [0, 2]],
  ["gateway-347", [3, 9, 1]],
  ["0", [2]],
  ['quote"d', [9]],
  ["ünïcödé-網關-🛰", [2, 0, 1, 3]],
  ["", [3]],
]);

function pinnedRing(shards: readonly RingShard[], homeShard: number): RingVectors["pinned"][number] {
  const ring = { shardLabel: "gatewayID", homeShard, shards };
  const listed = [...pins].map(([key, first]) => ({ key, shards: first }));
  return {
    table: { ...ring, pins: listed },
    version: ringVersion({ ...ring, pins }),
    keys: [...new Set([...pins.keys(), ...keys])].map((key) => ({
      key: key === "" ? null : key,
      order: shardOrder(ring, key, pins.get(key)).map(({ index }) => index),
    })),
  };
}

function table(size: number, homeShard: number): RingTable {
  const shards = Array.from({ length: size }, (_, index) => ({ index, name: `shard-${String(index)}` }));
  return { shardLabel: "gatewayID", homeShard, shards };
}

/** Computes the vectors; `ring-vectors.json` holds them and a test compares. */
export function ringVectors(): RingVectors {
  const eight = table(8, 0);
  return {
    about: "Test vectors of the exporter's ring; see RING.md. Made by make-ring-vectors.ts.",
    scores: keys.flatMap((key) =>
      ["shard-0", "shard-1", "shard-13"].map((shard) => ({
        shard,
        keyHex: Buffer.from(key, "utf8").toString("hex"),
        key,
        score: scoreValue(ringScore(shard, key)).toString(),
      })),
    ),
    rings: [table(1, 0), table(2, 0), table(3, 2), eight, table(16, 5)].map((ring) => ({
      table: ring,
      version: ringVersion(ring),
      keys: [
        ...keys.map((key) => ({ key, order: rankShards(ring.shards, key).map(({ index }) => index) })),
        { key: null, order: shardOrder(ring, undefined).map(({ index }) => index) },
      ],
    })),
    pinned: [table(4, 0), table(3, 2), table(16, 3)].map(({ shards, homeShard }) => pinnedRing(shards, homeShard)),
    lines: lines.map(([line, key]) => ({ line, key, first: shardOrder(eight, key ?? undefined)[0]?.index ?? 0 })),
  };
}

/** Text of `ring-vectors.json`. */
export function ringVectorsText(): string {
  return `${JSON.stringify(ringVectors(), null, 2)}\n`;
}
