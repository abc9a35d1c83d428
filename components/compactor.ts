import type * as pulumi from "@pulumi/pulumi";
import * as apps from "@pulumi/kubernetes/apps/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import { NAMES, PORTS } from "../model/names";
import type { ClaimArgs } from "./kit/claim";
import { Component } from "./kit/component";
import { flagList, type Flags } from "./kit/flags";
import { commonLabels, selectorLabels } from "./kit/labels";
import { STORAGE_PATHS } from "./kit/paths";
import type { Platform } from "./kit/platform";
import { container, podTemplate } from "./kit/pod";
import { quickProbes } from "./kit/probes";
import { THANOS_UID } from "./kit/security";
import { headlessSpec } from "./kit/service";
import { statefulSpec } from "./kit/stateful";
import { takenUpAgain, withoutWaiting, workloadTimeouts } from "./kit/waiting";

/** More than Thanos' own 120 s. */
const GRACE_SECONDS = 150;

/** Arguments of {@link Compactor}. There is no number of replicas: two Compactors on one bucket destroy blocks. */
export interface CompactorArgs extends ClaimArgs {
  /** Secret with the object storage configuration. */
  readonly secret: string;
  readonly flags: Flags;
}

/**
 * Merges and deletes blocks in the bucket, and downsamples them where the config asks for it. Exactly one: a StatefulSet
 * never starts a pod while the one of the same name may still run, and the name is fixed.
 */
export class Compactor extends Component {
  constructor(platform: Platform, args: CompactorArgs, options: pulumi.ComponentResourceOptions = {}) {
    const name = NAMES.compactor;
    super("Compactor", name, options);
    const part = { component: "compactor" } as const;
    const selector = selectorLabels(part);
    const metadata = { name, namespace: platform.namespace, labels: commonLabels(part, platform.labels) };
    const governing = new core.Service(
      name,
      {
        metadata: withoutWaiting(metadata),
        spec: headlessSpec(selector, [{ name: "http", port: PORTS.thanosHttp, target: "http" }]),
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
            uid: THANOS_UID,
            terminationGracePeriodSeconds: GRACE_SECONDS,
            volumes: [{ name: "object-storage", secret: { secretName: args.secret } }],
            containers: [
              container(platform, {
                name: "compactor",
                image: platform.images.thanos,
                args: ["compact", ...flagList(args.flags)],
                ports: { http: PORTS.thanosHttp },
                probes: quickProbes("http"),
                mounts: { "object-storage": STORAGE_PATHS.config, [NAMES.claimTemplate]: STORAGE_PATHS.data },
                writable: [NAMES.claimTemplate],
                uid: THANOS_UID,
              }),
            ],
          }),
        }),
      },
      this.child({ dependsOn: governing, customTimeouts: workloadTimeouts(15, GRACE_SECONDS) }),
    );
    this.registerOutputs();
  }
}
