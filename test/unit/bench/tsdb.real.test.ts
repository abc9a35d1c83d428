import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ulidOf } from "../../../bench/query/dataset";
import { BlockWriter, compareLabels, encodeChunk, type Chunk, type Labels } from "../../../bench/query/tsdb/block";
import { Bytes, crc32c } from "../../../bench/query/tsdb/bytes";
import { WalWriter } from "../../../bench/query/tsdb/wal";
import { CHUNK_SAMPLES, xorChunk } from "../../../bench/query/tsdb/xor";
import { labelsOf } from "../../../bench/query/windows";
import { parseValue } from "../../../tools/prometheus-api";
import { promtool } from "../promtool";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tsdb-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const written = (write: (bytes: Bytes) => void): string => {
  const bytes = new Bytes(1);
  write(bytes);
  return bytes.view().toString("hex");
};

describe("bytes of Prometheus' files", () => {
  it("have the checksum of the standard's test vector (RFC 3720, B.4)", () => {
    expect(crc32c(Buffer.from("123456789")).toString(16)).toBe("e3069283");
    expect(crc32c(Buffer.alloc(32)).toString(16)).toBe("8a9136aa");
  });

  it("hold numbers as Go's encoding/binary does", () => {
    expect(
      written((bytes) => {
        bytes.uvarint(300);
      }),
    ).toBe("ac02");
    expect(
      written((bytes) => {
        bytes.uvarint(2 ** 40);
      }),
    ).toBe("808080808020");
    expect(
      written((bytes) => {
        bytes.varint(-2);
      }),
    ).toBe("03");
    expect(
      written((bytes) => {
        bytes.varint(1_767_312_000_000);
      }),
    ).toBe("809088c0ef66");
    expect(
      written((bytes) => {
        bytes.u64(2 ** 33 + 1);
      }),
    ).toBe("0000000200000001");
    expect(
      written((bytes) => {
        bytes.text("le");
      }),
    ).toBe("026c65");
  });
});

/** Samples with everything that an encoder may stumble over: steps that change, equal values, signs, huge and not finite. */
const awkward: readonly (readonly [time: number, value: number])[] = [
  [1_000, 0],
  [61_000, 0],
  [121_000, -0.1],
  [121_001, 1e300],
  [181_001, -1e-300],
  [190_000, Number.POSITIVE_INFINITY],
  [700_000, 2 ** 53],
  [700_500, 1],
  [3_000_000, 3],
  [3_060_000, 3],
  [3_600_000, 0.30000000000000004],
  [7_000_000, 5e-324],
];

function chunkOf(samples: readonly (readonly [number, number])[]): Chunk {
  const times = samples.map(([time]) => time);
  const bytes = encodeChunk(
    xorChunk(
      times,
      samples.map(([, value]) => value),
      0,
      samples.length,
    ),
  );
  return { bytes, samples: samples.length, first: times[0] ?? 0, last: times.at(-1) ?? 0 };
}

/** What promtool reads out of a data folder: lines `{labels} value time`, sorted. */
function dumped(data: string): readonly string[] {
  mkdirSync(join(data, "wal"), { recursive: true });
  const result = spawnSync(promtool ?? "promtool", ["tsdb", "dump", data], {
    encoding: "utf8",
    timeout: 60_000,
    maxBuffer: 1 << 26,
  });
  expect(result.stderr.replaceAll(/^.*level=(INFO|WARN).*$/gm, "").trim()).toBe("");
  return result.stdout.trim().split("\n").sort();
}

/** Time and value of a dumped line. */
function sampleOf(line: string): readonly [time: number, value: number] {
  const [, value = "", time = ""] = /\} (\S+) (\d+)$/.exec(line) ?? [];
  return [Number(time), parseValue(value)];
}

describe.skipIf(promtool === undefined)("a block", () => {
  const block = (series: readonly (readonly [Labels, readonly Chunk[]])[]): string => {
    const ulid = ulidOf("test", 0);
    const writer = new BlockWriter(join(folder, ulid), ulid);
    for (const [labels, chunks] of series) writer.add(labels, chunks);
    writer.finish(0, 7_200_000);
    return folder;
  };

  it("holds for Prometheus exactly the samples that were written", () => {
    const lines = dumped(block([[labelsOf("odd{}", 0), [chunkOf(awkward)]]]));
    expect(lines.map(sampleOf).sort(([left], [right]) => left - right)).toEqual(awkward);
  });

  it("holds many series with several chunks each, found by each of their labels", () => {
    const many = Array.from({ length: 300 }, (_, index): readonly [Labels, readonly Chunk[]] => {
      const key = `m_${String(index % 7)}{gatewayID="gw-${String(index)}",le="${String(index % 3)}"}`;
      const samples = Array.from({ length: 250 }, (__, at) => [at * 20_000 + index, Math.sin(index * at)] as const);
      const chunks = [0, 1, 2].map((part) => chunkOf(samples.slice(part * CHUNK_SAMPLES, (part + 1) * CHUNK_SAMPLES)));
      return [labelsOf(key, 3), chunks];
    }).sort(([left], [right]) => compareLabels(left, right));
    const lines = dumped(block(many));
    expect(lines).toHaveLength(300 * 250);
    const one = lines.filter((line) => line.includes('gatewayID="gw-123"'));
    expect(one).toHaveLength(250);
    expect(
      one.every((line) => line.startsWith('{__name__="m_4", cluster="bench", gatewayID="gw-123", le="0", shard="3"}')),
    ).toBe(true);
    const some = spawnSync(promtool ?? "", ["tsdb", "dump", '--match={gatewayID="gw-7",le="1"}', folder], {
      encoding: "utf8",
    });
    expect(some.stdout.trim().split("\n")).toHaveLength(250);
  });
});

describe.skipIf(promtool === undefined)("a log", () => {
  it("gives Prometheus the samples back, over pages and records of any length", () => {
    const wal = new WalWriter(join(folder, "wal"));
    const refs = Array.from({ length: 5_000 }, (_, index) => index + 1);
    for (const ref of refs) wal.series(ref, labelsOf(`m{gatewayID="gw-${String(ref)}"}`, 1));
    for (const time of [60_000, 120_000, 180_000]) {
      wal.samples(
        time,
        refs,
        refs.map((ref) => ref + time / 1_000),
      );
      wal.samples(time + 1, [], []);
    }
    const bytes = wal.finish();
    expect(bytes).toBe(
      readdirSync(join(folder, "wal")).reduce((sum, each) => sum + statSync(join(folder, "wal", each)).size, 0),
    );
    const lines = dumped(folder);
    expect(lines).toHaveLength(15_000);
    expect(lines).toContain('{__name__="m", cluster="bench", gatewayID="gw-4999", shard="1"} 5179 180000');
    expect(lines).toContain('{__name__="m", cluster="bench", gatewayID="gw-1", shard="1"} 61 60000');
  });

  it("fills no segment beyond Prometheus' size", () => {
    const wal = new WalWriter(join(folder, "wal"));
    const refs = Array.from({ length: 100_000 }, (_, index) => index + 1);
    const values = refs.map(() => 1);
    for (let time = 0; time < 120; time++) wal.samples(time, refs, values);
    wal.finish();
    const sizes = readdirSync(join(folder, "wal")).map((each) => statSync(join(folder, "wal", each)).size);
    expect(sizes.length).toBe(2);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(128 * 1024 * 1024);
    expect(readFileSync(join(folder, "wal", "00000001"))[0]).toBe(2);
  });
});

describe("a block's name", () => {
  it("is a ULID of its own for every shard and time", () => {
    const names = [ulidOf("single", 0), ulidOf("single", 7_200_000), ulidOf("n2-shard-0", 0)];
    expect(new Set(names).size).toBe(3);
    for (const name of names) expect(name).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
  });
});
