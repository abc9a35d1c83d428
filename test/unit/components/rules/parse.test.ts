import { describe, expect, test } from "vitest";
import { parseRules } from "../../../../components/rules/parse";
import { RulesError } from "../../../../components/rules/rule-file";
import { readYaml } from "../../../../components/rules/yaml-lines";

const LIMITS = { minimumOffset: 10_000 };

function problemsOf(text: string): string[] {
  return parseRules({ "a.yaml": text }, LIMITS).problems.map(
    ({ line, found, rule }) => `${String(line)}: ${found} | ${rule}`,
  );
}

describe("lines of YAML values", () => {
  test("of fields, list items, block scalars, flow collections and aliases", () => {
    const root = readYaml("# c\na: &x\n  b: 1\nc:\n  - d: |\n      text\n  - {e: 2,\n     f: yes}\ng: *x\n");
    const field = (key: string) => root?.fields?.find((each) => each.key === key);
    expect(root?.line).toBe(2);
    expect(field("a")?.node.fields).toMatchObject([{ key: "b", line: 3, node: { value: "1" } }]);
    expect(field("c")?.node.items?.map(({ line }) => line)).toStrictEqual([5, 7]);
    expect(field("c")?.node.items?.[1]?.fields).toMatchObject([
      { key: "e", line: 7, node: { value: "2" } },
      { key: "f", line: 8, node: { value: "yes" } },
    ]);
    expect(field("g")?.node).toBe(field("a")?.node);
  });

  test("a text without content is nothing", () => {
    expect(readYaml("# only a comment\n")).toBeUndefined();
  });
});

describe("good files", () => {
  test("all fields are read as they are written", () => {
    const text = `groups:
  - name: g
    interval: 30s
    query_offset: 10s
    limit: 5
    labels: { team: core }
    rules:
      - record: a:b
        expr: 1
      - alert: Down
        expr: |
          up
            == 0
        for: 5m
        keep_firing_for: 1m
        labels: { severity: page, number: 007 }
        annotations: { summary: "{{ $labels.job }}", empty: }
`;
    const { files, problems } = parseRules({ "a.yaml": text, "empty.yaml": "" }, LIMITS);
    expect(problems).toStrictEqual([]);
    expect(files).toStrictEqual([
      {
        name: "a.yaml",
        groups: [
          {
            name: "g",
            line: 2,
            interval: "30s",
            queryOffset: "10s",
            limit: 5,
            labels: { team: "core" },
            rules: [
              {
                kind: "record",
                name: "a:b",
                expr: "1",
                exprLine: 9,
                line: 8,
                labels: {},
                annotations: {},
                isSharded: false,
              },
              {
                kind: "alert",
                name: "Down",
                expr: "up\n  == 0\n",
                exprLine: 12,
                line: 10,
                for: "5m",
                keepFiringFor: "1m",
                labels: { severity: "page", number: "007" },
                annotations: { summary: "{{ $labels.job }}", empty: "" },
                isSharded: false,
              },
            ],
          },
        ],
      },
      { name: "empty.yaml", groups: [] },
    ]);
  });

  test("the label sharded marks a rule, or all of a group, and is taken off", () => {
    const text = `groups:
  - name: g
    labels: { sharded: "true", team: core }
    rules: [{ record: a, expr: sum(x) }]
  - name: h
    rules: [{ record: b, expr: sum(x), labels: { sharded: "true" } }, { record: c, expr: "rate(x[5m])" }]
`;
    const { files, problems } = parseRules({ "a.yaml": text }, LIMITS);
    expect(problems).toStrictEqual([]);
    const groups = files[0]?.groups ?? [];
    expect(groups.map(({ labels }) => labels)).toStrictEqual([{ team: "core" }, {}]);
    expect(groups.flatMap(({ rules }) => rules.map(({ name, isSharded }) => [name, isSharded]))).toStrictEqual([
      ["a", true],
      ["b", true],
      ["c", false],
    ]);
  });
});

function group(rules: string): string {
  return `groups:\n  - name: g\n    rules:\n${rules}`;
}

describe("bad files are refused with the line", () => {
  test.each([
    ["no YAML", "groups:\n  - name: [\n", /^\d: .* \| one YAML document/],
    ["a key twice", "groups:\n  - name: a\n    name: b\n", /^3: duplicated mapping key/],
    ["no groups", "rules: []\n", /^1: rules is \[\] \| one of groups/],
    ["groups that are no list", "groups: 5\n", /^1: groups is "5" \| a list/],
    ["a group without a name", "groups:\n  - rules: []\n", /^2: groups\[0\]\.name is missing/],
    [
      "two groups of one name",
      "groups:\n  - name: a\n  - name: a\n",
      /^3: groups\[1\]\.name is "a" \| names of groups differ/,
    ],
    [
      "an unknown key of a group",
      "groups:\n  - name: a\n    intervall: 5m\n",
      /^3: groups\[0\]\.intervall is "5m" \| one of name, interval/,
    ],
    [
      "partial responses",
      "groups:\n  - name: a\n    partial_response_strategy: warn\n",
      /^3: .* \| answers are complete or an error/,
    ],
    [
      "an interval that is none",
      "groups:\n  - name: a\n    interval: 5\n",
      /^3: groups\[0\]\.interval is "5" \| a duration/,
    ],
    [
      "an offset that is too short",
      "groups:\n  - name: a\n    query_offset: 5s\n",
      /^3: groups\[0\]\.query_offset is "5s" \| at least two scrape intervals \(10 s\)/,
    ],
    ["a limit that is none", "groups:\n  - name: a\n    limit: many\n", /^3: groups\[0\]\.limit is "many"/],
    ["a rule without a name", group("      - expr: up\n"), /^4: groups\[0\]\.rules\[0\]\.record or \.alert is missing/],
    ["a rule with two names", group("      - record: a\n        alert: b\n        expr: up\n"), /^4: .* is "both"/],
    ["a rule without an expression", group("      - record: a\n"), /^4: groups\[0\]\.rules\[0\]\.expr is missing/],
    [
      "a recording rule that waits",
      group("      - record: a\n        expr: up\n        for: 5m\n"),
      /^6: .*\.for is "5m" \| for alerts only/,
    ],
    [
      "a wait that is none",
      group("      - alert: a\n        expr: up\n        for: 5z\n"),
      /^6: .*\.for is "5z" \| a duration/,
    ],
    [
      "no PromQL",
      group("      - record: a\n        expr: sum(up\n"),
      /^5: .*\.expr is "sum\(up" \| PromQL: the expression ends too early/,
    ],
    [
      "no PromQL, further down",
      group("      - record: a\n        expr: |\n          sum(\n            up }\n          )\n"),
      /^7: .* \| PromQL: unexpected "}"/,
    ],
    [
      "a label of the pipeline",
      group("      - record: a\n        expr: up\n        labels:\n          x: y\n          shard: z\n"),
      /^8: .*labels\.shard is "z" \| cluster, shard, prometheus_replica are the pipeline's own/,
    ],
    [
      "a label that is none",
      group("      - record: a\n        expr: up\n        labels: { a-b: y }\n"),
      /^6: .*labels\.a-b is "y" \| a label name/,
    ],
    [
      "a label that is no text",
      group("      - record: a\n        expr: up\n        labels: { a: [y] }\n"),
      /^6: .*labels\.a is \["y"\] \| text/,
    ],
    [
      "a mark that is none",
      group("      - record: a\n        expr: sum(up)\n        labels: { sharded: yes }\n"),
      /^6: .*labels\.sharded is "yes" \| "true"/,
    ],
    [
      "a sharded alert",
      group('      - alert: a\n        expr: sum(up)\n        labels: { sharded: "true" }\n'),
      /^6: .* \| only recording rules can be sharded/,
    ],
    [
      "a rule that can't be sharded",
      group('      - record: a\n        expr: rate(up[5m])\n        labels: { sharded: "true" }\n'),
      /^5: .* \| a can't be evaluated shard by shard: the outermost operation is rate/,
    ],
    [
      "a sharded name twice",
      group(
        '      - record: a\n        expr: sum(up)\n        labels: { sharded: "true" }\n      - record: a\n        expr: sum(x)\n        labels: { sharded: "true", y: z }\n',
      ),
      /^7: a is sharded \| .* the first is at a\.yaml:4/,
    ],
    [
      "a name of the shards' parts",
      group("      - record: a:per_shard_sum\n        expr: up\n"),
      /^4: .*\.record is "a:per_shard_sum" \| names that end so/,
    ],
  ])("%s", (_, text, expected) => {
    expect(problemsOf(text)).toContainEqual(expect.stringMatching(expected));
  });

  test("all of them at once, in one message", () => {
    const { problems } = parseRules({ "b.yaml": "groups: 5\n", "a.yaml": group("      - record: a\n") }, LIMITS);
    expect(new RulesError("rules", problems).message).toBe(
      "the rule files in rules have 2 problems:\n\n" +
        "  a.yaml:4: groups[0].rules[0].expr is missing\n    rule: a PromQL expression\n    fix:  add it\n\n" +
        '  b.yaml:1: groups is "5"\n    rule: a list\n    fix:  correct the value\n',
    );
  });
});
