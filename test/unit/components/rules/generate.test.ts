import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { load } from "js-yaml";
import { describe, expect, test } from "vitest";
import { rulerRules, shardRules, singleRules, type RuleTexts } from "../../../../components/rules/generate";
import { parseRules } from "../../../../components/rules/parse";
import { realTools } from "./real-tools";

const TEXTS = {
  "alerts.yaml": `groups:
  - name: alerts
    rules:
      - alert: Down
        expr: up == 0
        for: 5m
        keep_firing_for: 10m
        labels: { severity: page }
        annotations: { summary: "{{ $labels.job }} is down", quoted: '"a": b # c' }
`,
  "mixed.yaml": `groups:
  - name: mixed
    interval: 30s
    query_offset: 1m
    limit: 100
    labels: { team: core }
    rules:
      - record: plain
        expr: rate(x[5m])
      - record: net:x:sum
        expr: |
          sum by (net) (
            rate(x[5m])
          )
        labels: { sharded: "true", level: net }
      - record: net:x:avg
        expr: avg by (net) (x)
        labels: { sharded: "true" }
`,
};

const { files, problems } = parseRules(TEXTS, { minimumOffset: 10_000 });
const SHARD = { clusterLabel: "eu", shard: 3 };
const OWN = { cluster: "eu", shard: "3" };
const TIMES = { interval: "1m", queryOffset: "10s" };
const EXPR = "sum by (net) (\n  rate(x[5m])\n)\n";

function groups(texts: RuleTexts, file: string): unknown {
  return (load(texts[file] ?? "") as { groups: unknown }).groups;
}

test("the files are good", () => {
  expect(problems).toStrictEqual([]);
});

describe("single size: all rules on the one Prometheus, with its labels", () => {
  const texts = singleRules(files, SHARD);

  test("sharded rules are what they stand for", () => {
    expect(groups(texts, "mixed.yaml")).toStrictEqual([
      {
        name: "mixed",
        interval: "30s",
        query_offset: "1m",
        limit: 100,
        labels: { team: "core" },
        rules: [
          { record: "plain", expr: "rate(x[5m])", labels: OWN },
          { record: "net:x:sum", expr: EXPR, labels: { level: "net", ...OWN } },
          { record: "net:x:avg", expr: "avg by (net) (x)", labels: OWN },
        ],
      },
    ]);
  });

  test("alerts keep all their fields", () => {
    expect(groups(texts, "alerts.yaml")).toStrictEqual([
      {
        name: "alerts",
        rules: [
          {
            alert: "Down",
            expr: "up == 0",
            for: "5m",
            keep_firing_for: "10m",
            labels: { severity: "page", ...OWN },
            annotations: { summary: "{{ $labels.job }} is down", quoted: '"a": b # c' },
          },
        ],
      },
    ]);
  });
});

describe("sharded sizes", () => {
  test("a shard evaluates only its parts of sharded rules", () => {
    const texts = shardRules(files, SHARD);
    expect(Object.keys(texts)).toStrictEqual(["mixed.yaml"]);
    expect(groups(texts, "mixed.yaml")).toStrictEqual([
      {
        name: "mixed",
        interval: "30s",
        query_offset: "1m",
        limit: 100,
        rules: [
          { record: "net:x:sum:per_shard", expr: EXPR.trimEnd(), labels: OWN },
          { record: "net:x:avg:per_shard_sum", expr: "sum by (net) (x)", labels: OWN },
          { record: "net:x:avg:per_shard_count", expr: "count by (net) (x)", labels: OWN },
        ],
      },
    ]);
  });

  test("the Ruler puts them together one interval later, and evaluates everything else", () => {
    const texts = rulerRules(files, TIMES);
    expect(groups(texts, "mixed.yaml")).toStrictEqual([
      {
        name: "mixed",
        interval: "30s",
        query_offset: "1m",
        limit: 100,
        labels: { team: "core" },
        rules: [{ record: "plain", expr: "rate(x[5m])" }],
      },
      {
        name: "mixed:sharded",
        interval: "30s",
        query_offset: "90s",
        limit: 100,
        labels: { team: "core" },
        rules: [
          { record: "net:x:sum", expr: "sum by (net) (net:x:sum:per_shard)", labels: { level: "net" } },
          {
            record: "net:x:avg",
            expr: "sum by (net) (net:x:avg:per_shard_sum) / sum by (net) (net:x:avg:per_shard_count)",
          },
        ],
      },
    ]);
    expect(groups(texts, "alerts.yaml")).toMatchObject([{ name: "alerts", rules: [{ alert: "Down" }] }]);
  });

  test("defaults decide the lag where a group names none", () => {
    const { files: one } = parseRules(
      { "a.yaml": 'groups: [{name: g, rules: [{record: a, expr: sum(x), labels: {sharded: "true"}}]}]' },
      { minimumOffset: 0 },
    );
    expect(groups(rulerRules(one, TIMES), "a.yaml")).toMatchObject([{ name: "g:sharded", query_offset: "70s" }]);
  });
});

const consumers = {
  single: singleRules(files, SHARD),
  shard: shardRules(files, SHARD),
  ruler: rulerRules(files, TIMES),
};

describe.each(Object.entries(consumers))("what is generated for the %s", (_, texts) => {
  function check(program: string, args: (paths: readonly string[]) => readonly string[]): string {
    const folder = mkdtempSync(join(tmpdir(), "rules-"));
    const paths = Object.entries(texts).map(([name, text]) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    });
    const result = spawnSync(program, [...args(paths)], { encoding: "utf8" });
    rmSync(folder, { recursive: true });
    return result.status === 0 ? "ok" : `${result.stdout}${result.stderr}`;
  }

  test.skipIf(realTools.promtool === undefined)("passes promtool", () => {
    expect(check(realTools.promtool ?? "", (paths) => ["check", "rules", "--lint-fatal", ...paths])).toBe("ok");
  });

  test.skipIf(realTools.thanos === undefined)("passes thanos tools rules-check", () => {
    const args = (paths: readonly string[]) => ["tools", "rules-check", ...paths.map((path) => `--rules=${path}`)];
    expect(check(realTools.thanos ?? "", args)).toBe("ok");
  });
});
