import type * as pulumi from "@pulumi/pulumi";
import * as apps from "@pulumi/kubernetes/apps/v1";
import * as disruption from "@pulumi/kubernetes/policy/v1";
import { NAMES, PORTS } from "../model/names";
import { Component } from "./kit/component";
import { disruptionBudget } from "./kit/disruption";
import { flagList, type Flags } from "./kit/flags";
import { commonLabels, selectorLabels } from "./kit/labels";
import type { Platform } from "./kit/platform";
import { container, podTemplate } from "./kit/pod";
import { quickProbes } from "./kit/probes";
import { THANOS_UID } from "./kit/security";
import { goneAtOnce, withoutWaiting, workloadTimeouts } from "./kit/waiting";

/** Seconds that clients have to notice that a pod stops, before it does. */
const DRAIN_SECONDS = 5;
/** More than Thanos' own 120 s for queries under way, plus the drain. */
const GRACE_SECONDS = 150;

/** Arguments of {@link QueryFrontend}. */
export interface QueryFrontendArgs {
  readonly replicas: number;
  readonly flags: Flags;
}

/** Splits and caches queries before the root Queriers. It keeps nothing: without it the same queries are only slower. */
export class QueryFrontend extends Component {
  constructor(platform: Platform, args: QueryFrontendArgs, options: pulumi.ComponentResourceOptions = {}) {
    const name = NAMES.queryFrontend;
    super("QueryFrontend", name, options);
    const part = { component: "query-frontend" } as const;
    const metadata = { name, namespace: platform.namespace, labels: commonLabels(part, platform.labels) };
    const selector = selectorLabels(part);
    new apps.Deployment(
      name,
      {
        metadata: goneAtOnce(metadata),
        spec: {
          replicas: args.replicas,
          selector: { matchLabels: selector },
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
          template: podTemplate(platform, {
            part,
            uid: THANOS_UID,
            terminationGracePeriodSeconds: GRACE_SECONDS,
            volumes: [],
            containers: [
              container(platform, {
                name: "query-frontend",
                image: platform.images.thanos,
                args: ["query-frontend", ...flagList(args.flags)],
                ports: { http: PORTS.thanosHttp },
                probes: quickProbes("http"),
                mounts: {},
                uid: THANOS_UID,
                drainSeconds: DRAIN_SECONDS,
              }),
            ],
          }),
        },
      },
      this.child({ customTimeouts: workloadTimeouts(10, GRACE_SECONDS) }),
    );
    if (args.replicas > 1) {
      new disruption.PodDisruptionBudget(
        name,
        { metadata: withoutWaiting(metadata), spec: disruptionBudget(selector) },
        this.child(),
      );
    }
    this.registerOutputs();
  }
}
