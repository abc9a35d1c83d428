/** What issue C asks of the query path, each with what was measured. */

import { figuresOf, figuresOfArm, type Measured } from "./figures";
import { SHORT_QUERY } from "./statistics";

/** The smallest or largest of some values, with where it is. */
interface Extreme {
  readonly value: number;
  readonly where: string;
}

function extreme(
  measured: readonly Measured[],
  value: (each: Measured) => number | undefined,
  isBetter: (candidate: number, best: number) => boolean,
): Extreme | undefined {
  let best: Extreme | undefined;
  for (const each of measured) {
    const candidate = value(each);
    if (candidate === undefined || Number.isNaN(candidate)) continue;
    if (best === undefined || isBetter(candidate, best.value)) {
      best = { value: candidate, where: `${each.query.name}, N = ${String(each.result.shards)}` };
    }
  }
  return best;
}

const smaller = (candidate: number, best: number): boolean => candidate < best;
const larger = (candidate: number, best: number): boolean => candidate > best;

/** A row: the aim, the worst that was measured, the verdict. */
function row(aim: string, worst: Extreme | undefined, meets: (value: number) => boolean, unit = ""): string[] {
  if (worst === undefined) return [aim, "not measured", ""];
  const shown = unit === "ms" ? String(Math.round(worst.value * 1_000)) : worst.value.toFixed(2);
  return [aim, `${shown}${unit === "" ? "" : ` ${unit}`} (${worst.where})`, meets(worst.value) ? "met" : "**NOT met**"];
}

/** Share of N that Magma's query must reach, by range. */
const LEAST_OF_N = { "12h": 0.5 } as const;

const MEASURES = { critical: "critical path", wall: "wall clock" } as const;

/** The best plain Thanos arm's time over this design's. */
function ofPlain(each: Measured, measure: keyof typeof MEASURES): number | undefined {
  const plain = (["naive", "leaf"] as const).flatMap((arm) => figuresOfArm(each, arm)?.[measure] ?? []);
  const design = figuresOfArm(each, "design")?.[measure];
  return plain.length === 0 || design === undefined ? undefined : Math.min(...plain) / design;
}

/** One Prometheus' time over this design's. */
function speedUp(each: Measured, measure: keyof typeof MEASURES): number | undefined {
  const single = figuresOfArm(each, "single")?.wall;
  const design = figuresOfArm(each, "design")?.[measure];
  return single === undefined || design === undefined ? undefined : single / design;
}

/** Seconds that this design's critical path takes longer than one Prometheus. */
function moreThanSingle(each: Measured): number | undefined {
  const { single, design } = figuresOf(each);
  return single === undefined || design === undefined ? undefined : design - single;
}

function ofN(each: Measured): number | undefined {
  const value = speedUp(each, "critical");
  return value === undefined ? undefined : value / each.result.shards;
}

/** Rows of the table of aims. */
export function aims(measured: readonly Measured[]): readonly (readonly string[])[] {
  const sharded = measured.filter(({ result }) => result.shards > 1);
  const magma = sharded.filter(({ query }) => query.magmaRange !== undefined);
  const to6h = magma.filter(({ query }) => query.magmaRange !== "12h" && query.magmaRange !== "1d");
  const at12h = magma.filter(({ query }) => query.magmaRange === "12h");
  const to12h = [...to6h, ...at12h];
  const day = magma.filter(({ query }) => query.magmaRange === "1d");
  const isLong = (each: Measured): boolean => (figuresOfArm(each, "single")?.wall ?? 0) > SHORT_QUERY;
  const queries = sharded.filter(({ query }) => query.group !== "variables" && query.group !== "series");
  const pushed = queries.filter(({ query }) => query.pushed === true);
  const ofDirect = (each: Measured): number | undefined => {
    const { direct, design } = figuresOf(each);
    return direct === undefined || design === undefined ? undefined : direct / design;
  };
  const wallOf = (arm: "design" | "frontend") => (each: Measured) => figuresOfArm(each, arm)?.wall;
  const variables = sharded.filter(({ query }) => query.group === "variables");
  const unanswered = day.filter(({ result }) => (result.arms.design?.samples.length ?? 0) === 0);
  return [
    row(
      "Magma's query, at least 0.9 of the shards asked directly, to 12h",
      extreme(to12h, ofDirect, smaller),
      (value) => value >= 0.9,
    ),
    row("at least 0.6 N, 1m to 6h", extreme(to6h, ofN, smaller), (value) => value >= 0.6),
    row("at least 0.5 N at 12h", extreme(at12h, ofN, smaller), (value) => value >= LEAST_OF_N["12h"]),
    row(
      "wall clock at N = 2 at least 1.2, to 12h",
      extreme(
        to12h.filter(({ result }) => result.shards === 2),
        (each) => speedUp(each, "wall"),
        smaller,
      ),
      (value) => value >= 1.2,
    ),
    day.length === 0
      ? ["1d answers for every N >= 2", "not measured", ""]
      : [
          "1d answers for every N >= 2",
          `${String(day.length - unanswered.length)} of ${String(day.length)}`,
          unanswered.length === 0 ? "met" : "**NOT met**",
        ],
    row(
      "pushed queries over 100 ms: never slower (critical path)",
      extreme(pushed.filter(isLong), (each) => speedUp(each, "critical"), smaller),
      (value) => value >= 1,
    ),
    row(
      "the same: CPU of all processes at most 1.5",
      extreme(
        pushed.filter(isLong),
        (each) => {
          const { singleCpu, designCpu } = figuresOf(each);
          return singleCpu === undefined || designCpu === undefined ? undefined : designCpu / singleCpu;
        },
        larger,
      ),
      (value) => value <= 1.5,
    ),
    row(
      "pushed queries under 100 ms: at most 30 ms more (critical path)",
      extreme(
        pushed.filter((each) => !isLong(each)),
        moreThanSingle,
        larger,
      ),
      (value) => value <= 0.03,
      "ms",
    ),
    ...(["critical", "wall"] as const).flatMap((measure) => [
      row(
        `queries that can't be pushed: never slower than the best plain Thanos arm (${MEASURES[measure]})`,
        extreme(
          queries.filter(({ query }) => query.pushed !== true),
          (each) => ofPlain(each, measure),
          smaller,
        ),
        (value) => value >= 1,
      ),
      row(
        `/series at most 1.5 x one Prometheus (${MEASURES[measure]})`,
        extreme(
          sharded.filter(({ query }) => query.group === "series"),
          (each) => {
            const value = speedUp(each, measure);
            return value === undefined ? undefined : 1 / value;
          },
          larger,
        ),
        (value) => value <= 1.5,
      ),
    ]),
    // Not asked for by itself: what the line above means where one Prometheus takes a millisecond.
    row(
      "/series under 100 ms: at most 30 ms more (critical path)",
      extreme(
        sharded.filter((each) => each.query.group === "series" && !isLong(each)),
        moreThanSingle,
        larger,
      ),
      (value) => value <= 0.03,
      "ms",
    ),
    row("variables under 500 ms cold", extreme(variables, wallOf("design"), larger), (value) => value < 0.5, "ms"),
    row("variables under 50 ms warm", extreme(variables, wallOf("frontend"), larger), (value) => value < 0.05, "ms"),
    row("dashboard, its queries one after the other, under 1 s warm", dashboard(sharded), (value) => value < 1, "ms"),
  ];
}

/** The dashboard's whole query set through the warm frontend. */
function dashboard(measured: readonly Measured[]): Extreme | undefined {
  const byShards = new Map<number, number>();
  for (const each of measured.filter(({ query }) => query.group === "dashboard")) {
    const wall = figuresOfArm(each, "frontend")?.wall;
    if (wall === undefined) continue;
    byShards.set(each.result.shards, (byShards.get(each.result.shards) ?? 0) + wall);
  }
  const worst = [...byShards].sort(([, left], [, right]) => right - left)[0];
  return worst === undefined ? undefined : { value: worst[1], where: `N = ${String(worst[0])}` };
}
