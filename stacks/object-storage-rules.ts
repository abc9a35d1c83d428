import { milliseconds } from "../model/durations";
import { compareVersions, imageVersion } from "../model/images";
import { PROJECT } from "../model/names";
import { LOCAL_DEFAULT, planRetention, type StorageTimes } from "../model/retention";
import { phasePlan } from "../model/storage-phase";
import { CREATED_BUCKET_RULES } from "./created-bucket-rules";
import { retiredShards } from "./retired-shards";
import type { ParsedConfig } from "./schema";
import type { Violation } from "./violation";

type Valid = Partial<ParsedConfig>;
type Rule = (config: Valid) => readonly Violation[];

/** The first Thanos whose sidecar knows Prometheus' own delay of compactions (facts: Thanos, section 2). */
const THANOS_FROM = [0, 42, 0] as const;

const BUCKET_TIMES = ["local", "raw", "5m", "1h"] as const;

const key = (path: string): string => `${PROJECT}:${path}`;

/** All times that depend on each other, in milliseconds, or undefined without object storage. */
export function storageTimes({
  retention,
  objectStorage,
  outOfOrderWindow,
}: Pick<ParsedConfig, "retention" | "objectStorage" | "outOfOrderWindow">): StorageTimes | undefined {
  if (objectStorage === undefined) return undefined;
  const sharded = milliseconds(retention.sharded ?? retention.single);
  return {
    local: retention.local === undefined ? Math.min(LOCAL_DEFAULT, sharded) : milliseconds(retention.local),
    sharded,
    raw: milliseconds(retention.raw ?? "0s"),
    fiveMinutes: retention["5m"] === undefined ? undefined : milliseconds(retention["5m"]),
    oneHour: retention["1h"] === undefined ? undefined : milliseconds(retention["1h"]),
    deleteDelay: milliseconds(objectStorage.deleteDelay),
    syncInterval: milliseconds(objectStorage.syncInterval),
    outOfOrderWindow: milliseconds(outOfOrderWindow),
  };
}

const sizeOfStorage: Rule = ({ createThanos, objectStorage }) => {
  if (createThanos !== false || objectStorage === undefined) return [];
  return [
    {
      path: "objectStorage.type",
      value: objectStorage.type,
      rule: `uploads and Store Gateways are parts of Thanos, and ${key("createThanos")} is false`,
      fix: "set createThanos to true (serversCount may stay 1), or take objectStorage out",
    },
  ];
};

const retention: Rule = ({ retention: times, objectStorage, outOfOrderWindow }) => {
  if (times === undefined || outOfOrderWindow === undefined || objectStorage === undefined) return [];
  const all = storageTimes({ retention: times, objectStorage, outOfOrderWindow });
  const planned = all === undefined ? undefined : planRetention(all, key);
  return planned !== undefined && "problems" in planned ? planned.problems : [];
};

/** Runs only when the key `objectStorage` is right by itself, which includes that it is missing. */
const withoutBucket: Rule = (config) => {
  const { retention: times, retiredShards: shards = [] } = config;
  if (!("objectStorage" in config) || config.objectStorage !== undefined) return [];
  const unused = BUCKET_TIMES.flatMap((name) => {
    const value = times?.[name];
    if (value === undefined) return [];
    const rule = `applies only with ${key("objectStorage")}, which is missing`;
    return [{ path: `retention.${name}`, value, rule, fix: `take retention.${name} out, or set objectStorage` }];
  });
  const gone = retiredShards({ retiredShards: shards }).flatMap(({ shard, local }, index) =>
    local
      ? []
      : [
          {
            path: `retiredShards[${String(index)}].local`,
            value: false,
            rule: `the history of a shard without a Prometheus is in the bucket, and ${key("objectStorage")} is missing`,
            fix: `write ${String(shard)} alone, or set objectStorage`,
          },
        ],
  );
  return [...unused, ...gone];
};

const backlog: Rule = ({ objectStorage, retiredShards: shards = [] }) => {
  if (objectStorage === undefined) return [];
  const { uploads, uploadsCompacted } = phasePlan(objectStorage.phase);
  if (uploads && !uploadsCompacted) return [];
  return retiredShards({ retiredShards: shards }).flatMap(({ shard, local }, index) =>
    local
      ? []
      : [
          {
            path: `retiredShards[${String(index)}].local`,
            value: false,
            rule:
              `a Prometheus goes once its blocks are in the bucket, and ${key("objectStorage.phase")} is ` +
              objectStorage.phase,
            fix: `write ${String(shard)} alone until objectStorage.phase is steady`,
          },
        ],
  );
};

const encryption: Rule = ({ objectStorage }) => {
  if (objectStorage?.type !== "s3" || objectStorage.sse === undefined) return [];
  const { type, kmsKeyId } = objectStorage.sse;
  if ((type === "SSE-KMS") === (kmsKeyId !== undefined)) return [];
  return [
    {
      path: "objectStorage.sse.kmsKeyId",
      value: kmsKeyId,
      rule: `goes with ${key("objectStorage.sse.type")} SSE-KMS and no other, and that is ${type}`,
      fix: type === "SSE-KMS" ? "set objectStorage.sse.kmsKeyId" : "set sse.type to SSE-KMS, or take kmsKeyId out",
    },
  ];
};

const identity: Rule = ({ objectStorage }) => {
  if (objectStorage?.type !== "swift") return [];
  const { user, project, applicationCredential } = objectStorage;
  const found: Violation[] = [];
  if ((user === undefined) === (applicationCredential === undefined)) {
    found.push({
      path: "objectStorage.user",
      value: user?.name,
      rule: `exactly one of ${key("objectStorage.user")} and ${key("objectStorage.applicationCredential")}`,
      fix: user === undefined ? "set one of them" : "take one of them out",
    });
  }
  if (user !== undefined && project === undefined) {
    found.push({
      path: "objectStorage.project",
      value: undefined,
      rule: `needed with ${key("objectStorage.user")}`,
      fix: "set objectStorage.project.name",
    });
  }
  return found;
};

const thanosVersion: Rule = ({ images, objectStorage }) => {
  const value = images?.thanos;
  const version = value === undefined ? undefined : imageVersion(value);
  if (objectStorage === undefined || version === undefined || compareVersions(version, THANOS_FROM) >= 0) return [];
  return [
    {
      path: "images.thanos",
      value,
      rule: `Thanos 0.42.0 or later with ${key("objectStorage")}: older sidecars refuse a Prometheus that compacts`,
      fix: "choose an image from v0.42.0 on, or take the key out",
    },
  ];
};

/** Rules about `objectStorage` together with other keys. */
export const OBJECT_STORAGE_RULES: readonly Rule[] = [
  sizeOfStorage,
  retention,
  withoutBucket,
  backlog,
  encryption,
  identity,
  thanosVersion,
  ...CREATED_BUCKET_RULES,
];
