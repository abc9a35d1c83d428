import { describe, expect, test } from "vitest";
import { exitCode } from "../../../../tools/commands/preview";
import { digestPreview, type PreviewDigest } from "../../../../tools/preview/digest";
import { readFindings } from "../../../../tools/preview/findings";
import { summaryMarkdown } from "../../../../tools/preview/markdown";
import { summarise, type Circumstances } from "../../../../tools/preview/summary";
import { summaryText } from "../../../../tools/preview/text";

const NOBODY = { shards: [], histories: [] };

interface Step {
  readonly op: string;
  readonly type: string;
  readonly name: string;
  readonly before?: object;
  readonly after?: object;
  readonly protect?: boolean;
}

function digest(steps: readonly Step[], errors: readonly string[] = []): PreviewDigest {
  return digestPreview({
    steps: steps.map(({ op, type, name, before, after, protect }) => ({
      op,
      urn: `urn:pulumi:prod::scaled-prometheus::scaled-prometheus:index:Shard$${type}::${name}`,
      oldState: { protect: protect === true, inputs: { metadata: { name }, ...before } },
      newState: { inputs: { metadata: { name }, ...after } },
    })),
    diagnostics: errors.map((message) => ({ severity: "error", message: `error: ${message}` })),
    changeSummary: { same: 7 },
  });
}

function text(from: PreviewDigest, more: Partial<Circumstances> = {}): string {
  const circumstances = {
    stack: "prod",
    findings: [],
    wasPoliced: true,
    history: [],
    exitCode: exitCode(from, NOBODY),
  };
  return summaryText(summarise(from, { ...circumstances, ...more }), false);
}

const SET = "kubernetes:apps/v1:StatefulSet";
const MAP = "kubernetes:core/v1:ConfigMap";

const prometheus = (time: string) => ({
  data: { "prometheus.yaml": `storage:\n  tsdb:\n    retention:\n      time: ${time}\n` },
});

describe("summary", () => {
  test("the same change of several shards is told once", () => {
    const names = ["prometheus-shard-1-a", "prometheus-shard-0-a"];
    const found = text(
      digest(names.map((name) => ({ op: "update", type: SET, name, before: { image: "1" }, after: { image: "2" } }))),
    );
    expect(found).toBe(
      "Preview of stack prod\nNo data is at risk: 0 added, 2 changed, 0 replaced, 0 deleted.\n\nChanged (2):\n" +
        "  ~  StatefulSet prometheus-shard-0-a, prometheus-shard-1-a\n       image: 1 -> 2\n\n7 resources stay as they are\n",
    );
  });

  test.each([
    ["replace", SET, "prometheus-shard-0-a"],
    ["delete", SET, "prometheus-shard-0-a"],
    ["delete", SET, "ruler-a"],
    ["delete", "kubernetes:core/v1:Namespace", "scaled-prometheus"],
    ["delete", "kubernetes:core/v1:PersistentVolumeClaim", "data"],
    ["replace", "aws:s3/bucket:Bucket", "blocks"],
    ["delete", "aws:kms/key:Key", "blocks"],
    ["replace", "aws:eks/cluster:Cluster", "cluster"],
  ])("%s of %s %s is a danger, protected or not", (op, type, name) => {
    for (const protect of [false, true]) {
      const found = digest([{ op, type, name, protect }], protect ? ["resource is protected"] : []);
      expect(exitCode(found, NOBODY)).toBe(2);
      expect(text(found)).toMatch(/^Preview of stack prod\nDANGER: .*\n\nHolds data \(1\):\n/);
    }
  });

  test.each([
    ["replace", MAP, "exporter-1"],
    ["delete", SET, "alertmanager"],
    ["delete", "kubernetes:apps/v1:Deployment", "hub-shard-2-a"],
    ["update", SET, "prometheus-shard-0-a"],
  ])("%s of %s %s is not", (op, type, name) => {
    expect(exitCode(digest([{ op, type, name }]), NOBODY)).toBe(0);
  });

  test("a shorter retention is a danger, a longer one is not", () => {
    const change = (before: string, after: string) =>
      digest([
        { op: "update", type: MAP, name: "prometheus-shard-0-a", before: prometheus(before), after: prometheus(after) },
      ]);
    expect(exitCode(change("30d", "2w"), NOBODY)).toBe(2);
    expect(exitCode(change("2w", "30d"), NOBODY)).toBe(0);
  });

  test("local disks may keep less of what is in the bucket", () => {
    const shrinking = digest([
      { op: "update", type: MAP, name: "prometheus-shard-0-a", before: prometheus("30d"), after: prometheus("2d") },
    ]);
    expect(exitCode(shrinking, { ...NOBODY, localIsInBucket: true })).toBe(0);
    expect(exitCode(shrinking, { ...NOBODY, localIsInBucket: false })).toBe(2);
  });

  test.each([
    ["0s", "180d", 2],
    ["180d", "90d", 2],
    ["90d", "180d", 0],
    ["180d", "0s", 0],
    ["180d", "180d", 0],
  ])("blocks in the bucket kept for %s and then %s", (before, after, code) => {
    const args = (time: string) => ({
      spec: { template: { spec: { containers: [{ args: ["compact", `--retention.resolution-5m=${time}`] }] } } },
    });
    const change = digest([{ op: "update", type: SET, name: "compactor", before: args(before), after: args(after) }]);
    // That of the bucket is the only copy, whatever is on local disks.
    expect(exitCode(change, { ...NOBODY, localIsInBucket: true })).toBe(code);
  });

  test("exit codes: failed 1, mandatory finding 1, unexpected change 3, history that goes 2", () => {
    const changed = digest([{ op: "create", type: MAP, name: "m" }]);
    const finding = { policy: "p", isMandatory: true, severity: undefined, resource: undefined, message: "m" };
    expect(exitCode(digest([], ["broken"]), NOBODY)).toBe(1);
    expect(exitCode(changed, NOBODY, [finding])).toBe(1);
    expect(exitCode(changed, NOBODY, [{ ...finding, isMandatory: false }])).toBe(0);
    expect(exitCode(changed, NOBODY, [], true)).toBe(3);
    expect(exitCode(digest([]), NOBODY, [], true)).toBe(0);
    expect(exitCode(changed, { shards: [2], histories: [] })).toBe(2);
  });

  test("errors of many resources are short, sorted and told once", () => {
    const urn = (name: string) => `urn:pulumi:prod::scaled-prometheus::a:b:C$${SET}::${name}`;
    const errors = ["b", "a", "b"].map((name) => `unable to replace "${urn(name)}"`);
    const found = text(digest([], [...errors, "preview failed"]));
    expect(found).toContain('Errors:\n  unable to replace "a"\n  unable to replace "b"\n');
    expect(found).not.toContain("  preview failed");
    expect(found).not.toContain("stay as they are");
  });

  test("components are not objects", () => {
    expect(text(digest([{ op: "create", type: "scaled-prometheus:index:EdgeHub", name: "hub" }]))).toContain(
      "No changes.",
    );
  });
});

describe("forms", () => {
  const dangerous = digest([{ op: "delete", type: SET, name: "prometheus-shard-0-a" }]);
  const summary = summarise(dangerous, {
    stack: "prod",
    findings: [],
    wasPoliced: false,
    history: ["shard 0"],
    exitCode: 2,
  });

  test("a terminal gets danger in red, and only if it can show it", () => {
    expect(summaryText(summary, true)).toContain(
      "\u001b[31;1m  -  StatefulSet prometheus-shard-0-a  [HOLDS DATA]\u001b[0m",
    );
    expect(summaryText(summary, false)).not.toContain("\u001b");
  });

  test("a pull request gets a warning and a red line", () => {
    const markdown = summaryMarkdown(summary);
    expect(markdown).toContain("> [!CAUTION]\n> **DANGER:");
    expect(markdown).toContain("```diff\n- delete StatefulSet prometheus-shard-0-a  [HOLDS DATA]\n```");
    expect(markdown).toContain("### Policies\n\n- no policy pack was run");
  });
});

test("findings come from the engine's event log", () => {
  const event = (level: string, resourceUrn: string) =>
    JSON.stringify({
      policyEvent: {
        resourceUrn,
        message: "<{%fg 1%}>no<{%reset%}>",
        policyName: "p",
        enforcementLevel: level,
        severity: "high",
      },
    });
  const log = [
    '{"sequence":1}',
    event("mandatory", "urn:pulumi:s::p::t::name"),
    event("advisory", ""),
    event("disabled", ""),
    "",
  ];
  expect(readFindings(log.join("\n"))).toEqual([
    { policy: "p", isMandatory: true, severity: "high", resource: "name", message: "no" },
    { policy: "p", isMandatory: false, severity: "high", resource: undefined, message: "no" },
  ]);
});
