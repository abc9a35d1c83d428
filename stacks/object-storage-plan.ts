import { scryptSync } from "node:crypto";
import type { CompactorArgs } from "../components/compactor";
import type { Flags } from "../components/kit/flags";
import { SHIPPER_META_FILE, PROMETHEUS_PATHS, STORAGE_PATHS } from "../components/kit/paths";
import type { Platform } from "../components/kit/platform";
import { toYaml } from "../components/kit/yaml";
import type { UploadArgs } from "../components/prometheus";
import type { StorageConfig, StorageSecretArgs } from "../components/storage-secret";
import type { StoreGatewayArgs } from "../components/store-gateway";
import { s3Endpoint } from "../model/aws";
import { goDuration, milliseconds } from "../model/durations";
import { NAMES, PIPELINE_LABELS, PORTS } from "../model/names";
import { quantity } from "../model/quantities";
import { planRetention, type RetentionPlan } from "../model/retention";
import { phasePlan } from "../model/storage-phase";
import type { Config } from "./config";
import { blocksPrefix, createdBucketPlan, type CreatedBucketPlan } from "./created-bucket-plan";
import type { ObjectStorage } from "./object-storage-schema";
import { storageTimes } from "./object-storage-rules";

/** Length of the suffix of the Secret's name, in bytes. */
const SUFFIX_BYTES = 5;

/** What of object storage a stack has; undefined without it. */
export interface ObjectStoragePlan {
  /** The bucket, for the stack's outputs; undefined until the stack has made it. */
  readonly bucket: string | undefined;
  /** The bucket that the stack makes; undefined for one that exists. */
  readonly created: CreatedBucketPlan | undefined;
  readonly secret: StorageSecretArgs;
  readonly compactor: CompactorArgs;
  /** Flags of a shard's Prometheus, over those of every size. */
  readonly prometheusFlags: Flags;
  /** Flags of a shard's sidecar, over those of every sharded size. */
  readonly sidecarFlags: Flags;
  /** Flags of the Rulers, over those of every sharded size. They compact nothing, so every block is uploaded as it is. */
  readonly rulerFlags: Flags;
  /** What uploads need of a Prometheus pod. */
  readonly uploads: UploadArgs;
  /** `retention.time` of a shard's Prometheus. */
  readonly localRetention: string;
  /** The Store Gateway of one shard, retired or not, or that of the Rulers. */
  readonly storeGateway: (shard: StoreGatewayArgs["shard"]) => StoreGatewayArgs;
}

/** Where the bucket is, with credentials. */
function provider(storage: ObjectStorage): StorageConfig["config"] {
  switch (storage.type) {
    case "s3":
      return {
        // The component adds the name of a bucket that the stack makes.
        ...(storage.bucket === undefined ? {} : { bucket: storage.bucket }),
        endpoint: storage.endpoint ?? s3Endpoint(storage.region),
        region: storage.region,
        insecure: storage.insecure,
        // Without keys the client finds the workload's own identity; aws_sdk_auth breaks EKS Pod Identity (thanos#7157).
        ...(storage.credentials === undefined
          ? {}
          : { access_key: storage.credentials.accessKey, secret_key: storage.credentials.secretKey }),
        ...(storage.sse === undefined
          ? {}
          : {
              sse_config: {
                type: storage.sse.type,
                ...(storage.sse.kmsKeyId === undefined ? {} : { kms_key_id: storage.sse.kmsKeyId }),
              },
            }),
      };
    case "swift":
      return {
        auth_url: storage.authUrl,
        container_name: storage.container,
        large_object_segments_container_name: storage.segmentsContainer ?? `${storage.container}_segments`,
        ...(storage.region === undefined ? {} : { region_name: storage.region }),
        ...(storage.project === undefined
          ? {}
          : { project_name: storage.project.name, project_domain_name: storage.project.domain }),
        ...(storage.user === undefined
          ? {}
          : {
              username: storage.user.name,
              user_domain_name: storage.user.domain,
              password: storage.user.password,
            }),
        ...(storage.applicationCredential === undefined
          ? {}
          : {
              application_credential_id: storage.applicationCredential.id,
              application_credential_secret: storage.applicationCredential.secret,
            }),
      };
  }
}

/** Thanos' object storage configuration: the same for every part. */
export function storageConfig(storage: ObjectStorage): StorageConfig {
  const prefix = blocksPrefix({ objectStorage: storage });
  return {
    type: storage.type === "s3" ? "S3" : "SWIFT",
    config: provider(storage),
    ...(prefix === undefined ? {} : { prefix }),
  };
}

/**
 * Name that changes with the content, but for the name of a bucket that the stack makes, which never changes, so that pods take up new credentials. Names are read by many who may not read
 * Secrets, so the suffix comes from a slow hash: nobody tries passwords against it.
 */
function secretName(text: string): string {
  const suffix = scryptSync(text, NAMES.objectStorage, SUFFIX_BYTES).toString("hex");
  return `${NAMES.objectStorage}-${suffix}`;
}

/** Blocks of this pipeline only, of one shard or of all. */
function selector(config: Config, shard?: string): string {
  const cluster = config.clusterLabel.replaceAll(".", "\\.");
  const rule =
    shard === undefined
      ? { source_labels: [PIPELINE_LABELS.cluster], regex: cluster }
      : {
          source_labels: [PIPELINE_LABELS.cluster, PIPELINE_LABELS.shard],
          separator: ";",
          regex: `${cluster};${shard}`,
        };
  return toYaml([{ action: "keep", ...rule }]).trimEnd();
}

const SERVER_FLAGS: Flags = {
  "data-dir": STORAGE_PATHS.data,
  "disable-admin-operations": true,
  "enable-auto-gomemlimit": true,
  "http-address": `0.0.0.0:${String(PORTS.thanosHttp)}`,
  "objstore.config-file": `${STORAGE_PATHS.config}/${STORAGE_PATHS.file}`,
  "web.disable": true,
};

function mebibytes(bytes: number): string {
  return `${String(Math.floor(bytes / 2 ** 20))}MiB`;
}

function storeFlags(config: Config, platform: Platform, plan: RetentionPlan, shard: string): Flags {
  const limit = quantity(platform.resources.store.limits.memory);
  return {
    ...SERVER_FLAGS,
    ...plan.storeGateway,
    "chunk-pool-size": mebibytes(limit / 2),
    "grpc-address": `0.0.0.0:${String(PORTS.thanosGrpc)}`,
    "index-cache-size": mebibytes(limit / 4),
    "selector.relabel-config": selector(config, shard),
    "store.enable-index-header-lazy-reader": true,
    // Fetching headers at the first query timed out on S3 (facts: Thanos, section 9).
    "store.index-header-lazy-download-strategy": "eager",
  };
}

function compactorFlags(config: Config, storage: ObjectStorage, plan: RetentionPlan): Flags {
  return {
    ...SERVER_FLAGS,
    ...plan.compactor,
    "consistency-delay": goDuration(milliseconds(storage.consistencyDelay)),
    // Also what allows overlapping blocks, which late samples make of necessity. No deduplication.func: replicas of a
    // pushed shard hold the same samples, and "penalty" would leave holes in them for ever.
    "deduplication.replica-label": PIPELINE_LABELS.replica,
    "selector.relabel-config": selector(config),
    wait: true,
  };
}

function volume(config: Config, size: string) {
  const { className } = config.storage;
  return { storageSize: size, ...(className === undefined ? {} : { storageClassName: className }) };
}

/** What of object storage a config asks for; undefined where there is none. */
export function objectStoragePlan(config: Config, platform: Platform): ObjectStoragePlan | undefined {
  const { objectStorage: storage } = config;
  const times = storageTimes(config);
  if (storage === undefined || times === undefined) return undefined;
  const planned = planRetention(times);
  // parseConfig has refused every config with problems.
  if ("problems" in planned) throw new Error(planned.problems.map(({ path, rule }) => `${path}: ${rule}`).join("; "));
  const { plan } = planned;
  const phase = phasePlan(storage.phase);
  const content = storageConfig(storage);
  const secret = secretName(toYaml(content));
  const metaFile = `${PROMETHEUS_PATHS.data}/${SHIPPER_META_FILE}`;
  return {
    bucket: storage.type === "s3" ? storage.bucket : storage.container,
    created: createdBucketPlan(config),
    secret: { name: secret, config: content },
    compactor: {
      secret,
      flags: compactorFlags(config, storage, plan),
      ...volume(config, config.storage.compactorSize),
    },
    prometheusFlags: {
      "storage.tsdb.delay-compact-file.path": metaFile,
      ...(phase.compacts
        ? {}
        : {
            "storage.tsdb.allow-overlapping-compaction": false,
            "storage.tsdb.max-block-duration": "2h",
            "storage.tsdb.min-block-duration": "2h",
          }),
    },
    sidecarFlags: phase.uploads
      ? {
          "objstore.config-file": `${STORAGE_PATHS.config}/${STORAGE_PATHS.file}`,
          "shipper.meta-file-name": SHIPPER_META_FILE,
          "tsdb.path": PROMETHEUS_PATHS.data,
          ...(phase.uploadsCompacted
            ? // Late samples make blocks that overlap compacted ones; without the second flag the first such pair stops
              // all uploads. The Compactor merges them.
              { "shipper.allow-out-of-order-uploads": true, "shipper.upload-compacted": true }
            : {}),
        }
      : {},
    rulerFlags: phase.uploads ? { "objstore.config-file": `${STORAGE_PATHS.config}/${STORAGE_PATHS.file}` } : {},
    uploads: { uploadFile: metaFile, ...(phase.uploads ? { secret } : {}) },
    localRetention: phase.shrinks ? plan.local : config.retention.sharded,
    storeGateway: (shard) => ({
      shard,
      secret,
      flags: storeFlags(config, platform, plan, String(shard)),
      ...volume(config, config.storage.storeSize),
    }),
  };
}
