import type * as pulumi from "@pulumi/pulumi";
import * as apps from "@pulumi/kubernetes/apps/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import { hubName, hubScrapeName, PORTS } from "../model/names";
import { Component } from "./kit/component";
import { flagList } from "./kit/flags";
import { commonLabels, selectorLabels } from "./kit/labels";
import type { Platform } from "./kit/platform";
import { container, podTemplate } from "./kit/pod";
import { hubProbes } from "./kit/probes";
import { NOBODY_UID } from "./kit/security";
import { clusterIpSpec, headlessSpec } from "./kit/service";
import { awayFromOther, type PlacedReplica } from "./kit/spread";
import { withoutWaiting, workloadTimeouts } from "./kit/waiting";

/** Arguments of {@link EdgeHub}. */
export interface EdgeHubArgs {
  /** Samples that the hub holds between scrapes. */
  readonly limit: number;
  /**
   * Seconds that a hub which was told to stop goes on serving: the exporters leave it (they open new connections every
   * 5 s), then its Prometheus scrapes it a last time. What it holds is in memory only.
   */
  readonly drainSeconds: number;
}

/** Seconds between the end of the drain and the kill: a scrape under way may end. */
const GRACE_AFTER_DRAIN_SECONDS = 20;

/** prometheus-edge-hub: keeps pushed samples until its one Prometheus scrapes, and thereby empties, it. */
export class EdgeHub extends Component {
  constructor(
    platform: Platform,
    placed: PlacedReplica,
    args: EdgeHubArgs,
    options: pulumi.ComponentResourceOptions = {},
  ) {
    const { shard, replica } = placed;
    const name = hubName(shard, replica);
    super("EdgeHub", name, options);
    const part = { component: "hub", shard, replica } as const;
    const selector = selectorLabels(part);
    const graceSeconds = args.drainSeconds + GRACE_AFTER_DRAIN_SECONDS;
    const metadata = (objectName: string) => ({
      name: objectName,
      namespace: platform.namespace,
      labels: commonLabels(part, platform.labels),
    });
    const port = [{ name: "http", port: PORTS.hub, target: "http" }];
    const scrapeName = hubScrapeName(shard, replica);
    const scrape = new core.Service(
      scrapeName,
      { metadata: withoutWaiting(metadata(scrapeName)), spec: headlessSpec(selector, port) },
      this.child(),
    );
    const deployment = new apps.Deployment(
      name,
      {
        metadata: metadata(name),
        spec: {
          replicas: 1,
          selector: { matchLabels: selector },
          // The new hub takes over before the old one drains, so that an update refuses no push.
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
          template: podTemplate(platform, {
            part,
            uid: NOBODY_UID,
            ...awayFromOther("hub", placed),
            terminationGracePeriodSeconds: graceSeconds,
            volumes: [],
            containers: [
              container(platform, {
                name: "hub",
                image: platform.images.hub,
                // Its log goes to a file in /tmp otherwise, which a read-only root refuses, and it exits.
                args: flagList({ logtostderr: true, port: PORTS.hub, limit: args.limit }),
                ports: { http: PORTS.hub },
                probes: hubProbes("http"),
                mounts: {},
                uid: NOBODY_UID,
                drainSeconds: args.drainSeconds,
              }),
            ],
          }),
        },
      },
      // Deleted in the opposite order: while the hub drains, its Prometheus still finds it.
      this.child({ dependsOn: scrape, customTimeouts: workloadTimeouts(10, graceSeconds) }),
    );
    new core.Service(
      name,
      { metadata: withoutWaiting(metadata(name)), spec: clusterIpSpec(selector, port) },
      this.child({ dependsOn: deployment }),
    );
    this.registerOutputs();
  }
}
