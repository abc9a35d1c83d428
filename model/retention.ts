import { formatDuration, goDuration } from "./durations";

/**
 * How long blocks stay where, and every delay that depends on it: one function, because the numbers only work together
 * (facts: Thanos v0.42 `compact`, docs/components/compact.md and store.md).
 */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Length of the blocks that a Prometheus cuts and a sidecar uploads, in milliseconds. */
export const BLOCK_MILLISECONDS = 2 * HOUR;
/** Blocks that a disk holds at least: one being filled, one being cut, one being uploaded or tried again. */
const LEAST_LOCAL_BLOCKS = 3;
/**
 * Age, in milliseconds, at which 5-minute blocks become 1-hour ones: pkg/compact/downsample ResLevel2DownsampleRange.
 * Thanos wants raw blocks for more than 40h too; they are never kept for less than 5-minute ones.
 */
const ONE_HOUR_FROM = 10 * DAY;
/** Looks at the bucket within the delay in which a replaced block is still there: two before it is ignored, two after. */
const LOOKS_PER_DELETE_DELAY = 4;

/** Default of `retention.local`, in milliseconds; never more than what shards keep without object storage. */
export const LOCAL_DEFAULT = 2 * DAY;

/** What the config says, in milliseconds; 0 keeps for ever where noted. */
export interface StorageTimes {
  /** On the shards' own disks, once local retention is shrunk. */
  readonly local: number;
  /** On the shards' own disks until then. */
  readonly sharded: number;
  /** In the bucket, as they were pushed; 0: for ever. */
  readonly raw: number;
  /** In the bucket, one value per 5 minutes; 0: for ever; undefined: as `raw`. */
  readonly fiveMinutes: number | undefined;
  /** The same for one value per hour. Without both, nothing is downsampled. */
  readonly oneHour: number | undefined;
  /** From the mark on a replaced block to its deletion. */
  readonly deleteDelay: number;
  /** How often Store Gateways and Compactor look at the bucket. */
  readonly syncInterval: number;
  /** How far behind a sample may come. */
  readonly outOfOrderWindow: number;
}

/** Which key is wrong, by which rule over which other key, and what to do about it. */
export interface RetentionProblem {
  /** Path below the config namespace. */
  readonly path: string;
  /** The value that was found there, in Prometheus' notation. */
  readonly value: string;
  readonly rule: string;
  readonly fix: string;
}

/** Flags whose values depend on each other, ready for the command line. */
export interface RetentionPlan {
  /** Of the Compactor. */
  readonly compactor: {
    readonly "delete-delay": string;
    /** Only where nothing is downsampled. */
    readonly "downsampling.disable"?: true;
    readonly "retention.resolution-1h": string;
    readonly "retention.resolution-5m": string;
    readonly "retention.resolution-raw": string;
    readonly "wait-interval": string;
  };
  /** Of every Store Gateway. */
  readonly storeGateway: {
    readonly "ignore-deletion-marks-delay": string;
    readonly "sync-block-duration": string;
  };
  /** `retention.time` of a shard's Prometheus once local retention is shrunk. */
  readonly local: string;
}

type Name = (path: string) => string;

/** A retention in the bucket in Prometheus' notation. */
function bucketTime(value: number): string {
  return value === 0 ? "0s" : formatDuration(value);
}

/**
 * Rules of the blocks that are made of raw ones. Queries read raw samples only: a root of Thanos 0.42.4 in distributed mode
 * sends the shards no resolution. So whatever outlives the raw blocks is history that no answer shows, and no error names.
 */
function downsampledProblems({ raw, fiveMinutes, oneHour }: StorageTimes, name: Name): RetentionProblem[] {
  const levels = [
    { path: "retention.5m", value: fiveMinutes },
    { path: "retention.1h", value: oneHour },
  ];
  const found = levels.flatMap(({ path, value }): RetentionProblem[] => {
    // Raw samples for ever outlive everything.
    if (value === undefined || raw === 0) return [];
    const given = { path, value: bucketTime(value) };
    const problems: RetentionProblem[] = [];
    if (raw <= ONE_HOUR_FROM) {
      problems.push({
        ...given,
        rule:
          `only with ${name("retention.raw")} of 0s (for ever) or more than ${formatDuration(ONE_HOUR_FROM)}, and that is ` +
          `${formatDuration(raw)}: downsampled blocks can't be deleted so early, and no query reads what outlives raw samples`,
        fix: `set retention.raw to 14d or more, or to 0s, or take ${path} out`,
      });
    }
    if (value === 0 || value > raw) {
      problems.push({
        ...given,
        rule:
          `not longer than ${name("retention.raw")}, which is ${formatDuration(raw)} (0s is for ever): ` +
          "queries read raw samples only, and what is older would be in no answer",
        fix: `make retention.raw longer (0s: for ever), or ${path} shorter, or take it out`,
      });
    }
    return problems;
  });
  if (fiveMinutes !== undefined && fiveMinutes !== 0 && fiveMinutes <= ONE_HOUR_FROM) {
    found.push({
      path: "retention.5m",
      value: bucketTime(fiveMinutes),
      rule:
        `0s (for ever) or more than ${formatDuration(ONE_HOUR_FROM)}, the age at which blocks are downsampled for ` +
        `${name("retention.1h")}: they would be deleted before`,
      fix: "set retention.5m to 14d or more, or to 0s",
    });
  }
  return found;
}

function problems(times: StorageTimes, name: Name): RetentionProblem[] {
  const found: RetentionProblem[] = [];
  const refuse = (path: string, value: number, rule: string, fix: string): void => {
    found.push({ path, value: formatDuration(value), rule, fix });
  };
  const { local, sharded, raw, deleteDelay, syncInterval, outOfOrderWindow } = times;
  const leastLocal = LEAST_LOCAL_BLOCKS * BLOCK_MILLISECONDS;
  if (local < leastLocal) {
    refuse(
      "retention.local",
      local,
      `at least ${formatDuration(leastLocal)}, three blocks of 2h, while ${name("objectStorage")} is on: ` +
        "local disks forget whether or not a block is uploaded",
      `set retention.local to ${formatDuration(leastLocal)} or more`,
    );
  }
  if (local < outOfOrderWindow) {
    refuse(
      "retention.local",
      local,
      `not shorter than ${name("outOfOrderWindow")}, which is ${formatDuration(outOfOrderWindow)}`,
      "make retention.local longer, or outOfOrderWindow shorter",
    );
  }
  if (local > sharded) {
    refuse(
      "retention.local",
      local,
      `not longer than ${name("retention.sharded")}, which is ${formatDuration(sharded)}: local disks shrink to it`,
      "make retention.local shorter, or retention.sharded longer",
    );
  }
  if (raw !== 0 && raw < local) {
    refuse(
      "retention.raw",
      raw,
      `0s (for ever) or not shorter than ${name("retention.local")}, which is ${formatDuration(local)}: ` +
        "the bucket would forget before the disks do",
      "make retention.raw longer, or retention.local shorter",
    );
  }
  found.push(...downsampledProblems(times, name));
  if (deleteDelay < LOOKS_PER_DELETE_DELAY * syncInterval) {
    refuse(
      "objectStorage.deleteDelay",
      deleteDelay,
      `at least ${String(LOOKS_PER_DELETE_DELAY)} times ${name("objectStorage.syncInterval")}, which is ` +
        `${formatDuration(syncInterval)}: a Store Gateway finds the new block before it leaves the replaced one`,
      "make objectStorage.deleteDelay longer, or objectStorage.syncInterval shorter",
    );
  }
  return found;
}

/**
 * Retention and delays of everything that reads and writes the bucket.
 * @param name Writes a key's full name into an error.
 * @returns the plan, or every rule that the times break.
 */
export function planRetention(
  times: StorageTimes,
  name: Name = (path) => path,
): { readonly plan: RetentionPlan } | { readonly problems: readonly RetentionProblem[] } {
  const found = problems(times, name);
  if (found.length > 0) return { problems: found };
  const { raw, fiveMinutes, oneHour } = times;
  return {
    plan: {
      compactor: {
        "delete-delay": formatDuration(times.deleteDelay),
        // Nothing in the pipeline reads downsampled blocks, which about triple the bucket: only for who asks for them.
        ...(fiveMinutes === undefined && oneHour === undefined ? { "downsampling.disable": true } : {}),
        // Also without downsampling: blocks that were made earlier go with the raw ones.
        "retention.resolution-1h": formatDuration(oneHour ?? raw),
        "retention.resolution-5m": formatDuration(fiveMinutes ?? raw),
        "retention.resolution-raw": formatDuration(raw),
        "wait-interval": goDuration(times.syncInterval),
      },
      storeGateway: {
        // Half of it: from then on the replaced block is not read, and it is still there for reads under way.
        "ignore-deletion-marks-delay": formatDuration(times.deleteDelay / 2),
        "sync-block-duration": goDuration(times.syncInterval),
      },
      local: formatDuration(times.local),
    },
  };
}
