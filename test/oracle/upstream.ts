/** Upstream's own PromQL tests, laid out on the time line before the fleet's data: each section has a window of its own. */
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { PlacedSeries } from "./fleet";
import { sectionsOf, type Section } from "./promql-test-file";
import type { QueryCase } from "./query-case";
import type { Sample } from "./samples";

const repository = join(__dirname, "../..");
const module = "github.com/prometheus/prometheus";

/** Seconds between two sections, and the longest section whose data is taken. */
const margin = 1800;
const longest = 12 * 3600;

/** Upstream's tests, or why there are none. */
export type Upstream =
  | { readonly isThere: false; readonly reason: string }
  | {
      readonly isThere: true;
      readonly version: string;
      readonly cases: readonly QueryCase[];
      /** On the time line; not yet on shards. */
      readonly series: readonly Omit<PlacedSeries, "shard">[];
      /** Seconds since the epoch. */
      readonly start: number;
      /** Why expressions are left out, and how many. */
      readonly leftOut: Readonly<Record<string, number>>;
    };

/** The module that the toolchain pins, from the local Go module cache only. */
function testFiles(): { readonly version: string; readonly folder: string } | string {
  const pinned = /github\.com\/prometheus\/prometheus (v\S+)/.exec(
    readFileSync(join(repository, "local/go/prometheus/go.mod"), "utf8"),
  );
  const version = pinned?.[1];
  if (version === undefined) return `local/go/prometheus/go.mod does not name ${module}`;
  let cache = process.env["GOMODCACHE"] ?? "";
  try {
    if (cache === "") cache = execFileSync("go", ["env", "GOMODCACHE"], { encoding: "utf8" }).trim();
  } catch {
    return "there is no Go on this machine";
  }
  const folder = join(cache, `${module}@${version}`, "promql/promqltest/testdata");
  return existsSync(folder) ? { version, folder } : `${module} ${version} is not in the Go module cache (${cache})`;
}

/** Moves times after `@` to where the section is. */
function shifted(query: string, base: number): string {
  return query.replaceAll(/@\s*(-?\d+(?:\.\d+)?)(?![\w.])/g, (_, time: string) => `@ ${String(base + Number(time))}`);
}

function whole(...times: readonly (number | undefined)[]): boolean {
  return times.every((time) => time === undefined || Number.isInteger(time));
}

/** Seconds from the section's start to its last sample or evaluation. */
function lengthOf({ series, evaluations }: Section): number {
  const ends = evaluations.filter(({ end }) => end <= longest).map(({ end }) => end);
  const last = series.flatMap(({ values }) => [...values.keys()].map((time) => time / 1000));
  return Math.min(
    longest,
    [...ends, ...last].reduce((max, each) => Math.max(max, each), 0),
  );
}

/**
 * @param end Where the time line of all sections ends, in seconds since the epoch.
 */
export function upstreamTests(end: number): Upstream {
  const found = testFiles();
  if (typeof found === "string") return { isThere: false, reason: found };
  const sections = readdirSync(found.folder)
    .filter((file) => file.endsWith(".test"))
    .sort()
    .flatMap((file) => sectionsOf(file, readFileSync(join(found.folder, file), "utf8")));
  const window = (section: Section) => Math.ceil((lengthOf(section) + margin) / 3600) * 3600;
  const start = end - sections.reduce((sum, section) => sum + window(section), 0);
  const leftOut: Record<string, number> = {};
  const cases: QueryCase[] = [];
  const series: Omit<PlacedSeries, "shard">[] = [];
  let base = start;
  for (const section of sections) {
    for (const { labels, values } of section.series) {
      const samples: Sample[] = [...values]
        .filter(([time]) => time <= longest * 1000)
        .map(([time, value]) => ({ time: base * 1000 + time, value }))
        .sort((one, other) => one.time - other.time);
      if (samples.length > 0) series.push({ labels, samples });
    }
    for (const evaluation of section.evaluations) {
      const reason = !whole(evaluation.start, evaluation.end, evaluation.step)
        ? "times in parts of a second"
        : evaluation.end > longest
          ? "over 12 h"
          : undefined;
      if (reason !== undefined) {
        leftOut[reason] = (leftOut[reason] ?? 0) + 1;
        continue;
      }
      const times = { start: base + evaluation.start, end: base + evaluation.end };
      cases.push({
        origin: section.name,
        query: shifted(evaluation.query, base),
        times: evaluation.step === undefined ? { end: times.end } : { ...times, step: evaluation.step },
      });
    }
    base += window(section);
  }
  return { isThere: true, version: found.version, cases, series, start, leftOut };
}

/** Puts series on shards by their labels: what can be joined with default matching stays together. */
export function onShards(series: readonly Omit<PlacedSeries, "shard">[], shards: number): readonly PlacedSeries[] {
  return series.map(({ labels, samples }) => {
    const key = Object.entries(labels)
      .filter(([label]) => label !== "__name__" && label !== "le")
      .sort();
    const shard = createHash("sha256").update(JSON.stringify(key)).digest().readUInt32LE() % shards;
    return { shard, samples, labels: { ...labels, cluster: "main", shard: String(shard) } };
  });
}
