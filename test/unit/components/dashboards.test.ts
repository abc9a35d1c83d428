import { describe, expect, test } from "vitest";
import { expressionsOf } from "../../../components/dashboards/dashboard";
import { dashboardJson, dataSourcesFile } from "../../../components/dashboards/grafana";
import { toYaml } from "../../../components/kit/yaml";
import { parseConfig } from "../../../stacks/config";
import { dashboardsOf, grafanaPlan } from "../../../stacks/grafana-plan";
import { promtool, promtoolErrors } from "../promtool";

const SIZES = [
  ["single", {}],
  ["sharded", { createThanos: true, serversCount: 3, push: { shardLabel: "site" } }],
] as const;

interface PanelJson {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly legendFormat: string }[];
}

interface DashboardText {
  readonly uid: string;
  readonly panels: readonly PanelJson[];
}

describe.each(SIZES)("dashboards, %s", (size, raw) => {
  const config = parseConfig(raw);
  const dashboards = dashboardsOf(config);
  const texts = dashboards.map((dashboard) => dashboardJson(dashboard) as DashboardText);

  test("are pipeline, query path and gateways", () => {
    expect(dashboards.map(({ name }) => name)).toStrictEqual(["pipeline", "query-path", "gateways"]);
  });

  test("refer to data sources that exist", () => {
    const sources = dataSourcesFile(grafanaPlan(config).grafana?.dataSources ?? []) as {
      datasources: { uid: string; url: string }[];
    };
    expect(sources.datasources.map(({ uid, url }) => [uid, url])).toStrictEqual([
      ["scaled-prometheus", "http://query.scaled-prometheus.svc:9090"],
      ["scaled-prometheus-monitoring", "http://monitoring.scaled-prometheus.svc:9090"],
    ]);
    const used = new Set(texts.flatMap(({ panels }) => panels.flatMap(({ datasource }) => datasource?.uid ?? [])));
    expect([...used].sort()).toStrictEqual(sources.datasources.map(({ uid }) => uid).sort());
  });

  test("have panels that don't overlap, with names, texts and expressions of their own", () => {
    for (const { uid, panels } of texts) {
      expect(new Set(panels.map(({ id }) => id)).size, uid).toBe(panels.length);
      for (const [index, { title, type, gridPos, targets = [], description }] of panels.entries()) {
        expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
        for (const other of panels.slice(index + 1)) {
          const isBeside = gridPos.x + gridPos.w <= other.gridPos.x || other.gridPos.x + other.gridPos.w <= gridPos.x;
          const isAbove = gridPos.y + gridPos.h <= other.gridPos.y || other.gridPos.y + other.gridPos.h <= gridPos.y;
          expect(isBeside || isAbove, `${uid}: ${title} and ${other.title}`).toBe(true);
        }
        if (type === "row") continue;
        expect(targets.length, title).toBeGreaterThan(0);
        expect(description, title).toMatch(/\.$/);
        expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
      }
    }
  });

  test("name only parts that this size has", () => {
    const text = JSON.stringify(texts);
    expect(/thanos|querier|sidecar/i.test(text)).toBe(size === "sharded");
    expect(text.includes("gatewayID")).toBe(size === "single");
  });

  test.skipIf(promtool === undefined)("every expression is valid, and none stands twice in a panel", () => {
    const expressions = expressionsOf(dashboards);
    expect(expressions.length).toBeGreaterThan(25);
    const rules = expressions.map(({ expr }, index) => ({ record: `panel:${String(index)}`, expr }));
    const file = toYaml({ groups: [{ name: "panels", rules }] });
    expect(promtoolErrors(["check", "rules", "panels.yaml"], { "panels.yaml": file })).toBe("");
    expect(new Set(expressions.map((each) => JSON.stringify(each))).size).toBe(expressions.length);
  });
});

test("without monitoring only what the tenants' data show is left", () => {
  const plan = grafanaPlan(parseConfig({ monitoring: { enabled: false } })).grafana;
  expect(plan?.dashboards.map(({ name }) => name)).toStrictEqual(["gateways"]);
  expect(plan?.dataSources.map(({ source }) => source)).toStrictEqual(["query"]);
});

test("grafana.dashboards: false leaves out all of it", () => {
  expect(grafanaPlan(parseConfig({ grafana: { dashboards: false } }))).toStrictEqual({});
});
