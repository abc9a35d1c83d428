import type * as pulumi from "@pulumi/pulumi";
import * as apps from "@pulumi/kubernetes/apps/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import * as disruption from "@pulumi/kubernetes/policy/v1";
import { adapterConfigText, type AdapterConfig } from "../model/adapter-config";
import { leafName, leafPodsName, PORTS, type RULER_SHARD } from "../model/names";
import { Component } from "./kit/component";
import { contentName } from "./kit/content-name";
import { disruptionBudget } from "./kit/disruption";
import { flagList, type Flags } from "./kit/flags";
import { commonLabels, selectorLabels } from "./kit/labels";
import { LEAF_PATHS } from "./kit/paths";
import type { Platform } from "./kit/platform";
import { container, podTemplate, serviceContainer, servicesVolume } from "./kit/pod";
import { quickProbes } from "./kit/probes";
import { NOBODY_UID, THANOS_UID } from "./kit/security";
import { clusterIpSpec, headlessSpec } from "./kit/service";
import { toYaml } from "./kit/yaml";
import { goneAtOnce, withoutWaiting, workloadTimeouts } from "./kit/waiting";

/** Seconds that roots have to notice that an adapter stops, before it does. */
const DRAIN_SECONDS = 5;
/** The leaf goes on a little longer than the adapter takes calls, which need it. */
const LEAF_DRAIN_SECONDS = 10;
/** More than the 120 s that Thanos and the adapter give to queries under way, plus the drain. */
const GRACE_SECONDS = 150;

/** Arguments of {@link Leaf}. */
export interface LeafArgs {
  /** The shard that it answers for, or the Rulers. */
  readonly shard: number | typeof RULER_SHARD;
  readonly replicas: number;
  /** Flags of the leaf Querier. */
  readonly flags: Flags;
  /** Content of its endpoint file: what is behind it. */
  readonly endpoints: object;
  readonly adapter: AdapterConfig;
}

/**
 * What answers the root Queriers for one shard: the push-down adapter, which asks the shard's own Prometheus, and beside
 * it in the same pod the leaf Querier, over the sidecars and the Store Gateway, for what no Prometheus can answer alone.
 * It is there as long as the shard is queried, retired or not.
 */
export class Leaf extends Component {
  constructor(platform: Platform, args: LeafArgs, options: pulumi.ComponentResourceOptions = {}) {
    const name = leafName(args.shard);
    super("Leaf", name, options);
    const part = { component: "leaf", shard: args.shard } as const;
    const selector = selectorLabels(part);
    const metadata = (objectName: string) => ({
      name: objectName,
      namespace: platform.namespace,
      labels: commonLabels(part, platform.labels),
    });
    const files = {
      [LEAF_PATHS.endpoints]: toYaml(args.endpoints),
      [LEAF_PATHS.adapter]: adapterConfigText(args.adapter),
    };
    const mapName = contentName(name, files);
    const config = new core.ConfigMap(
      `${name}-config`,
      { metadata: withoutWaiting(metadata(mapName)), data: files, immutable: true },
      this.child(),
    );
    const deployment = new apps.Deployment(
      name,
      {
        metadata: goneAtOnce(metadata(name)),
        spec: {
          replicas: args.replicas,
          selector: { matchLabels: selector },
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
          template: podTemplate(platform, {
            part,
            uid: THANOS_UID,
            terminationGracePeriodSeconds: GRACE_SECONDS,
            volumes: [{ name: "config", configMap: { name: mapName } }, servicesVolume(platform)],
            containers: [
              serviceContainer(platform, {
                name: "adapter",
                args: [
                  "--config",
                  `${LEAF_PATHS.config}/${LEAF_PATHS.adapter}`,
                  "--listen",
                  `0.0.0.0:${String(PORTS.thanosGrpc)}`,
                  "--ops",
                  `0.0.0.0:${String(PORTS.ops)}`,
                  "--drain-delay-milliseconds",
                  String(DRAIN_SECONDS * 1000),
                ],
                ports: { grpc: PORTS.thanosGrpc, ops: PORTS.ops },
                probes: quickProbes("ops"),
                mounts: { config: LEAF_PATHS.config },
                uid: NOBODY_UID,
              }),
              container(platform, {
                name: "leaf",
                image: platform.images.thanos,
                args: ["query", ...flagList(args.flags)],
                ports: { http: PORTS.thanosHttp },
                probes: quickProbes("http"),
                mounts: { config: LEAF_PATHS.config },
                uid: THANOS_UID,
                drainSeconds: LEAF_DRAIN_SECONDS,
              }),
            ],
          }),
        },
      },
      this.child({ dependsOn: config, customTimeouts: workloadTimeouts(10, GRACE_SECONDS) }),
    );
    new core.Service(
      name,
      {
        metadata: withoutWaiting(metadata(name)),
        spec: clusterIpSpec(selector, [{ name: "grpc", port: PORTS.thanosGrpc, target: "grpc" }]),
      },
      this.child({ dependsOn: deployment }),
    );
    const pods = leafPodsName(args.shard);
    new core.Service(
      pods,
      {
        metadata: withoutWaiting(metadata(pods)),
        spec: headlessSpec(selector, [
          { name: "http", port: PORTS.thanosHttp, target: "http" },
          { name: "ops", port: PORTS.ops, target: "ops" },
        ]),
      },
      this.child(),
    );
    if (args.replicas > 1) {
      new disruption.PodDisruptionBudget(
        name,
        { metadata: withoutWaiting(metadata(name)), spec: disruptionBudget(selector) },
        this.child(),
      );
    }
    this.registerOutputs();
  }
}
