import { PROJECT } from "../../model/names";
import type { Dashboard, DataSource, Panel } from "./dashboard";

/** Version of the dashboard format, that of Grafana 10.4 on; newer ones read it. */
const SCHEMA_VERSION = 39;

/** Width of a dashboard in Grafana's units. */
const COLUMNS = 24;

/** Grafana's type, width and height of each kind of panel. */
const SHAPES = {
  graph: { type: "timeseries", width: 12, height: 8 },
  number: { type: "stat", width: 6, height: 4 },
  table: { type: "table", width: 12, height: 8 },
} as const;

/** Names by which dashboards refer to data sources. */
const SOURCE_UIDS: Readonly<Record<DataSource, string>> = {
  query: PROJECT,
  monitoring: `${PROJECT}-monitoring`,
};

/** A Prometheus that Grafana asks. */
export interface DataSourceArgs {
  readonly source: DataSource;
  readonly name: string;
  /** Inside the cluster. */
  readonly url: string;
  /** How often it has new samples, in Prometheus' notation. */
  readonly scrapeInterval: string;
  /** Longest that a query may take, in Prometheus' notation. */
  readonly timeout: string;
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

function panelJson(panel: Panel, id: number, place: Place, source: DataSource): object {
  const datasource = { type: "prometheus", uid: SOURCE_UIDS[source] };
  const isInstant = panel.kind !== "graph";
  return {
    id,
    type: SHAPES[panel.kind].type,
    title: panel.title,
    description: panel.description,
    datasource,
    gridPos: place,
    fieldConfig: { defaults: { unit: panel.unit, min: 0 }, overrides: [] },
    options:
      panel.kind === "graph"
        ? { legend: { displayMode: "list", placement: "bottom" }, tooltip: { mode: "multi", sort: "desc" } }
        : {},
    targets: panel.queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode("A".charCodeAt(0) + index),
      datasource,
      expr,
      legendFormat: legend,
      ...(isInstant ? { instant: true, range: false } : { instant: false, range: true }),
      ...(panel.kind === "table" ? { format: "table" } : {}),
    })),
  };
}

/** The dashboard in Grafana's format: rows from top to bottom, panels from left to right as far as they fit. */
export function dashboardJson(dashboard: Dashboard): object {
  const panels: object[] = [];
  let top = 0;
  for (const row of dashboard.rows) {
    panels.push({
      id: panels.length + 1,
      type: "row",
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y: top, w: COLUMNS, h: 1 },
      panels: [],
    });
    top += 1;
    let [left, lineHeight] = [0, 0];
    for (const panel of row.panels) {
      const { width: w, height: h } = SHAPES[panel.kind];
      if (left + w > COLUMNS) {
        top += lineHeight;
        [left, lineHeight] = [0, 0];
      }
      panels.push(panelJson(panel, panels.length + 1, { x: left, y: top, w, h }, dashboard.source));
      left += w;
      lineHeight = Math.max(lineHeight, h);
    }
    top += lineHeight;
  }
  return {
    uid: `${PROJECT}-${dashboard.name}`,
    title: dashboard.title,
    description: dashboard.description,
    tags: [PROJECT],
    schemaVersion: SCHEMA_VERSION,
    editable: false,
    graphTooltip: 1,
    refresh: dashboard.refresh,
    time: { from: "now-3h", to: "now" },
    timezone: "browser",
    templating: { list: [] },
    annotations: { list: [] },
    panels,
  };
}

/** Content of a provisioning file with data sources, https://grafana.com/docs/grafana/latest/administration/provisioning/. */
export function dataSourcesFile(sources: readonly DataSourceArgs[]): object {
  return {
    apiVersion: 1,
    datasources: sources.map(({ source, name, url, scrapeInterval, timeout }) => ({
      uid: SOURCE_UIDS[source],
      name,
      type: "prometheus",
      access: "proxy",
      url,
      isDefault: source === "query",
      editable: false,
      jsonData: { httpMethod: "POST", timeInterval: scrapeInterval, queryTimeout: timeout },
    })),
  };
}
