/** What shorter retentions take away: Prometheus and the Compactor delete soon after they have read a new one. */

import { load } from "js-yaml";
import { z } from "zod";
import { parseDuration } from "../../model/durations";

const mapSchema = z.looseObject({ data: z.record(z.string(), z.unknown()) });
const configSchema = z.looseObject({
  storage: z.looseObject({ tsdb: z.looseObject({ retention: z.looseObject({ time: z.string() }) }) }),
});
const podsSchema = z.looseObject({
  spec: z.looseObject({
    template: z.looseObject({
      spec: z.looseObject({ containers: z.array(z.looseObject({ args: z.array(z.string()).nullish() })) }),
    }),
  }),
});

/** Flag of the Compactor for the blocks of one resolution; 0 keeps for ever. */
const BUCKET_FLAG = /^--retention\.resolution-(raw|5m|1h)=(.*)$/;

/** A retention that gets shorter. */
export interface ShorterRetention {
  /** On the shards' own disks, or in the bucket. */
  readonly place: "local" | "bucket";
  /** Resolution of the blocks in the bucket: `raw`, `5m` or `1h`; undefined on local disks. */
  readonly resolution: string | undefined;
  readonly before: string;
  readonly after: string;
}

type Times = ReadonlyMap<string, string>;

/** `retention.time` in the ConfigMap of a Prometheus. */
function localTime(inputs: unknown): string | undefined {
  const map = mapSchema.safeParse(inputs);
  for (const text of Object.values(map.success ? map.data.data : {})) {
    if (typeof text !== "string" || !text.includes("retention")) continue;
    const config = configSchema.safeParse(safelyLoaded(text));
    if (config.success) return config.data.storage.tsdb.retention.time;
  }
  return undefined;
}

/** Retention by resolution in the arguments of a Compactor. */
function bucketTimes(inputs: unknown): Times {
  const pods = podsSchema.safeParse(inputs);
  const args = pods.success ? pods.data.spec.template.spec.containers.flatMap((each) => each.args ?? []) : [];
  const found = args.flatMap((arg) => {
    const [, resolution, time] = BUCKET_FLAG.exec(arg) ?? [];
    return resolution === undefined || time === undefined ? [] : [[resolution, time] as const];
  });
  return new Map(found);
}

function safelyLoaded(text: string): unknown {
  try {
    return load(text);
  } catch {
    return undefined;
  }
}

function isShorter(before: string, after: string, zero: number): boolean {
  const [old, current] = [parseDuration(before), parseDuration(after)];
  if (old === undefined || current === undefined) return false;
  return (current === 0 ? zero : current) < (old === 0 ? zero : old);
}

/** The retentions that a change of a ConfigMap or of a StatefulSet makes shorter. */
export function shorterRetentions(before: unknown, after: unknown): readonly ShorterRetention[] {
  const [old, current] = [localTime(before), localTime(after)];
  const local: readonly ShorterRetention[] =
    old !== undefined && current !== undefined && isShorter(old, current, 0)
      ? [{ place: "local", resolution: undefined, before: old, after: current }]
      : [];
  const [oldTimes, currentTimes] = [bucketTimes(before), bucketTimes(after)];
  const bucket = [...oldTimes].flatMap(([resolution, time]): readonly ShorterRetention[] => {
    const next = currentTimes.get(resolution);
    if (next === undefined || !isShorter(time, next, Infinity)) return [];
    return [{ place: "bucket", resolution, before: time, after: next }];
  });
  return [...local, ...bucket];
}

/** Whether a shorter retention deletes history, or only the copy of what the bucket holds. */
export function losesHistory({ place }: ShorterRetention, localIsInBucket: boolean): boolean {
  return place === "bucket" || !localIsInBucket;
}

/** The retention as a sentence. */
export function describeRetention(shorter: ShorterRetention, localIsInBucket: boolean): string {
  const { place, resolution, before, after } = shorter;
  const older = `what is older than ${after}`;
  if (place === "bucket") {
    const old = parseDuration(before) === 0 ? "for ever" : before;
    return `retention of ${resolution ?? ""} blocks in the bucket ${old} -> ${after}: ${older} is deleted`;
  }
  const change = `local retention ${before} -> ${after}`;
  return losesHistory(shorter, localIsInBucket)
    ? `${change}: ${older} is deleted`
    : `${change}: ${older} is in the bucket, and is answered from there`;
}
