import type * as pulumi from "@pulumi/pulumi";
import * as core from "@pulumi/kubernetes/core/v1";
import { NAMES, PORTS } from "../model/names";
import { Component } from "./kit/component";
import { commonLabels, selectorLabels } from "./kit/labels";
import type { Platform } from "./kit/platform";
import { headlessSpec } from "./kit/service";
import { withoutWaiting } from "./kit/waiting";

/**
 * The Service that names every root Querier. A part of its own, because the Rulers ask the roots by it and are updated
 * before them. Sharded sizes only.
 */
export class QuerierPods extends Component {
  constructor(platform: Platform, options: pulumi.ComponentResourceOptions = {}) {
    const name = NAMES.querierPods;
    super("QuerierPods", name, options);
    const part = { component: "querier" } as const;
    new core.Service(
      name,
      {
        metadata: withoutWaiting({
          name,
          namespace: platform.namespace,
          labels: commonLabels(part, platform.labels),
        }),
        spec: headlessSpec(selectorLabels(part), [
          { name: "http", port: PORTS.thanosHttp, target: "http" },
          { name: "ops", port: PORTS.ops, target: "ops" },
        ]),
      },
      this.child(),
    );
    this.registerOutputs();
  }
}
