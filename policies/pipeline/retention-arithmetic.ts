import { parseDuration } from "../../model/durations";
import { prometheusConfigs, thanos } from "../kit/pipeline";
import { at, text } from "../kit/values";
import { flag } from "../kit/workloads";
import { stackPolicy } from "../kit/policy";

const HOUR = 3_600_000;
/** Shortest window for late samples (design, section 2). */
const LEAST_WINDOW = HOUR / 2;
/** Three blocks of two hours. */
const LEAST_LOCAL = 6 * HOUR;

/**
 * Age at which 5m blocks become 1h ones (thanos pkg/compact/downsample): they must outlive it. Raw blocks outlive theirs, 40h,
 * because they outlive 5m blocks.
 */
const ONE_HOUR_FROM = 240 * HOUR;

function duration(value: unknown): number | undefined {
  return parseDuration(text(value) ?? "");
}

/** How long the Compactor keeps the blocks of a resolution; 0 is for ever, and the default. */
function kept(args: readonly string[], resolution: string): number {
  const time = duration(flag(args, `retention.resolution-${resolution}`));
  return time === undefined || time === 0 ? Infinity : time;
}

/**
 * Nothing is deleted before what depends on it is done: uploads, downsampling, late samples, readers of blocks. And nothing
 * is kept that no query reads: queries read raw samples only.
 */
export const retentionArithmetic = stackPolicy(
  {
    name: "retention-arithmetic",
    description:
      "Nothing is deleted before what depends on it is done (uploads, downsampling, late samples, readers of blocks), " +
      "and no downsampled block outlives the raw samples, which are all that queries read.",
    severity: "critical",
    remediation: "take the values from the program's one retention function; the message names the two values",
    url: "https://thanos.io/tip/components/compact.md/#enforcing-retention-of-data",
  },
  (resources) => {
    const servers = prometheusConfigs(resources).flatMap(({ workload, config }) => {
      const tsdb = at(config, "storage", "tsdb");
      const kept = duration(at(tsdb, "retention", "time"));
      const late = duration(at(tsdb, "out_of_order_time_window")) ?? 0;
      const uploads = workload.containers.some(({ args }) => args.some((arg) => arg.startsWith("--objstore.config")));
      const problems = [
        ...(kept === undefined ? ["names no retention"] : []),
        ...(late < LEAST_WINDOW ? ["takes late samples for less than 30m: retries and moved series are refused"] : []),
        ...(kept !== undefined && kept < late ? ["keeps samples for less time than it takes late ones"] : []),
        ...(uploads && kept !== undefined && kept < LEAST_LOCAL
          ? ["keeps less than three blocks (6h) and uploads: an outage of the bucket loses samples"]
          : []),
      ];
      return problems.map((message) => ({ message: `${workload.name} ${message}`, urn: workload.resource.urn }));
    });
    const compactors = thanos(resources, "compact");
    const levels = compactors.flatMap(({ workload, container: { args } }) => {
      const isDownsampling = flag(args, "downsampling.disable") !== true;
      const problems = [
        ...(isDownsampling && kept(args, "5m") <= ONE_HOUR_FROM
          ? ["deletes 5m blocks before they are downsampled to 1h"]
          : []),
        ...["5m", "1h"].flatMap((name) =>
          kept(args, name) > kept(args, "raw")
            ? [`keeps ${name} blocks longer than raw ones: no query reads them`]
            : [],
        ),
      ];
      return problems.map((message) => ({ message: `${workload.name} ${message}`, urn: workload.resource.urn }));
    });
    const deleteDelay = compactors.map(
      ({ container }) => duration(flag(container.args, "delete-delay")) ?? 48 * HOUR,
    )[0];
    const readers = thanos(resources, "store").flatMap(({ workload, container }) => {
      const ignored = duration(flag(container.args, "ignore-deletion-marks-delay")) ?? 24 * HOUR;
      if (deleteDelay === undefined || ignored * 2 === deleteDelay) return [];
      const message = `${workload.name} ignores deletion marks for another time than half of the Compactor's delete-delay`;
      return [{ message, urn: workload.resource.urn }];
    });
    return [...servers, ...levels, ...readers];
  },
);
