/** Medians of what was measured. */

import type { Arm } from "./options";
import type { BenchQuery } from "./query-set";
import type { ArmResult, QueryResult, Sample } from "./results";
import { criticalPath, median, spread, type Figures } from "./statistics";

/** A query and what was measured of it on one N. */
export interface Measured {
  readonly query: BenchQuery;
  readonly result: QueryResult;
}

/** Medians of an arm's samples; undefined where it gave no answer. */
export interface ArmFigures {
  readonly wall: number;
  /** (largest - smallest) / median of the wall clock. */
  readonly spread: number;
  readonly critical: number | undefined;
  /** CPU seconds of all processes. */
  readonly cpu: number;
  readonly cpuByProgram: Readonly<Record<string, number>>;
  readonly memory: number;
  readonly rootRead: number;
  readonly grpcBytes: number | undefined;
  readonly repetitions: number;
}

const total = (sample: Sample): number => Object.values(sample.cpu).reduce((sum, each) => sum + each, 0);

export function armFigures(result: ArmResult | undefined): ArmFigures | undefined {
  if (result === undefined || result.samples.length === 0) return undefined;
  const { samples } = result;
  const walls = samples.map(({ wall }) => wall);
  const parts = samples.flatMap((sample) => (sample.parts === undefined ? [] : [sample.parts]));
  const programs = [...new Set(samples.flatMap(({ cpu }) => Object.keys(cpu)))];
  return {
    wall: median(walls),
    spread: spread(walls),
    critical: parts.length === 0 ? undefined : median(parts.map(criticalPath)),
    cpu: median(samples.map(total)),
    cpuByProgram: Object.fromEntries(programs.map((each) => [each, median(samples.map(({ cpu }) => cpu[each] ?? 0))])),
    memory: median(samples.map(({ memory }) => memory)),
    rootRead: median(samples.map(({ rootRead }) => rootRead)),
    grpcBytes: result.grpcBytes,
    repetitions: samples.length,
  };
}

/** Figures of one arm of one measured query. */
export function figuresOfArm({ result }: Measured, arm: Arm): ArmFigures | undefined {
  return armFigures(result.arms[arm]);
}

/** What the RESULT line needs. */
export function figuresOf(measured: Measured): Figures {
  const { query, result } = measured;
  const [single, design, direct] = (["single", "design", "direct"] as const).map((arm) => figuresOfArm(measured, arm));
  return {
    shards: result.shards,
    magmaRange: query.magmaRange,
    isPushable: query.pushed === true,
    single: single?.wall,
    design: design?.critical,
    direct: direct?.critical,
    singleCpu: single?.cpu,
    designCpu: design?.cpu,
  };
}
