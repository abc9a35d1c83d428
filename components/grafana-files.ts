import type * as pulumi from "@pulumi/pulumi";
import * as core from "@pulumi/kubernetes/core/v1";
import { dashboardMapName, NAMES } from "../model/names";
import type { Dashboard } from "./dashboards/dashboard";
import { dashboardJson, dataSourcesFile, type DataSourceArgs } from "./dashboards/grafana";
import { Component } from "./kit/component";
import { ownLabels } from "./kit/labels";
import type { Platform } from "./kit/platform";
import { toYaml } from "./kit/yaml";
import { withoutWaiting } from "./kit/waiting";

/** Labels by which the sidecar of Grafana's chart finds what it loads. */
const FOUND_BY = { dashboard: { grafana_dashboard: "1" }, dataSource: { grafana_datasource: "1" } } as const;

/** Arguments of {@link GrafanaFiles}. */
export interface GrafanaFilesArgs {
  readonly dashboards: readonly Dashboard[];
  readonly dataSources: readonly DataSourceArgs[];
}

/** Dashboards and data sources for a Grafana that watches the namespace; the Grafana itself is somebody else's. */
export class GrafanaFiles extends Component {
  constructor(platform: Platform, args: GrafanaFilesArgs, options: pulumi.ComponentResourceOptions = {}) {
    super("GrafanaFiles", "grafana", options);
    const map = (name: string, labels: Readonly<Record<string, string>>, data: Readonly<Record<string, string>>) =>
      new core.ConfigMap(
        name,
        {
          metadata: withoutWaiting({
            name,
            namespace: platform.namespace,
            labels: { ...platform.labels, ...ownLabels(), ...labels },
          }),
          data,
        },
        this.child(),
      );
    map(NAMES.datasources, FOUND_BY.dataSource, { "datasources.yaml": toYaml(dataSourcesFile(args.dataSources)) });
    for (const dashboard of args.dashboards) {
      map(dashboardMapName(dashboard.name), FOUND_BY.dashboard, {
        [`${dashboard.name}.json`]: `${JSON.stringify(dashboardJson(dashboard), null, 2)}\n`,
      });
    }
    this.registerOutputs();
  }
}
