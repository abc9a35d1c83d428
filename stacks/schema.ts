import { z } from "zod";
import { IMAGE_NAMES } from "../model/images";
import { PROJECT } from "../model/names";
import { CONTAINER_COMPONENTS, POD_COMPONENTS } from "../model/parts";
import { grafanaSchema, monitoringSchema } from "./monitoring-schema";
import { networkPolicies } from "./network-schema";
import { objectStorage } from "./object-storage-schema";
import { pushSchema } from "./push-schema";
import { querySchema } from "./query-schema";
import { rulesKeys } from "./rules-schema";
import { clusterSchema, eksSchema } from "./schema-aws";
import * as kit from "./schema-kit";

/**
 * The stack's config: the only source of its types, defaults, errors, the generated reference (docs/configuration.md)
 * and the editors' JSON schema (docs/stack-schema.json).
 */

const scheduling = kit.object({
  nodeSelector: kit.labelMap().default({}).describe("Labels that a node must have."),
  tolerations: z
    .array(
      kit.object({
        key: kit.text("the key of a taint").optional(),
        operator: kit.oneOf("Equal", "Exists").optional(),
        value: z.string({ error: "the value of a taint" }).optional(),
        effect: kit.oneOf("NoSchedule", "PreferNoSchedule", "NoExecute").optional(),
        tolerationSeconds: kit.wholeNumber(0, 31_536_000).optional(),
      }),
      { error: "a list of tolerations" },
    )
    .default([])
    .describe("Taints that the pods tolerate, as in a pod's `tolerations`."),
  priorityClassName: kit
    .kubernetesSubdomain("the name of a PriorityClass")
    .optional()
    .describe("Priority of the pods."),
});

const resources = kit.object({
  cpu: kit.cpu().optional().describe("CPU request. There is never a CPU limit: throttling delays scrapes."),
  memory: kit.memory("16Mi", "4Ti").optional().describe("Memory request."),
  memoryLimit: kit.memory("16Mi", "4Ti").optional().describe("Memory limit; never below the request."),
});

function perComponent<const K extends readonly string[], S extends z.ZodType>(names: K, describe: (name: string) => S) {
  return kit.object(Object.fromEntries(names.map((name) => [name, describe(name)])) as Record<K[number], S>);
}

const RETIRED = "a whole number from 0 to 63, or {shard: such a number, local: true or false}";

/** All keys of the config namespace `scaled-prometheus`. */
export const configSchema = kit.object({
  program: kit
    .oneOf("pipeline", "cluster")
    .default("pipeline")
    .describe("What this stack deploys: the metrics pipeline, or an EKS cluster for one."),
  createThanos: kit
    .flag()
    .default(false)
    .describe(
      "false: one Prometheus and nothing of Thanos (the single size). true: `serversCount` shards behind Thanos.",
    ),
  serversCount: kit
    .wholeNumber(1, 64)
    .default(1)
    .describe("Number of shards in the ring: shards 0 to serversCount - 1. More than 1 needs `createThanos`."),
  highAvailability: kit
    .flag()
    .optional()
    .describe(
      "Replicas a and b of each shard, each with a hub and a volume of its own. Default: as `createThanos`, which it needs.",
    ),
  availability: kit
    .oneOf("none", "host", "zone")
    // Anything else leaves replica b without a node where there is one host or zone only, and the update waits in vain.
    .default("none")
    .describe("What replicas a and b of a shard never share. With none the scheduler is free."),
  namespace: kit
    .object({
      name: kit.kubernetesName().default(PROJECT).describe("Namespace of everything this stack deploys."),
      create: kit
        .flag()
        .default(true)
        .describe("Create the namespace, with the restricted Pod Security Standard enforced."),
    })
    .prefault({})
    .describe("Where in the cluster the pipeline stands."),
  labels: kit
    .labelMap([`${PROJECT}/`, "app.kubernetes.io/"])
    .default({})
    .describe("More labels for every object and pod. Not used in selectors."),
  scheduling: perComponent(POD_COMPONENTS, (name) => scheduling.prefault({}).describe(`Where ${name} pods may run.`))
    .prefault({})
    .describe("Scheduling per component."),
  clusterLabel: kit
    .labelValue(true)
    .default("main")
    .describe(
      "Value of the label `cluster` on every series and block. Choose it on the first day: changing it replaces the " +
        "StatefulSets, which `deletionProtection` refuses.",
    ),
  retiredShards: z
    .array(
      z.union(
        [
          kit.wholeNumber(0, 63),
          kit.object({ shard: kit.wholeNumber(0, 63), local: z.boolean({ error: RETIRED }).default(true) }),
        ],
        { error: RETIRED },
      ),
      { error: "a list of shard numbers, such as [2]" },
    )
    .default([])
    .describe(
      "Shards that left the ring and are still queried, all >= serversCount. They get no new series. Take a number out " +
        "when its retention has passed. With objectStorage, {shard: 2, local: false} takes its Prometheus away once its " +
        "blocks are in the bucket.",
    ),
  deletionProtection: kit
    .flag()
    .default(true)
    .describe(
      "Protects the namespace, the StatefulSets of shards in the ring, Rulers and Alertmanager, and a bucket or cluster " +
        "that the stack made, with its key, from being deleted or replaced.",
    ),
  cluster: clusterSchema.prefault({}).describe("The Kubernetes cluster; default: the ambient one."),
  eks: eksSchema.optional().describe("The EKS cluster that a stack with `program: cluster` creates."),
  push: pushSchema,
  retention: kit
    .object({
      single: kit.duration("2h", "3650d").default("15d").describe("How long a sample is kept in the single size."),
      sharded: kit
        .duration("2h", "3650d")
        .optional()
        .describe("How long a shard keeps a sample; default: the same as `retention.single`."),
      local: kit
        .duration("2h", "3650d")
        .optional()
        .describe(
          "How long a shard keeps a sample in objectStorage.phase shrunk; default: 2d, or retention.sharded if shorter.",
        ),
      raw: kit
        .duration("0s", "36500d")
        .optional()
        .describe(
          "How long the bucket keeps a sample, and how far back queries see; 0s, the default: for ever. Needs objectStorage.",
        ),
      "5m": kit
        .duration("0s", "36500d")
        .optional()
        .describe(
          "The same for one value per 5 minutes, made of what is 40 hours old, for other readers of the bucket: queries " +
            "read raw samples only. More than 10d, and not longer than retention.raw; default with retention.1h: as long " +
            "as retention.raw. Without both nothing is downsampled.",
        ),
      "1h": kit
        .duration("0s", "36500d")
        .optional()
        .describe(
          "The same for one value per hour, made of what is 10 days old. Not longer than retention.raw, which must be " +
            "longer than 10d; default with retention.5m: as long as retention.raw.",
        ),
    })
    .prefault({})
    .describe("How long samples are kept on the shards' own disks, and in the bucket of `objectStorage`."),
  storage: kit
    .object({
      size: kit
        .memory("256Mi", "64Ti")
        .default("50Gi")
        .describe("Volume of each Prometheus. Fixed once it is deployed."),
      className: kit
        .kubernetesSubdomain("the name of a StorageClass")
        .optional()
        .describe("StorageClass of all volumes; default: the cluster's. Fixed once it is deployed."),
      alertmanagerSize: kit
        .memory("64Mi", "1Ti")
        .default("1Gi")
        .describe("Volume of the Alertmanager. Fixed once it is deployed."),
      storeSize: kit
        .memory("64Mi", "64Ti")
        .default("10Gi")
        .describe("Volume of each Store Gateway, for index headers. Fixed once it is deployed."),
      compactorSize: kit
        .memory("256Mi", "64Ti")
        .default("100Gi")
        .describe("Volume of the Compactor: twice the blocks of two weeks of a shard. Fixed once it is deployed."),
      rulerSize: kit
        .memory("64Mi", "1Ti")
        .default("5Gi")
        .describe("Volume of each Ruler, for what rules record. Fixed once it is deployed."),
    })
    .prefault({})
    .describe("Volumes. Claims are kept when a StatefulSet is deleted."),
  objectStorage,
  expectedSeriesPerShard: kit
    .wholeNumber(1_000, 20_000_000)
    .default(100_000)
    .describe(
      "Active series of one shard, from which default resources are computed. Plain, not total / serversCount.",
    ),
  resources: perComponent(CONTAINER_COMPONENTS, (name) =>
    resources.prefault({}).describe(`Resources of each ${name} container; defaults from expectedSeriesPerShard.`),
  )
    .prefault({})
    .describe("Resources per component."),
  outOfOrderWindow: kit
    .duration("30m", "7d")
    .default("1h")
    .describe(
      "How far behind a shard's newest sample a sample may still be stored: retries and moved gateways need it.",
    ),
  query: querySchema,
  networkPolicies,
  ...rulesKeys,
  monitoring: monitoringSchema,
  grafana: grafanaSchema,
  images: kit
    .object({
      registry: kit
        .text("a registry such as mirror.example.org/path, not empty")
        .optional()
        .describe("Registry that replaces the host of every default image."),
      pullSecrets: z
        .array(kit.kubernetesSubdomain("the name of a Secret"), { error: "a list of names of Secrets" })
        .default([])
        .describe("Secrets of the namespace with registry credentials."),
      ...(Object.fromEntries(
        IMAGE_NAMES.map((name) => [
          name,
          kit.image().optional().describe(`Image of ${name}, used as it stands (tag or digest).`),
        ]),
      ) as Record<(typeof IMAGE_NAMES)[number], z.ZodOptional<z.ZodString>>),
    })
    .prefault({})
    .describe("Container images."),
});

/** The config with the schema's defaults, before the defaults that depend on other keys. */
export type ParsedConfig = z.output<typeof configSchema>;
