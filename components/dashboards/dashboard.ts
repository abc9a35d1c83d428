/** Where a panel's data is: with the tenants' (Service `query`), or with the pipeline's own (Service `monitoring`). */
export type DataSource = "query" | "monitoring";

/** Grafana's names of the units that are used here. */
export type Unit = "short" | "percentunit" | "s" | "bytes" | "Bps" | "reqps" | "cps";

/** One expression of a panel. */
export interface Query {
  readonly expr: string;
  /** Name of its series, with `{{label}}` for a label's value. */
  readonly legend: string;
}

/** One panel. */
export interface Panel {
  readonly title: string;
  /** What to conclude from it. */
  readonly description: string;
  /** graph: over time. number: the value now. table: all values now. */
  readonly kind: "graph" | "number" | "table";
  readonly unit: Unit;
  readonly queries: readonly Query[];
}

/** Panels below one headline. */
export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** One dashboard: plain data, from which the ConfigMap, the tests and the end-to-end check are made. */
export interface Dashboard {
  /** Also part of the ConfigMap's name: a DNS label. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly source: DataSource;
  /** How often an open dashboard asks again. */
  readonly refresh: string;
  readonly rows: readonly Row[];
}

/** An expression with where it stands. */
export interface PanelExpression {
  readonly dashboard: string;
  readonly panel: string;
  readonly source: DataSource;
  readonly expr: string;
}

/** Every expression of some dashboards. */
export function expressionsOf(dashboards: readonly Dashboard[]): PanelExpression[] {
  return dashboards.flatMap(({ name, source, rows }) =>
    rows.flatMap(({ panels }) =>
      panels.flatMap((panel) =>
        panel.queries.map(({ expr }) => ({ dashboard: name, panel: panel.title, source, expr })),
      ),
    ),
  );
}
