import type * as pulumi from "@pulumi/pulumi";
import * as apps from "@pulumi/kubernetes/apps/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import { NAMES, PORTS, type RULER_SHARD, storeName, storePodsName } from "../model/names";
import type { ClaimArgs } from "./kit/claim";
import { Component } from "./kit/component";
import { flagList, type Flags } from "./kit/flags";
import { commonLabels, selectorLabels } from "./kit/labels";
import { STORAGE_PATHS } from "./kit/paths";
import type { Platform } from "./kit/platform";
import { container, podTemplate } from "./kit/pod";
import { replayingProbes } from "./kit/probes";
import { THANOS_UID } from "./kit/security";
import { clusterIpSpec, headlessSpec } from "./kit/service";
import { statefulSpec } from "./kit/stateful";
import { takenUpAgain, withoutWaiting, workloadTimeouts } from "./kit/waiting";

/** More than Thanos' own 120 s for reads under way. */
const GRACE_SECONDS = 150;

/** Arguments of {@link StoreGateway}. */
export interface StoreGatewayArgs extends ClaimArgs {
  /** The shard whose blocks it serves, or the Rulers. */
  readonly shard: number | typeof RULER_SHARD;
  /** Secret with the object storage configuration. */
  readonly secret: string;
  readonly flags: Flags;
}

/** Serves the blocks that one shard has in the bucket. It is there as long as the shard is queried, retired or not. */
export class StoreGateway extends Component {
  constructor(platform: Platform, args: StoreGatewayArgs, options: pulumi.ComponentResourceOptions = {}) {
    const name = storeName(args.shard);
    super("StoreGateway", name, options);
    const part = { component: "store", shard: args.shard } as const;
    const selector = selectorLabels(part);
    const metadata = (objectName: string) => ({
      name: objectName,
      namespace: platform.namespace,
      labels: commonLabels(part, platform.labels),
    });
    const port = [{ name: "grpc", port: PORTS.thanosGrpc, target: "grpc" }];
    const pods = storePodsName(args.shard);
    const governing = new core.Service(
      pods,
      { metadata: withoutWaiting(metadata(pods)), spec: headlessSpec(selector, port) },
      this.child(),
    );
    const statefulSet = new apps.StatefulSet(
      name,
      {
        metadata: takenUpAgain(metadata(name)),
        spec: statefulSpec({
          serviceName: pods,
          selector,
          claim: args,
          template: podTemplate(platform, {
            part,
            uid: THANOS_UID,
            terminationGracePeriodSeconds: GRACE_SECONDS,
            volumes: [{ name: "object-storage", secret: { secretName: args.secret } }],
            containers: [
              container(platform, {
                name: "store",
                image: platform.images.thanos,
                args: ["store", ...flagList(args.flags)],
                ports: { grpc: PORTS.thanosGrpc, http: PORTS.thanosHttp },
                probes: replayingProbes("http"),
                mounts: { "object-storage": STORAGE_PATHS.config, [NAMES.claimTemplate]: STORAGE_PATHS.data },
                writable: [NAMES.claimTemplate],
                uid: THANOS_UID,
              }),
            ],
          }),
        }),
      },
      this.child({ dependsOn: governing, customTimeouts: workloadTimeouts(70, GRACE_SECONDS) }),
    );
    new core.Service(
      name,
      { metadata: withoutWaiting(metadata(name)), spec: clusterIpSpec(selector, port) },
      this.child({ dependsOn: statefulSet }),
    );
    this.registerOutputs();
  }
}
