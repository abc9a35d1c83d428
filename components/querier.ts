import type * as pulumi from "@pulumi/pulumi";
import * as apps from "@pulumi/kubernetes/apps/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import * as disruption from "@pulumi/kubernetes/policy/v1";
import { NAMES, PORTS } from "../model/names";
import { Component } from "./kit/component";
import { contentName } from "./kit/content-name";
import { disruptionBudget } from "./kit/disruption";
import { flagList, type Flags } from "./kit/flags";
import { commonLabels, selectorLabels } from "./kit/labels";
import { QUERIER_PATHS } from "./kit/paths";
import type { Platform } from "./kit/platform";
import { container, podTemplate } from "./kit/pod";
import { quickProbes } from "./kit/probes";
import { THANOS_UID } from "./kit/security";
import { toYaml } from "./kit/yaml";
import { goneAtOnce, withoutWaiting, workloadTimeouts } from "./kit/waiting";

/** Seconds that clients have to notice that a pod stops, before it does. */
const DRAIN_SECONDS = 5;
/** More than Thanos' own 120 s for queries under way, plus the drain. */
const GRACE_SECONDS = 150;

/** Arguments of {@link Querier}. */
export interface QuerierArgs {
  readonly replicas: number;
  readonly flags: Flags;
  /** Content of the endpoint file: which shards are asked. */
  readonly endpoints: object;
}

/** The root Querier: asks every shard, and answers completely or with an error. Sharded sizes only. */
export class Querier extends Component {
  constructor(platform: Platform, args: QuerierArgs, options: pulumi.ComponentResourceOptions = {}) {
    const name = NAMES.querier;
    super("Querier", name, options);
    const part = { component: "querier" } as const;
    const labels = commonLabels(part, platform.labels);
    const selector = selectorLabels(part);
    const files = { [QUERIER_PATHS.endpoints]: toYaml(args.endpoints) };
    // Content-named: the rollout ends when every Querier has read this very list of shards.
    const mapName = contentName(name, files);
    const endpoints = new core.ConfigMap(
      `${name}-endpoints`,
      {
        metadata: withoutWaiting({ name: mapName, namespace: platform.namespace, labels }),
        data: files,
        immutable: true,
      },
      this.child(),
    );
    new apps.Deployment(
      name,
      {
        metadata: goneAtOnce({ name, namespace: platform.namespace, labels }),
        spec: {
          replicas: args.replicas,
          selector: { matchLabels: selector },
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
          template: podTemplate(platform, {
            part,
            uid: THANOS_UID,
            terminationGracePeriodSeconds: GRACE_SECONDS,
            volumes: [{ name: "config", configMap: { name: mapName } }],
            containers: [
              container(platform, {
                name: "querier",
                image: platform.images.thanos,
                args: ["query", ...flagList(args.flags)],
                ports: { http: PORTS.thanosHttp, grpc: PORTS.thanosGrpc },
                probes: quickProbes("http"),
                mounts: { config: QUERIER_PATHS.config },
                uid: THANOS_UID,
                drainSeconds: DRAIN_SECONDS,
              }),
            ],
          }),
        },
      },
      this.child({ dependsOn: endpoints, customTimeouts: workloadTimeouts(10, GRACE_SECONDS) }),
    );
    if (args.replicas > 1) {
      new disruption.PodDisruptionBudget(
        name,
        { metadata: withoutWaiting({ name, namespace: platform.namespace, labels }), spec: disruptionBudget(selector) },
        this.child(),
      );
    }
    this.registerOutputs();
  }
}
