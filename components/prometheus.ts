import type * as pulumi from "@pulumi/pulumi";
import type { types } from "@pulumi/kubernetes";
import * as apps from "@pulumi/kubernetes/apps/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import { NAMES, PORTS, PROJECT, prometheusName, sidecarName, type ReplicaLetter } from "../model/names";
import { Component } from "./kit/component";
import { flagList, type Flags } from "./kit/flags";
import { GATE_UPSTREAM, gateContainer } from "./kit/gate";
import { commonLabels, selectorLabels } from "./kit/labels";
import { PROMETHEUS_PATHS } from "./kit/paths";
import type { Platform } from "./kit/platform";
import { container, podTemplate, servicesVolume } from "./kit/pod";
import { quickProbes, replayingProbes } from "./kit/probes";
import { NOBODY_UID, THANOS_UID } from "./kit/security";
import { clusterIpSpec, headlessSpec } from "./kit/service";
import { toYaml } from "./kit/yaml";
import { withoutWaiting } from "./kit/waiting";

/** Seconds for writing the head at a stop; 90 s were too short for large ones (facts/prometheus.md). */
const GRACE_SECONDS = 600;

/** Arguments of {@link PrometheusServer}. */
export interface PrometheusServerArgs {
  readonly flags: Flags;
  /** Content of prometheus.yaml; reloaded without a restart. */
  readonly config: object;
  /** Flags of the Thanos sidecar; absent in the single size. */
  readonly sidecarFlags?: Flags;
  /** Size of the volume, a Kubernetes quantity. */
  readonly storageSize: string;
  /** StorageClass of the volume; default: the cluster's. */
  readonly storageClassName?: string;
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
    shard: { readonly shard: number; readonly replica: ReplicaLetter },
    args: PrometheusServerArgs,
    options: pulumi.ComponentResourceOptions = {},
  ) {
    const name = prometheusName(shard.shard, shard.replica);
    super("Prometheus", name, options);
    const part = { component: "prometheus", ...shard } as const;
    const selector = selectorLabels(part);
    const metadata = (objectName: string) => ({
      name: objectName,
      namespace: platform.namespace,
      labels: commonLabels(part, platform.labels),
    });
    const config = new core.ConfigMap(
      name,
      { metadata: withoutWaiting(metadata(name)), data: { [PROMETHEUS_PATHS.file]: toYaml(args.config) } },
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
    const timeout = `${String(args.timeoutMinutes)}m`;
    const statefulSet = new apps.StatefulSet(
      name,
      {
        metadata: metadata(name),
        spec: {
          replicas: 1,
          serviceName: name,
          selector: { matchLabels: selector },
          // With OrderedReady a broken pod keeps a repaired template from rolling out (kubernetes#67250).
          podManagementPolicy: "Parallel",
          updateStrategy: { type: "RollingUpdate" },
          persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
          volumeClaimTemplates: [claimTemplate(args)],
          template: podTemplate(platform, {
            part,
            uid: NOBODY_UID,
            terminationGracePeriodSeconds: GRACE_SECONDS,
            volumes: [{ name: "config", configMap: { name } }, servicesVolume(platform)],
            containers: containers(platform, args),
          }),
        },
      },
      this.child({
        dependsOn: [config, governing],
        protect: args.isProtected,
        customTimeouts: { create: timeout, update: timeout, delete: "20m" },
      }),
    );
    if (args.sidecarFlags !== undefined) {
      const sidecar = sidecarName(shard.shard, shard.replica);
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

/**
 * The claim that holds the samples. Kubernetes and the provider both refuse to change a claim template in place, which
 * is what makes a change of the cluster label a replacement, and a replacement of a protected StatefulSet an error.
 */
function claimTemplate(args: PrometheusServerArgs): types.input.core.v1.PersistentVolumeClaim {
  return {
    metadata: { name: NAMES.claimTemplate, labels: { [`${PROJECT}/cluster-label`]: args.clusterLabel } },
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: args.storageSize } },
      ...(args.storageClassName === undefined ? {} : { storageClassName: args.storageClassName }),
    },
  };
}

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
  const gate = gateContainer(platform);
  if (args.sidecarFlags === undefined) return [prometheus, gate];
  const sidecar = container(platform, {
    name: "sidecar",
    image: platform.images.thanos,
    args: ["sidecar", ...flagList({ ...args.sidecarFlags, "prometheus.url": GATE_UPSTREAM })],
    ports: { grpc: PORTS.thanosGrpc, "thanos-http": PORTS.thanosHttp },
    probes: quickProbes("thanos-http"),
    mounts: {},
    uid: THANOS_UID,
  });
  return [prometheus, gate, sidecar];
}
