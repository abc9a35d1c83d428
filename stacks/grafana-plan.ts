import type { Dashboard } from "../components/dashboards/dashboard";
import { gatewaysDashboard } from "../components/dashboards/gateways";
import type { DataSourceArgs } from "../components/dashboards/grafana";
import { pipelineDashboard } from "../components/dashboards/pipeline";
import { queryPathDashboard } from "../components/dashboards/query-path";
import type { GrafanaFilesArgs } from "../components/grafana-files";
import { NAMES, PORTS, serviceHost } from "../model/names";
import type { Config } from "./config";

/** What a Grafana can load, or nothing where the config switches that off. */
export function grafanaPlan(config: Config): { readonly grafana?: GrafanaFilesArgs } {
  if (!config.grafana.dashboards) return {};
  return { grafana: { dashboards: dashboardsOf(config), dataSources: dataSources(config) } };
}

/** The dashboards of a stack: those of the pipeline's own metrics only where somebody collects them. */
export function dashboardsOf(config: Config): Dashboard[] {
  const isSharded = config.createThanos;
  const scope = {
    isSharded,
    hasFrontend: isSharded && config.query.frontend.enabled,
    shardLabel: config.push.shardLabel,
  };
  return [
    ...(config.monitoring.enabled ? [pipelineDashboard(), queryPathDashboard(scope)] : []),
    gatewaysDashboard(scope),
  ];
}

function dataSources(config: Config): DataSourceArgs[] {
  const url = (service: string, port: number) =>
    `http://${serviceHost(service, config.namespace.name)}:${String(port)}`;
  const { timeout } = config.query;
  return [
    {
      source: "query",
      name: "Scaled Prometheus",
      url: url(NAMES.query, PORTS.query),
      scrapeInterval: config.push.scrapeInterval,
      timeout,
    },
    ...(config.monitoring.enabled
      ? [
          {
            source: "monitoring" as const,
            name: "Scaled Prometheus itself",
            url: url(NAMES.monitoring, PORTS.gate),
            scrapeInterval: config.monitoring.scrapeInterval,
            timeout,
          },
        ]
      : []),
  ];
}
