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

/** A level must outlive the age at which the next one is made from it (thanos pkg/compact/downsample). */
const LEVELS = [
  { name: "raw", least: 40 * HOUR, next: "downsampled to 5m" },
  { name: "5m", least: 240 * HOUR, next: "downsampled to 1h" },
] as const;

function duration(value: unknown): number | undefined {
  return parseDuration(text(value) ?? "");
}

/** Nothing is deleted before what depends on it is done: uploads, downsampling, late samples, readers of blocks. */
export const retentionArithmetic = stackPolicy(
  {
    name: "retention-arithmetic",
    description:
      "Nothing is deleted before what depends on it is done: uploads, downsampling, late samples, readers of blocks.",
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
    const levels = compactors.flatMap(({ workload, container }) =>
      LEVELS.flatMap(({ name, least, next }) => {
        const kept = duration(flag(container.args, `retention.resolution-${name}`)) ?? 0;
        // 0 keeps for ever.
        if (kept === 0 || kept > least) return [];
        const message = `${workload.name} deletes ${name} blocks before they are ${next}`;
        return [{ message, urn: workload.resource.urn }];
      }),
    );
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
