import type * as pulumi from "@pulumi/pulumi";
import * as apps from "@pulumi/kubernetes/apps/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import { NAMES, PORTS } from "../model/names";
import { placementConfigText, type PlacementConfig } from "../model/placement-config";
import type { ClaimArgs } from "./kit/claim";
import { Component } from "./kit/component";
import { contentName } from "./kit/content-name";
import { commonLabels, selectorLabels } from "./kit/labels";
import type { Platform } from "./kit/platform";
import { podTemplate, serviceContainer, servicesVolume } from "./kit/pod";
import { quickProbes } from "./kit/probes";
import { NOBODY_UID } from "./kit/security";
import { headlessSpec } from "./kit/service";
import { statefulSpec } from "./kit/stateful";
import { takenUpAgain, withoutWaiting, workloadTimeouts } from "./kit/waiting";

const PATHS = { config: "/etc/placement", file: "placement.json", data: "/data" } as const;

/** Seconds for a table that is just being sent. */
const GRACE_SECONDS = 10;

/** Arguments of {@link Placement}. */
export interface PlacementArgs extends ClaimArgs {
  readonly config: PlacementConfig;
}

/**
 * Publishes the table that all exporters route by: one writer with a volume of its own. It is not protected: without its
 * volume it takes the table from an exporter.
 */
export class Placement extends Component {
  constructor(platform: Platform, args: PlacementArgs, options: pulumi.ComponentResourceOptions = {}) {
    const name = NAMES.placement;
    super("Placement", name, options);
    const part = { component: "placement" } as const;
    const labels = commonLabels(part, platform.labels);
    const selector = selectorLabels(part);
    const metadata = { name, namespace: platform.namespace, labels };
    const files = { [PATHS.file]: placementConfigText(args.config) };
    // Content-named: the rollout ends when the table of this very ring is there.
    const mapName = contentName(name, files);
    const config = new core.ConfigMap(
      `${name}-config`,
      { metadata: withoutWaiting({ ...metadata, name: mapName }), data: files, immutable: true },
      this.child(),
    );
    const governing = new core.Service(
      name,
      {
        metadata: withoutWaiting(metadata),
        spec: headlessSpec(selector, [
          { name: "table", port: PORTS.table, target: "table" },
          { name: "ops", port: PORTS.ops, target: "ops" },
        ]),
      },
      this.child(),
    );
    const exporters = { component: "exporter" } as const;
    const found = new core.Service(
      NAMES.exporterPods,
      {
        metadata: withoutWaiting({
          name: NAMES.exporterPods,
          namespace: platform.namespace,
          labels: commonLabels(exporters, platform.labels),
        }),
        spec: headlessSpec(selectorLabels(exporters), [{ name: "ops", port: PORTS.ops, target: "ops" }]),
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
            volumes: [{ name: "config", configMap: { name: mapName } }, servicesVolume(platform)],
            containers: [
              serviceContainer(platform, {
                name: "placement",
                args: ["--config", `${PATHS.config}/${PATHS.file}`, "--data", PATHS.data],
                ports: { table: PORTS.table, ops: PORTS.ops },
                probes: quickProbes("ops"),
                mounts: { config: PATHS.config, [NAMES.claimTemplate]: PATHS.data },
                writable: [NAMES.claimTemplate],
                uid: NOBODY_UID,
              }),
            ],
          }),
        }),
      },
      this.child({ dependsOn: [config, governing, found], customTimeouts: workloadTimeouts(10, GRACE_SECONDS) }),
    );
    this.registerOutputs();
  }
}
