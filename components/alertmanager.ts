import * as pulumi from "@pulumi/pulumi";
import * as apps from "@pulumi/kubernetes/apps/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import { NAMES, PORTS } from "../model/names";
import { Component } from "./kit/component";
import { flagList } from "./kit/flags";
import { commonLabels, selectorLabels } from "./kit/labels";
import type { Platform } from "./kit/platform";
import { container, podTemplate, serviceContainer, servicesVolume } from "./kit/pod";
import { quickProbes } from "./kit/probes";
import { NOBODY_UID } from "./kit/security";
import { headlessSpec } from "./kit/service";
import { toYaml } from "./kit/yaml";
import { takenUpAgain, withoutWaiting, workloadTimeouts } from "./kit/waiting";

const PATHS = { config: "/etc/alertmanager", file: "alertmanager.yaml", data: "/alertmanager" } as const;

/** Seconds for writing silences and notifications at a stop. */
const GRACE_SECONDS = 60;

/** Arguments of {@link Alertmanager}. */
export interface AlertmanagerArgs {
  /** Content of alertmanager.yaml; a change is reloaded without a restart. It may hold secrets. */
  readonly config: object;
  /** Size of the volume with silences and the notification log, a Kubernetes quantity. */
  readonly storageSize: string;
  /** StorageClass of the volume; default: the cluster's. */
  readonly storageClassName?: string;
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
    const config = new core.Secret(
      name,
      { metadata: withoutWaiting(metadata), type: "Opaque", data: { [PATHS.file]: pulumi.secret(content) } },
      this.child(),
    );
    const governing = new core.Service(
      name,
      {
        metadata: withoutWaiting(metadata),
        spec: headlessSpec(selector, [{ name: "http", port: PORTS.alertmanager, target: "http" }]),
      },
      this.child(),
    );
    new apps.StatefulSet(
      name,
      {
        metadata: takenUpAgain(metadata),
        spec: {
          replicas: 1,
          serviceName: name,
          selector: { matchLabels: selector },
          podManagementPolicy: "Parallel",
          updateStrategy: { type: "RollingUpdate" },
          persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
          volumeClaimTemplates: [
            {
              metadata: { name: NAMES.claimTemplate },
              spec: {
                accessModes: ["ReadWriteOnce"],
                resources: { requests: { storage: args.storageSize } },
                ...(args.storageClassName === undefined ? {} : { storageClassName: args.storageClassName }),
              },
            },
          ],
          template: podTemplate(platform, {
            part,
            uid: NOBODY_UID,
            terminationGracePeriodSeconds: GRACE_SECONDS,
            volumes: [{ name: "config", secret: { secretName: name } }, servicesVolume(platform)],
            containers: [
              container(platform, {
                name: "alertmanager",
                image: platform.images.alertmanager,
                args: flagList({
                  // Empty: no gossip, because there is one replica.
                  "cluster.listen-address": "",
                  "config.file": `${PATHS.config}/${PATHS.file}`,
                  "storage.path": PATHS.data,
                  "web.listen-address": `:${String(PORTS.alertmanager)}`,
                }),
                ports: { http: PORTS.alertmanager },
                probes: quickProbes("http"),
                mounts: { config: PATHS.config, [NAMES.claimTemplate]: PATHS.data },
                writable: [NAMES.claimTemplate],
                uid: NOBODY_UID,
              }),
              serviceContainer(platform, {
                name: "rules-sync",
                args: [
                  "--watch",
                  PATHS.config,
                  "--reload",
                  `http://127.0.0.1:${String(PORTS.alertmanager)}/-/reload`,
                  "--ops",
                  `0.0.0.0:${String(PORTS.ops)}`,
                ],
                ports: { ops: PORTS.ops },
                probes: quickProbes("ops"),
                mounts: { config: PATHS.config },
                uid: NOBODY_UID,
              }),
            ],
          }),
        },
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
