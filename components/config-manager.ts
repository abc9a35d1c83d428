import type * as pulumi from "@pulumi/pulumi";
import type { types } from "@pulumi/kubernetes";
import * as apps from "@pulumi/kubernetes/apps/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import { NAMES, PORTS } from "../model/names";
import type { ClaimArgs } from "./kit/claim";
import { Component } from "./kit/component";
import { flagList, type Flags } from "./kit/flags";
import { commonLabels, selectorLabels } from "./kit/labels";
import { CONFIG_MANAGER_PATHS } from "./kit/paths";
import type { Platform } from "./kit/platform";
import { container, podTemplate, serviceContainer, servicesVolume } from "./kit/pod";
import { quickProbes, rootProbes } from "./kit/probes";
import { NOBODY_UID } from "./kit/security";
import { headlessSpec } from "./kit/service";
import { statefulSpec } from "./kit/stateful";
import { takenUpAgain, withoutWaiting, workloadTimeouts } from "./kit/waiting";

/** Seconds for a request under way: it ends when all who evaluate the rules have taken them, 25 s at most. */
const GRACE_SECONDS = 30;

/** Arguments of {@link ConfigManager}. */
export interface ConfigManagerArgs extends ClaimArgs {
  /** Flags of prometheus-configmanager's rule configurer. */
  readonly flags: Flags;
  /** Pods that evaluate the rules: a change is acknowledged when all of them have taken it. */
  readonly consumers: readonly string[];
  /** Refuse to delete or replace the StatefulSet. */
  readonly isProtected: boolean;
}

/**
 * prometheus-configmanager's API for rules, in a pod of its own in every size. One replica, and never two during an
 * update: it locks its files inside the process only.
 */
export class ConfigManager extends Component {
  constructor(platform: Platform, args: ConfigManagerArgs, options: pulumi.ComponentResourceOptions = {}) {
    const name = NAMES.configManager;
    super("ConfigManager", name, options);
    const part = { component: "configmanager" } as const;
    const metadata = { name, namespace: platform.namespace, labels: commonLabels(part, platform.labels) };
    const selector = selectorLabels(part);
    const governing = new core.Service(
      name,
      {
        metadata: withoutWaiting(metadata),
        spec: headlessSpec(selector, [
          { name: "http", port: PORTS.configManager, target: "http" },
          { name: "rules", port: PORTS.managedRules, target: "rules" },
        ]),
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
            volumes: [servicesVolume(platform)],
            containers: [configurer(platform, args.flags), rulesServer(platform, args.consumers)],
          }),
        }),
      },
      this.child({
        dependsOn: governing,
        protect: args.isProtected,
        customTimeouts: workloadTimeouts(10, GRACE_SECONDS),
      }),
    );
    this.registerOutputs();
  }
}

function configurer(platform: Platform, flags: Flags): types.input.core.v1.Container {
  return container(platform, {
    name: "configmanager",
    image: platform.images.prometheusConfigurer,
    args: flagList(flags),
    ports: { http: PORTS.configManager },
    probes: rootProbes("http"),
    // The volume's own folder: one that it has to make itself gets no x bit and can't be read.
    mounts: { [NAMES.claimTemplate]: CONFIG_MANAGER_PATHS.rules },
    writable: [NAMES.claimTemplate],
    uid: NOBODY_UID,
  });
}

/** Hands the files to those who evaluate them, and stands in for the one Prometheus that the configurer knows of. */
function rulesServer(platform: Platform, consumers: readonly string[]): types.input.core.v1.Container {
  return serviceContainer(platform, {
    name: "rules-sync",
    containerName: "rules-server",
    args: [
      "--rules",
      CONFIG_MANAGER_PATHS.rules,
      "--consumers",
      consumers.join(","),
      "--listen",
      `0.0.0.0:${String(PORTS.managedRules)}`,
      "--reload",
      `127.0.0.1:${String(PORTS.managedReload)}`,
      "--ops",
      `0.0.0.0:${String(PORTS.ops)}`,
    ],
    ports: { rules: PORTS.managedRules, ops: PORTS.ops },
    probes: quickProbes("ops"),
    mounts: { [NAMES.claimTemplate]: CONFIG_MANAGER_PATHS.rules },
    uid: NOBODY_UID,
  });
}
