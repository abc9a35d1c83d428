import type * as pulumi from "@pulumi/pulumi";
import * as apps from "@pulumi/kubernetes/apps/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import * as disruption from "@pulumi/kubernetes/policy/v1";
import { NAMES, PIPELINE_LABELS, PORTS } from "../model/names";
import type { ClaimArgs } from "./kit/claim";
import { Component } from "./kit/component";
import { disruptionBudget } from "./kit/disruption";
import { flagList, type Flags } from "./kit/flags";
import { commonLabels, selectorLabels } from "./kit/labels";
import { RULER_PATHS, STORAGE_PATHS } from "./kit/paths";
import type { Platform } from "./kit/platform";
import { container, podTemplate, serviceContainer, servicesVolume } from "./kit/pod";
import { quickProbes, replayingProbes } from "./kit/probes";
import { rulesPuller, type RulesPullerArgs } from "./kit/rules-puller";
import { NOBODY_UID, THANOS_UID } from "./kit/security";
import { headlessSpec } from "./kit/service";
import { statefulSpec } from "./kit/stateful";
import { takenUpAgain, withoutWaiting, workloadTimeouts } from "./kit/waiting";
import type { RuleTexts } from "./rules/generate";

/** More than Thanos' own 120 s for requests under way, plus writing the head. */
const GRACE_SECONDS = 300;

/** Arguments of {@link Ruler}. */
export interface RulerArgs extends ClaimArgs {
  /** Rulers that evaluate the same rules side by side; Alertmanager and the Queriers take their results for one. */
  readonly replicas: number;
  readonly flags: Flags;
  /** Labels of everything that it records, without the replica's own. */
  readonly labels: Readonly<Record<string, string>>;
  /** Rule files by name; a change is reloaded without a restart. */
  readonly rules: RuleTexts;
  /** Pulls the rules of prometheus-configmanager; absent without it. */
  readonly puller?: RulesPullerArgs;
  /** Secret with the object storage configuration; absent while nothing is uploaded. */
  readonly storageSecret?: string;
  /** Refuse to delete or replace the StatefulSet. */
  readonly isProtected: boolean;
}

/** Evaluates the tenants' rules and alerts over all shards, through the Queriers. Sharded sizes only. */
export class Ruler extends Component {
  constructor(platform: Platform, args: RulerArgs, options: pulumi.ComponentResourceOptions = {}) {
    const name = NAMES.ruler;
    super("Ruler", name, options);
    const part = { component: "ruler" } as const;
    const labels = commonLabels(part, platform.labels);
    const selector = selectorLabels(part);
    const metadata = (objectName: string) => ({ name: objectName, namespace: platform.namespace, labels });
    const rulesMap = `${name}-rules`;
    const rules = new core.ConfigMap(
      rulesMap,
      {
        metadata: withoutWaiting(metadata(rulesMap)),
        ...(Object.keys(args.rules).length === 0 ? {} : { data: args.rules }),
      },
      this.child(),
    );
    const governing = new core.Service(
      name,
      {
        metadata: withoutWaiting(metadata(name)),
        spec: headlessSpec(selector, [
          { name: "grpc", port: PORTS.thanosGrpc, target: "grpc" },
          { name: "http", port: PORTS.thanosHttp, target: "http" },
        ]),
      },
      this.child(),
    );
    new apps.StatefulSet(
      name,
      {
        metadata: takenUpAgain(metadata(name)),
        spec: statefulSpec({
          replicas: args.replicas,
          serviceName: name,
          selector,
          claim: args,
          template: podTemplate(platform, {
            part,
            uid: THANOS_UID,
            terminationGracePeriodSeconds: GRACE_SECONDS,
            volumes: [
              { name: "rules", configMap: { name: rulesMap } },
              servicesVolume(platform),
              ...(args.storageSecret === undefined
                ? []
                : [{ name: NAMES.objectStorage, secret: { secretName: args.storageSecret } }]),
            ],
            containers: [
              container(platform, {
                name: "ruler",
                image: platform.images.thanos,
                args: ["rule", ...flagList({ ...args.flags, label: labelFlags(args.labels) })],
                env: [{ name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
                ports: { http: PORTS.thanosHttp, grpc: PORTS.thanosGrpc },
                probes: replayingProbes("http"),
                mounts: {
                  rules: RULER_PATHS.rules,
                  [NAMES.claimTemplate]: RULER_PATHS.data,
                  ...(args.storageSecret === undefined ? {} : { [NAMES.objectStorage]: STORAGE_PATHS.config }),
                },
                writable: [NAMES.claimTemplate],
                uid: THANOS_UID,
              }),
              serviceContainer(platform, {
                name: "rules-sync",
                args: [
                  "--watch",
                  RULER_PATHS.rules,
                  "--reload",
                  `http://127.0.0.1:${String(PORTS.thanosHttp)}/-/reload`,
                  "--ops",
                  `0.0.0.0:${String(PORTS.ops)}`,
                ],
                ports: { ops: PORTS.ops },
                probes: quickProbes("ops"),
                mounts: { rules: RULER_PATHS.rules },
                uid: NOBODY_UID,
              }),
              ...(args.puller === undefined ? [] : [rulesPuller(platform, args.puller)]),
            ],
          }),
        }),
      },
      this.child({
        dependsOn: [rules, governing],
        protect: args.isProtected,
        customTimeouts: workloadTimeouts(15, GRACE_SECONDS),
      }),
    );
    if (args.replicas > 1) {
      new disruption.PodDisruptionBudget(
        NAMES.ruler,
        { metadata: withoutWaiting(metadata(NAMES.ruler)), spec: disruptionBudget(selector) },
        this.child(),
      );
    }
    this.registerOutputs();
  }
}

/** Thanos wants the values in quotes. The replica is the pod, which Kubernetes puts in. */
function labelFlags(labels: Readonly<Record<string, string>>): string[] {
  const all = { ...labels, [PIPELINE_LABELS.replica]: "$(POD_NAME)" };
  return Object.entries(all).map(([name, value]) => `${name}="${value}"`);
}
