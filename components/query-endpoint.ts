import type * as pulumi from "@pulumi/pulumi";
import * as core from "@pulumi/kubernetes/core/v1";
import { NAMES, PORTS } from "../model/names";
import { Component } from "./kit/component";
import { commonLabels, selectorLabels, type Part } from "./kit/labels";
import type { Platform } from "./kit/platform";
import { clusterIpSpec } from "./kit/service";
import { withoutWaiting } from "./kit/waiting";

/** Arguments of {@link QueryEndpoint}. */
export interface QueryEndpointArgs {
  /** Who answers: the query frontend, the root Queriers, or the one Prometheus of the single size. All name their HTTP port `http`. */
  readonly answeredBy: Part;
}

/** The Service `query`: where people and programs ask, under the same name in every size. */
export class QueryEndpoint extends Component {
  constructor(platform: Platform, args: QueryEndpointArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("QueryEndpoint", NAMES.query, options);
    new core.Service(
      NAMES.query,
      {
        metadata: withoutWaiting({
          name: NAMES.query,
          namespace: platform.namespace,
          labels: { ...commonLabels({ component: args.answeredBy.component }, platform.labels) },
        }),
        spec: clusterIpSpec(selectorLabels(args.answeredBy), [{ name: "http", port: PORTS.query, target: "http" }]),
      },
      this.child(),
    );
    this.registerOutputs();
  }
}
