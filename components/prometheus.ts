import type * as pulumi from "@pulumi/pulumi";
import type { types } from "@pulumi/kubernetes";
import * as apps from "@pulumi/kubernetes/apps/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import { HUB_JOB, NAMES, PORTS, PROJECT, prometheusName, sidecarName } from "../model/names";
import type { ClaimArgs } from "./kit/claim";
import { Component } from "./kit/component";
import { flagList, type Flags } from "./kit/flags";
import { GATE_UPSTREAM, gateContainer } from "./kit/gate";
import { commonLabels, selectorLabels } from "./kit/labels";
import { PROMETHEUS_PATHS, STORAGE_PATHS } from "./kit/paths";
import type { Platform } from "./kit/platform";
import { container, podTemplate, serviceContainer, servicesVolume } from "./kit/pod";
import { NO_PROBES, quickProbes, replayingProbes } from "./kit/probes";
import { rulesPuller, type RulesPullerArgs } from "./kit/rules-puller";
import { NOBODY_UID, THANOS_UID } from "./kit/security";
import { clusterIpSpec, headlessSpec } from "./kit/service";
import { awayFromOther, type PlacedReplica } from "./kit/spread";
import { toYaml } from "./kit/yaml";
import { statefulSpec } from "./kit/stateful";
import { takenUpAgain, withoutWaiting, workloadTimeouts } from "./kit/waiting";
import type { RuleTexts } from "./rules/generate";

/** Seconds for writing the head at a stop; 90 s were too short for large ones (facts/prometheus.md). */
const GRACE_SECONDS = 600;

/** What uploads need of the pod. */
export interface UploadArgs {
  /** File in which the sidecar notes what it has uploaded: it is there before Prometheus starts. */
  readonly uploadFile: string;
  /** Secret with the object storage configuration; absent while nothing is uploaded yet. */
  readonly secret?: string;
}

/** Arguments of {@link PrometheusServer}. */
export interface PrometheusServerArgs extends ClaimArgs {
  readonly flags: Flags;
  /** Content of prometheus.yaml; reloaded without a restart. */
  readonly config: object;
  /** Rule files by name; reloaded without a restart. */
  readonly rules: RuleTexts;
  /** Pulls the rules of prometheus-configmanager; in the single size with it only. */
  readonly puller?: RulesPullerArgs;
  /** Flags of the Thanos sidecar; absent in the single size. */
  readonly sidecarFlags?: Flags;
  /** Absent without object storage. */
  readonly uploads?: UploadArgs;
  /** Value of the label `cluster`, written on the claim so that changing it replaces the StatefulSet. */
  readonly clusterLabel: string;
  /** Refuse to delete or replace the StatefulSet. */
  readonly isProtected: boolean;
  /** Minutes until Pulumi gives up waiting for it: start, WAL replay included. */
  readonly timeoutMinutes: number;
}

/** A Prometheus on loopback, the gate through which others reach it, and in sharded sizes a Thanos sidecar. */
export class PrometheusServer extends Component {
  constructor(
    platform: Platform,
    placed: PlacedReplica,
    args: PrometheusServerArgs,
    options: pulumi.ComponentResourceOptions = {},
  ) {
    const { shard, replica } = placed;
    const name = prometheusName(shard, replica);
    super("Prometheus", name, options);
    const part = { component: "prometheus", shard, replica } as const;
    const selector = selectorLabels(part);
    const metadata = (objectName: string) => ({
      name: objectName,
      namespace: platform.namespace,
      labels: commonLabels(part, platform.labels),
    });
    const config = new core.ConfigMap(
      name,
      { metadata: withoutWaiting(metadata(name)), data: configFiles(args) },
      this.child(),
    );
    const governing = new core.Service(
      name,
      {
        metadata: withoutWaiting(metadata(name)),
        spec: headlessSpec(selector, [{ name: "http", port: PORTS.gate, target: "http" }]),
      },
      this.child(),
    );
    const statefulSet = new apps.StatefulSet(
      name,
      {
        metadata: takenUpAgain(metadata(name)),
        spec: statefulSpec({
          serviceName: name,
          selector,
          claim: { ...args, claimLabels: { [`${PROJECT}/cluster-label`]: args.clusterLabel } },
          template: podTemplate(platform, {
            part,
            uid: NOBODY_UID,
            ...awayFromOther("prometheus", placed),
            terminationGracePeriodSeconds: GRACE_SECONDS,
            volumes: [
              { name: "config", configMap: { name } },
              servicesVolume(platform),
              ...(args.uploads?.secret === undefined
                ? []
                : [{ name: NAMES.objectStorage, secret: { secretName: args.uploads.secret } }]),
            ],
            initContainers: args.uploads === undefined ? [] : [uploadFileContainer(platform, args.uploads.uploadFile)],
            containers: containers(platform, args),
          }),
        }),
      },
      this.child({
        dependsOn: [config, governing],
        protect: args.isProtected,
        customTimeouts: workloadTimeouts(args.timeoutMinutes, GRACE_SECONDS),
      }),
    );
    if (args.sidecarFlags !== undefined) {
      const sidecar = sidecarName(shard, replica);
      new core.Service(
        sidecar,
        {
          metadata: withoutWaiting(metadata(sidecar)),
          spec: clusterIpSpec(selector, [{ name: "grpc", port: PORTS.thanosGrpc, target: "grpc" }]),
        },
        this.child({ dependsOn: statefulSet }),
      );
    }
    this.registerOutputs();
  }
}

/** Configuration and rules in one map, so that they change in a pod at the same moment. */
function configFiles({ config, rules }: PrometheusServerArgs): Record<string, string> {
  const ruleFiles = Object.entries(rules).map(
    ([file, text]) => [`${PROMETHEUS_PATHS.rulePrefix}${file}`, text] as const,
  );
  return { [PROMETHEUS_PATHS.file]: toYaml(config), ...Object.fromEntries(ruleFiles) };
}

/**
 * The claim that holds the samples. Kubernetes and the provider both refuse to change a claim template in place, which
 * is what makes a change of the cluster label a replacement, and a replacement of a protected StatefulSet an error.
 */
function containers(platform: Platform, args: PrometheusServerArgs): types.input.core.v1.Container[] {
  const prometheus = container(platform, {
    name: "prometheus",
    image: platform.images.prometheus,
    args: flagList(args.flags),
    ports: {},
    // Asked through the gate, because Prometheus itself listens on loopback only; a number, because names are per container.
    probes: replayingProbes(PORTS.gate),
    mounts: { config: PROMETHEUS_PATHS.config, [NAMES.claimTemplate]: PROMETHEUS_PATHS.data },
    writable: [NAMES.claimTemplate],
    uid: NOBODY_UID,
  });
  const gate = gateContainer(platform, HUB_JOB);
  const pullers = args.puller === undefined ? [] : [rulesPuller(platform, args.puller)];
  if (args.sidecarFlags === undefined) return [prometheus, gate, ...pullers];
  const sidecar = container(platform, {
    name: "sidecar",
    image: platform.images.thanos,
    args: ["sidecar", ...flagList({ ...args.sidecarFlags, "prometheus.url": GATE_UPSTREAM })],
    ports: { grpc: PORTS.thanosGrpc, "thanos-http": PORTS.thanosHttp },
    probes: quickProbes("thanos-http"),
    mounts: args.uploads?.secret === undefined ? {} : uploadMounts(),
    writable: [NAMES.claimTemplate],
    // To upload, that of Prometheus: the kernel lets nobody else make hard links to its files, which is how it is done.
    uid: args.uploads?.secret === undefined ? THANOS_UID : NOBODY_UID,
  });
  return [prometheus, gate, sidecar];
}

/** The data stand at the same path in both containers, because both name the upload file by its path. */
function uploadMounts(): Readonly<Record<string, string>> {
  return { [NAMES.objectStorage]: STORAGE_PATHS.config, [NAMES.claimTemplate]: PROMETHEUS_PATHS.data };
}

/** Makes an empty upload file: without any, Prometheus compacts blocks that are not uploaded yet. */
function uploadFileContainer(platform: Platform, path: string): types.input.core.v1.Container {
  return serviceContainer(platform, {
    // With the gate's resources: both are small programs of ours.
    name: "gate",
    containerName: "shipper-meta",
    args: ["--path", path],
    ports: {},
    probes: NO_PROBES,
    mounts: { [NAMES.claimTemplate]: PROMETHEUS_PATHS.data },
    writable: [NAMES.claimTemplate],
    uid: NOBODY_UID,
  });
}
