import * as pulumi from "@pulumi/pulumi";
import * as apps from "@pulumi/kubernetes/apps/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import { NAMES, PORTS } from "../model/names";
import { alertmanagerConfigurerContainer, seedContainer } from "./kit/alertmanager-configurer";
import type { ClaimArgs } from "./kit/claim";
import { Component } from "./kit/component";
import { flagList, type Flags } from "./kit/flags";
import { commonLabels, selectorLabels } from "./kit/labels";
import { ALERTMANAGER_PATHS as PATHS } from "./kit/paths";
import type { Platform } from "./kit/platform";
import { container, podTemplate, serviceContainer, servicesVolume } from "./kit/pod";
import { quickProbes } from "./kit/probes";
import { NOBODY_UID } from "./kit/security";
import { headlessSpec } from "./kit/service";
import { toYaml } from "./kit/yaml";
import { statefulSpec } from "./kit/stateful";
import { takenUpAgain, withoutWaiting, workloadTimeouts } from "./kit/waiting";

/** Seconds for writing silences and notifications at a stop. */
const GRACE_SECONDS = 60;

/** Arguments of {@link Alertmanager}. */
export interface AlertmanagerArgs extends ClaimArgs {
  /** Content of alertmanager.yaml; a change is reloaded without a restart. It may hold secrets. */
  readonly config: object;
  /**
   * Flags of alertmanager-configurer, which then owns the configuration on the volume: `config` is only what it starts
   * as, and a later change of it does nothing (stacks/ refuses it). Absent without prometheus-configmanager.
   */
  readonly configurerFlags?: Flags;
  /** Refuse to delete or replace the StatefulSet. */
  readonly isProtected: boolean;
}

/** The one Alertmanager, without peers. */
export class Alertmanager extends Component {
  constructor(platform: Platform, args: AlertmanagerArgs, options: pulumi.ComponentResourceOptions = {}) {
    const name = NAMES.alertmanager;
    super("Alertmanager", name, options);
    const part = { component: "alertmanager" } as const;
    const metadata = { name, namespace: platform.namespace, labels: commonLabels(part, platform.labels) };
    const selector = selectorLabels(part);
    const content = Buffer.from(toYaml(args.config)).toString("base64");
    const { configurerFlags } = args;
    const secretName = configurerFlags === undefined ? name : NAMES.alertmanagerSeed;
    const config = new core.Secret(
      secretName,
      {
        metadata: withoutWaiting({ ...metadata, name: secretName }),
        type: "Opaque",
        data: { [PATHS.file]: pulumi.secret(content) },
      },
      this.child(),
    );
    // Where Alertmanager reads it, and what rules-sync watches: the Secret, or what alertmanager-configurer writes.
    const [folder, file] =
      configurerFlags === undefined ? [PATHS.config, PATHS.file] : [PATHS.managed, PATHS.managedFile];
    const [volume, mountPath] =
      configurerFlags === undefined ? ["config", PATHS.config] : [NAMES.claimTemplate, PATHS.data];
    const governing = new core.Service(
      name,
      {
        metadata: withoutWaiting(metadata),
        spec: headlessSpec(selector, [
          { name: "http", port: PORTS.alertmanager, target: "http" },
          ...(configurerFlags === undefined
            ? []
            : [{ name: "configurer", port: PORTS.alertmanagerConfigurer, target: "configurer" }]),
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
            volumes: [{ name: "config", secret: { secretName } }, servicesVolume(platform)],
            initContainers: configurerFlags === undefined ? [] : [seedContainer(platform)],
            containers: [
              container(platform, {
                name: "alertmanager",
                image: platform.images.alertmanager,
                args: flagList({
                  // Empty: no gossip, because there is one replica.
                  "cluster.listen-address": "",
                  "config.file": `${folder}/${file}`,
                  "storage.path": PATHS.data,
                  "web.listen-address": `:${String(PORTS.alertmanager)}`,
                }),
                ports: { http: PORTS.alertmanager },
                probes: quickProbes("http"),
                mounts: {
                  ...(configurerFlags === undefined ? { config: PATHS.config } : {}),
                  [NAMES.claimTemplate]: PATHS.data,
                },
                writable: [NAMES.claimTemplate],
                uid: NOBODY_UID,
              }),
              serviceContainer(platform, {
                name: "rules-sync",
                args: [
                  "--watch",
                  folder,
                  "--reload",
                  `http://127.0.0.1:${String(PORTS.alertmanager)}/-/reload`,
                  "--ops",
                  `0.0.0.0:${String(PORTS.ops)}`,
                ],
                ports: { ops: PORTS.ops },
                probes: quickProbes("ops"),
                mounts: { [volume]: mountPath },
                uid: NOBODY_UID,
              }),
              ...(configurerFlags === undefined ? [] : [alertmanagerConfigurerContainer(platform, configurerFlags)]),
            ],
          }),
        }),
      },
      this.child({
        dependsOn: [config, governing],
        protect: args.isProtected,
        customTimeouts: workloadTimeouts(10, GRACE_SECONDS),
      }),
    );
    this.registerOutputs();
  }
}
