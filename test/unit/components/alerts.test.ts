import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Alert, AlertScope } from "../../../components/alerts/alert";
import { alertFile, alertsByGroup, type AlertFile } from "../../../components/alerts/groups";
import { toYaml } from "../../../components/kit/yaml";
import { promtool, promtoolErrors } from "../promtool";
import { SCOPE, type AlertCase } from "./alert-cases/alert-case";
import { AVAILABILITY_CASES } from "./alert-cases/availability";
import { PLACEMENT_CASES } from "./alert-cases/placement";
import { QUERY_PATH_CASES } from "./alert-cases/query-path";
import { STORAGE_CASES } from "./alert-cases/storage";
import { WRITE_PATH_CASES } from "./alert-cases/write-path";

const RUNBOOKS = join(__dirname, "..", "..", "..", "docs", "runbooks");
/** Every alert with situations in which it fires and in which it does not. */
const ALERT_CASES: readonly AlertCase[] = [
  ...AVAILABILITY_CASES,
  ...WRITE_PATH_CASES,
  ...PLACEMENT_CASES,
  ...QUERY_PATH_CASES,
  ...STORAGE_CASES,
];

const SECTIONS = ["## Meaning", "## Impact", "## What to look at", "## How to fix it"];

function alertsOf(scope: AlertScope): Alert[] {
  return Object.values(alertsByGroup(scope)).flat();
}

const NAMES = [...new Set(alertsOf(SCOPE).map(({ name }) => name))].sort();

function severityOf(name: string): string {
  return alertsOf(SCOPE).find((alert) => alert.name === name)?.severity ?? "";
}

function braces(labels: Readonly<Record<string, string>>): string {
  return `{${Object.entries(labels)
    .map(([name, value]) => `${name}="${value}"`)
    .join(",")}}`;
}

/** A file for `promtool test rules`: which ALERTS of the case's alert fire under the rules of another file. */
function promtoolTest(each: AlertCase, rules: string): object {
  const own = { alertname: each.alert, alertstate: "firing", severity: severityOf(each.alert), part: each.part ?? "" };
  return {
    rule_files: [rules],
    evaluation_interval: "1m",
    tests: [
      {
        interval: "1m",
        input_series: Object.entries(each.series).map(([series, values]) => ({ series, values })),
        promql_expr_test: [
          {
            expr: `ALERTS{alertname="${each.alert}",alertstate="firing"}`,
            eval_time: `${String(each.minute)}m`,
            exp_samples: each.fires.map((labels) => ({ labels: `ALERTS${braces({ ...own, ...labels })}`, value: 1 })),
          },
        ],
      },
    ],
  };
}

/** The rule file with one alert: promtool evaluates every rule at every minute of a case, and no alert uses another. */
function onlyAlert(name: string): AlertFile {
  const groups = alertFile(SCOPE).groups.map((group) => ({
    ...group,
    rules: group.rules.filter((rule) => (rule as { alert: string }).alert === name),
  }));
  return { groups: groups.filter(({ rules }) => rules.length > 0) };
}

describe("every alert", () => {
  test.each(NAMES)("%s has a situation in which it fires, and one in which it does not", (name) => {
    const cases = ALERT_CASES.filter(({ alert }) => alert === name);
    expect(cases.some(({ fires }) => fires.length > 0)).toBe(true);
    expect(cases.some(({ fires }) => fires.length === 0)).toBe(true);
  });

  test("uses no other: each can be tested alone", () => {
    for (const { name, expr } of alertsOf(SCOPE)) expect(expr, name).not.toMatch(/\bALERTS(_FOR_STATE)?\b/);
  });

  test.each(NAMES)("%s has a runbook page with all its sections", (name) => {
    const path = join(RUNBOOKS, `${name}.md`);
    expect(existsSync(path)).toBe(true);
    const text = readFileSync(path, "utf8");
    expect(text.startsWith(`# ${name}\n`)).toBe(true);
    expect(SECTIONS.filter((section) => !text.includes(`\n${section}\n`))).toStrictEqual([]);
  });

  test("there is no page without an alert", () => {
    const pages = readdirSync(RUNBOOKS).filter((file) => file !== "README.md");
    expect(pages.sort()).toStrictEqual(NAMES.map((name) => `${name}.md`));
  });

  test("names its page, and says who has to look how soon", () => {
    const rules = alertFile({ ...SCOPE, runbooks: "https://example.org/runbooks" }).groups.flatMap(
      ({ rules: list }) => list,
    ) as { alert: string; annotations: { runbook_url: string }; labels: { severity: string; part: string } }[];
    for (const { alert, annotations, labels } of rules) {
      expect(annotations.runbook_url).toBe(`https://example.org/runbooks/${alert}.md`);
      expect(["critical", "warning"]).toContain(labels.severity);
      expect(labels.part).not.toBe("");
    }
  });
});

describe("alerts know the stack", () => {
  const named = (scope: AlertScope) => new Set(alertsOf(scope).map(({ name }) => name));
  const expression = (scope: AlertScope, name: string) => alertsOf(scope).find((alert) => alert.name === name)?.expr;

  test("the number of shards and pods is in the expressions", () => {
    const deployed = [0, 1, 2, 3, 7].map((shard) => ({ shard, replica: "a" }));
    const scope = {
      ...SCOPE,
      deployed,
      endpoints: 5,
      ringShards: 4,
      replicas: { exporter: 3, querier: 2, alertmanager: 1 },
    };
    expect(expression(scope, "EndpointsMissing")).toMatch(/ < 5$/);
    expect(expression(scope, "RingDisagreement")).toContain("exporter_ring_shards != 4");
    expect(expression(scope, "ReplicasMissing")).toMatch(/ < 3$/);
  });

  test("the single size has nothing of Thanos, and no upload without object storage", () => {
    const single = { ...SCOPE, isSharded: false, replicas: { exporter: 1, alertmanager: 1 }, hasObjectStorage: false };
    for (const name of [
      ...["EndpointsMissing", "PlacementStuck", "ReplicasMissing", "RootRefusesQueries", "ShardUnanswered"],
      ...["TablesDiffer", "UploadStale"],
    ])
      expect(named(single)).not.toContain(name);
    expect(named(single)).toContain("PartDown");
    expect(JSON.stringify(alertsOf(single))).not.toMatch(/thanos|querier|sidecar/i);
  });
});

describe.skipIf(promtool === undefined)("promtool", () => {
  const file = toYaml(alertFile(SCOPE));

  /** What promtool says of all cases in one run; a run for each case takes ten times as long. */
  let ofAll = "not run";
  beforeAll(() => {
    const rules = NAMES.map((name) => [`${name}.yaml`, toYaml(onlyAlert(name))] as const);
    const tests = ALERT_CASES.map(
      (each, at) => [`test-${String(at)}.yaml`, toYaml(promtoolTest(each, `${each.alert}.yaml`))] as const,
    );
    const files = Object.fromEntries([...rules, ...tests]);
    ofAll = promtoolErrors(["test", "rules", ...tests.map(([name]) => name)], files);
  });

  test("accepts the rule file", () => {
    expect(
      promtoolErrors(["check", "rules", "--lint=all", "--lint-fatal", "alerts.yaml"], { "alerts.yaml": file }),
    ).toBe("");
  });

  test.each(ALERT_CASES.map((each) => [each.alert, each.when, each] as const))("%s: %s", (_alert, _when, each) => {
    if (ofAll === "") return;
    // Which one was it?
    const test = toYaml(promtoolTest(each, "alerts.yaml"));
    const files = { "alerts.yaml": toYaml(onlyAlert(each.alert)), "test.yaml": test };
    expect(promtoolErrors(["test", "rules", "test.yaml"], files)).toBe("");
  });

  test("finds every case as it should be", () => {
    expect(ofAll).toBe("");
  });

  test("the texts are filled in", () => {
    const unit = {
      rule_files: ["alerts.yaml"],
      evaluation_interval: "1m",
      tests: [
        {
          interval: "1m",
          input_series: [{ series: 'up{job="hub",instance="hub-shard-1-a",shard="1",replica="a"}', values: "0x20" }],
          alert_rule_test: [
            {
              eval_time: "10m",
              alertname: "ShardPartDown",
              exp_alerts: [
                {
                  exp_labels: {
                    severity: "critical",
                    part: "shard",
                    job: "hub",
                    instance: "hub-shard-1-a",
                    shard: "1",
                    replica: "a",
                  },
                  exp_annotations: {
                    summary: "hub of shard 1, replica a, does not answer",
                    description: alertsOf(SCOPE).find(({ name }) => name === "ShardPartDown")?.description,
                    runbook_url: "docs/runbooks/ShardPartDown.md",
                  },
                },
              ],
            },
          ],
        },
      ],
    };
    expect(promtoolErrors(["test", "rules", "test.yaml"], { "alerts.yaml": file, "test.yaml": toYaml(unit) })).toBe("");
  });
});
