import { milliseconds } from "../model/durations";
import { compareVersions, imageVersion } from "../model/images";
import { PROJECT } from "../model/names";
import { CONTAINER_COMPONENTS } from "../model/parts";
import { quantity } from "../model/quantities";
import { alertmanagerViolations } from "./alertmanager-config";
import { networkPeers } from "./network-schema";
import { OBJECT_STORAGE_RULES } from "./object-storage-rules";
import { tenantLimitViolations } from "./push-schema";
import { retiredShards as retiredShardsOf } from "./retired-shards";
import type { ParsedConfig } from "./schema";
import type { Violation } from "./violation";

export type { Violation } from "./violation";

/** Keys that are right by themselves. A rule waits for all the keys that it needs. */
type Valid = Partial<ParsedConfig>;

type Rule = (config: Valid) => readonly Violation[];

/** Prometheus releases that lose samples of a hub, keep too little after a restart, or write blocks that Thanos can't read. */
const PROMETHEUS_RANGE = { from: [3, 14, 0], before: [4, 0, 0] } as const;

const key = (path: string): string => `${PROJECT}:${path}`;

const shardedOptions: Rule = ({ createThanos, serversCount, retiredShards }) => {
  if (createThanos !== false) return [];
  const found: Violation[] = [];
  if (serversCount !== undefined && serversCount > 1) {
    found.push({
      path: "serversCount",
      value: serversCount,
      rule: `more than one shard needs ${key("createThanos")}, which is false`,
      fix: "set createThanos to true, or serversCount to 1",
    });
  }
  if (retiredShards !== undefined && retiredShards.length > 0) {
    found.push({
      path: "retiredShards",
      value: retiredShards,
      rule: `retired shards are queried through Thanos, and ${key("createThanos")} is false`,
      fix: "set createThanos to true, or empty retiredShards (their history becomes unqueryable)",
    });
  }
  return found;
};

const pairs: Rule = ({ createThanos, highAvailability, availability }) => {
  if (createThanos === false && highAvailability === true) {
    return [
      {
        path: "highAvailability",
        value: highAvailability,
        rule: `two replicas are one answer only through Thanos, and ${key("createThanos")} is false`,
        fix: "set createThanos to true, or highAvailability to false",
      },
    ];
  }
  if (availability === undefined || availability === "none") return [];
  const owner = highAvailability === undefined ? "createThanos" : "highAvailability";
  if ((highAvailability ?? createThanos) !== false) return [];
  return [
    {
      path: "availability",
      value: availability,
      rule: `it keeps replicas a and b apart, and there is no b: ${key(owner)} is false`,
      fix: `set ${owner} to true, or availability to none`,
    },
  ];
};

const retiredShards: Rule = ({ serversCount, retiredShards: entries = [] }) => {
  const shards = retiredShardsOf({ retiredShards: entries }).map(({ shard }) => shard);
  return shards.flatMap((shard, index) => {
    const path = `retiredShards[${String(index)}]`;
    const found: Violation[] = [];
    if (serversCount !== undefined && shard < serversCount) {
      const smaller = shard === 0 ? "" : `, or set serversCount to ${String(shard)} or less`;
      found.push({
        path,
        value: shard,
        rule: `a retired shard is not in the ring: at least ${key("serversCount")}, which is ${String(serversCount)}`,
        fix: `take ${String(shard)} out of retiredShards${smaller}`,
      });
    }
    if (shards.indexOf(shard) !== index) {
      found.push({ path, value: shard, rule: "a shard is listed once", fix: `take the second ${String(shard)} out` });
    }
    return found;
  });
};

const homeShard: Rule = ({ push, serversCount }) => {
  if (push === undefined || serversCount === undefined || push.homeShard < serversCount) return [];
  const range = serversCount === 1 ? "0" : `a number from 0 to ${String(serversCount - 1)}`;
  return [
    {
      path: "push.homeShard",
      value: push.homeShard,
      rule: `the home shard is in the ring: less than ${key("serversCount")}, which is ${String(serversCount)}`,
      fix: `set push.homeShard to ${range}`,
    },
  ];
};

const buffer: Rule = ({ push }) => {
  if (push === undefined) return [];
  const { maxBodySize } = push.limits;
  if (quantity(push.buffer) >= 2 * quantity(maxBodySize)) return [];
  return [
    {
      path: "push.buffer",
      value: push.buffer,
      rule: `at least twice ${key("push.limits.maxBodySize")}, which is ${maxBodySize}, so that two such pushes are kept`,
      fix: "make push.buffer larger, or push.limits.maxBodySize smaller",
    },
  ];
};

const lookback: Rule = ({ query, push }) => {
  if (query === undefined || push === undefined) return [];
  if (milliseconds(query.lookbackDelta) >= 2 * milliseconds(push.scrapeInterval)) return [];
  return [
    {
      path: "query.lookbackDelta",
      value: query.lookbackDelta,
      rule: `at least twice ${key("push.scrapeInterval")}, which is ${push.scrapeInterval}, else series come and go`,
      fix: "make query.lookbackDelta longer, or push.scrapeInterval shorter",
    },
  ];
};

const retention: Rule = ({ retention: times, outOfOrderWindow }) =>
  (["single", "sharded"] as const).flatMap((size) => {
    const value = times?.[size];
    if (value === undefined || outOfOrderWindow === undefined) return [];
    if (milliseconds(value) >= milliseconds(outOfOrderWindow)) return [];
    return [
      {
        path: `retention.${size}`,
        value,
        rule: `not shorter than ${key("outOfOrderWindow")}, which is ${outOfOrderWindow}`,
        fix: "make the retention longer, or outOfOrderWindow shorter",
      },
    ];
  });

const memoryLimits: Rule = ({ resources }) =>
  CONTAINER_COMPONENTS.flatMap((name) => {
    const { memory, memoryLimit } = resources?.[name] ?? {};
    if (memory === undefined || memoryLimit === undefined || quantity(memoryLimit) >= quantity(memory)) return [];
    return [
      {
        path: `resources.${name}.memoryLimit`,
        value: memoryLimit,
        rule: `not less than the request, ${key(`resources.${name}.memory`)}, which is ${memory}`,
        fix: "make memoryLimit larger, or memory smaller",
      },
    ];
  });

const prometheusVersion: Rule = ({ images }) => {
  const value = images?.prometheus;
  const version = value === undefined ? undefined : imageVersion(value);
  if (version === undefined) return [];
  const isOld = compareVersions(version, PROMETHEUS_RANGE.from) < 0;
  if (!isOld && compareVersions(version, PROMETHEUS_RANGE.before) < 0) return [];
  return [
    {
      path: "images.prometheus",
      value,
      rule: isOld
        ? "Prometheus 3.14.0 or later: older ones lose samples that come late or several to a scrape"
        : "Prometheus before 4.0.0: newer ones write blocks that Thanos 0.42 can't read",
      fix: "choose a 3.x image from 3.14.0 on, or take the key out",
    },
  ];
};

const alertmanager: Rule = ({ alertmanager: given }) => alertmanagerViolations(given?.config);

const RULES: readonly Rule[] = [
  shardedOptions,
  pairs,
  retiredShards,
  homeShard,
  buffer,
  lookback,
  retention,
  memoryLimits,
  prometheusVersion,
  ({ networkPolicies }) => (networkPolicies === undefined ? [] : networkPeers(networkPolicies)),
  ({ push }) => (push === undefined ? [] : tenantLimitViolations(push)),
  ...OBJECT_STORAGE_RULES,
  alertmanager,
];

/** What is wrong with keys that are right by themselves but not together. */
export function crossFieldViolations(config: Valid): Violation[] {
  return RULES.flatMap((rule) => rule(config));
}
