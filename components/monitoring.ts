import type * as pulumi from "@pulumi/pulumi";
import type { types } from "@pulumi/kubernetes";
import * as apps from "@pulumi/kubernetes/apps/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import { NAMES, PORTS } from "../model/names";
import type { ClaimArgs } from "./kit/claim";
import { Component } from "./kit/component";
import { flagList, type Flags } from "./kit/flags";
import { gateContainer } from "./kit/gate";
import { commonLabels, selectorLabels, type Part } from "./kit/labels";
import { MONITORING_PATHS } from "./kit/paths";
import type { Platform } from "./kit/platform";
import { container, podTemplate, servicesVolume } from "./kit/pod";
import { replayingProbes } from "./kit/probes";
import { NOBODY_UID } from "./kit/security";
import { headlessSpec } from "./kit/service";
import { toYaml } from "./kit/yaml";
import { statefulSpec } from "./kit/stateful";
import { takenUpAgain, withoutWaiting, workloadTimeouts } from "./kit/waiting";

/** Seconds for writing the head at a stop. It is a small one. */
const GRACE_SECONDS = 120;

/** A headless Service through which every pod of a part is found. */
export interface ScrapeService {
  readonly name: string;
  readonly part: Part;
  /** Container port with the metrics. */
  readonly port: number;
  /** Its name in the pod. */
  readonly target: string;
}

/** Arguments of {@link Monitoring}. */
export interface MonitoringArgs extends ClaimArgs {
  readonly flags: Flags;
  /** Content of prometheus.yaml; reloaded without a restart. */
  readonly config: object;
  /** Content of the alerts' rule file; reloaded with it. */
  readonly alerts: object;
  /** Parts with replicas, which are found by DNS. */
  readonly scrapeServices: readonly ScrapeService[];
}

/**
 * A small Prometheus outside the data path that watches every part: nothing of the pipeline depends on it, so it is not
 * protected, and it needs no right in the cluster.
 */
export class Monitoring extends Component {
  constructor(platform: Platform, args: MonitoringArgs, options: pulumi.ComponentResourceOptions = {}) {
    const name = NAMES.monitoring;
    super("Monitoring", name, options);
    const part = { component: "monitoring" } as const;
    const selector = selectorLabels(part);
    const metadata = { name, namespace: platform.namespace, labels: commonLabels(part, platform.labels) };
    for (const service of args.scrapeServices) {
      new core.Service(
        service.name,
        {
          metadata: withoutWaiting({
            name: service.name,
            namespace: platform.namespace,
            labels: commonLabels(service.part, platform.labels),
          }),
          spec: headlessSpec(selectorLabels(service.part), [
            { name: "metrics", port: service.port, target: service.target },
          ]),
        },
        this.child(),
      );
    }
    const config = new core.ConfigMap(
      name,
      {
        metadata: withoutWaiting(metadata),
        data: { [MONITORING_PATHS.file]: toYaml(args.config), [MONITORING_PATHS.alerts]: toYaml(args.alerts) },
      },
      this.child(),
    );
    const governing = new core.Service(
      name,
      {
        metadata: withoutWaiting(metadata),
        spec: headlessSpec(selector, [{ name: "http", port: PORTS.gate, target: "http" }]),
      },
      this.child(),
    );
    new apps.StatefulSet(
      name,
      {
        metadata: takenUpAgain(metadata),
        spec: statefulSpec({
          serviceName: name,
          selector,
          claim: args,
          template: podTemplate(platform, {
            part,
            uid: NOBODY_UID,
            terminationGracePeriodSeconds: GRACE_SECONDS,
            volumes: [{ name: "config", configMap: { name } }, servicesVolume(platform)],
            containers: [prometheus(platform, args), gateContainer(platform)],
          }),
        }),
      },
      this.child({ dependsOn: [config, governing], customTimeouts: workloadTimeouts(10, GRACE_SECONDS) }),
    );
    this.registerOutputs();
  }
}

function prometheus(platform: Platform, args: MonitoringArgs): types.input.core.v1.Container {
  return container(platform, {
    name: "monitoring",
    image: platform.images.prometheus,
    args: flagList(args.flags),
    ports: {},
    // Asked through the gate, as with the shards' Prometheus.
    probes: replayingProbes(PORTS.gate),
    mounts: { config: MONITORING_PATHS.config, [NAMES.claimTemplate]: MONITORING_PATHS.data },
    writable: [NAMES.claimTemplate],
    uid: NOBODY_UID,
  });
}
