import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { exitCode } from "../../../tools/commands/preview";
import { digestPreview, type PreviewDigest } from "../../../tools/preview/digest";
import { askHistory, describeHistory } from "../../../tools/preview/history";
import { summarise } from "../../../tools/preview/summary";
import { summaryText } from "../../../tools/preview/text";
import type { QueryResult } from "../../../tools/prometheus-api";
import { PrometheusApi } from "../../../tools/prometheus-api";

/** `pulumi preview --json` of 3.216.0, recorded when shard 2 left `retiredShards`, and cut to what is read. */
const recorded: unknown = JSON.parse(readFileSync(join(__dirname, "preview-shard-leaves.json"), "utf8"));

const urn = (type: string, name: string): string =>
  `urn:pulumi:dev::scaled-prometheus::scaled-prometheus:index:Shard$${type}::${name}`;

function step(op: string, type: string, name: string, more: object = {}): object {
  const state = { type, inputs: { metadata: { name } } };
  return { op, urn: urn(type, name), ...(op === "create" ? { newState: state } : { oldState: state }), ...more };
}

/** Lines of the summary, without its head. */
function formatDigest(digest: PreviewDigest): readonly string[] {
  const circumstances = { stack: "dev", findings: [], wasPoliced: true, history: [], exitCode: 0 };
  return summaryText(summarise(digest, circumstances), false).trimEnd().split("\n").slice(2);
}

const statefulSet = "kubernetes:apps/v1:StatefulSet";

describe("the preview's summary", () => {
  test("of a recorded preview: what goes first, data marked, names of the objects", () => {
    const digest = digestPreview(recorded);
    expect(formatDigest(digest)).toEqual([
      "",
      "Holds data (1):",
      "  -  StatefulSet prometheus-shard-2-a  [HOLDS DATA]",
      "",
      "Deleted (3):",
      "  -  ConfigMap prometheus-shard-2-a",
      "  -  Service prometheus-shard-2-a, sidecar-shard-2-a",
      "",
      "Replaced (1):",
      "  +- ConfigMap querier-610723354d",
      "       metadata.name: querier-534c9e59ee -> querier-610723354d",
      "",
      "Changed (1):",
      "  ~  Deployment querier",
      "       spec.template.spec.volumes[0].configMap.name",
      "",
      "44 resources stay as they are",
    ]);
    expect(exitCode(digest, { shards: [2], histories: [] })).toBe(2);
  });

  test("of no change", () => {
    const digest = digestPreview({ steps: [{ op: "same", urn: urn(statefulSet, "x") }], changeSummary: { same: 46 } });
    expect(formatDigest(digest)).toEqual(["", "46 resources stay as they are"]);
    expect(exitCode(digest, { shards: [], histories: [] })).toBe(0);
  });

  test("names the properties of updates, and what forces a replacement", () => {
    const digest = digestPreview({
      steps: [
        step("update", "kubernetes:apps/v1:Deployment", "exporter", {
          detailedDiff: { "spec.replicas": { kind: "update" } },
        }),
        step("update", "kubernetes:core/v1:Service", "query", { diffReasons: ["spec"] }),
        step("replace", "kubernetes:core/v1:ConfigMap", "map", { replaceReasons: ["metadata.name"] }),
        step("create-replacement", "kubernetes:core/v1:ConfigMap", "map"),
        step("delete-replaced", "kubernetes:core/v1:ConfigMap", "map"),
      ],
    });
    expect(formatDigest(digest)).toEqual([
      "",
      "Replaced (1):",
      "  +- ConfigMap map",
      "       metadata.name",
      "",
      "Changed (2):",
      "  ~  Deployment exporter",
      "       spec.replicas",
      "  ~  Service query",
      "       spec",
      "",
      "0 resources stay as they are",
    ]);
  });

  test.each([
    ["delete", statefulSet, "prometheus-shard-2-a", true],
    ["replace", statefulSet, "prometheus-shard-0-a", true],
    ["update", statefulSet, "prometheus-shard-0-a", false],
    ["create", statefulSet, "prometheus-shard-3-a", false],
    ["delete", statefulSet, "alertmanager", false],
    ["delete", "kubernetes:core/v1:Namespace", "scaled-prometheus", true],
    ["delete", "kubernetes:core/v1:PersistentVolumeClaim", "data-x", true],
    ["delete", "kubernetes:apps/v1:Deployment", "hub-shard-2-a", false],
    ["delete", "kubernetes:core/v1:Service", "prometheus-shard-2-a", false],
  ])("%s of %s %s holds data: %s", (op, type, name, expected) => {
    const digest = digestPreview({ steps: [step(op, type, name)] });
    expect(digest.changes[0]?.bearsData).toBe(expected);
    expect(exitCode(digest, { shards: [], histories: [] })).toBe(expected ? 2 : 0);
  });

  test("shows errors without colour codes, warnings once, and nothing of plugins on PATH", () => {
    const digest = digestPreview({
      diagnostics: [
        { severity: "error", message: "<{%fg 1%}>error: the stack's config has 1 problem<{%reset%}>\n" },
        { severity: "warning", message: "warning: using pulumi-resource-kubernetes from $PATH at /x" },
        { severity: "warning", message: "warning: deprecated" },
        { severity: "warning", message: "warning: deprecated" },
      ],
    });
    expect(digest.errors).toEqual(["the stack's config has 1 problem"]);
    expect(digest.warnings).toEqual(["deprecated"]);
    expect(exitCode(digest, { shards: [], histories: [] })).toBe(1);
  });

  test("refuses an unknown shape with a reason", () => {
    expect(() => digestPreview({ steps: [{ op: 3 }] })).toThrow(/unexpected/);
  });
});

describe("the history of a shard", () => {
  const now = Date.UTC(2026, 10, 22, 12);

  /** Answers as a root whose shard has samples between two times. */
  class Root extends PrometheusApi {
    readonly asked: string[] = [];

    constructor(private readonly span: readonly [number, number] | undefined) {
      super("http://127.0.0.1:1");
    }

    override queryRange(query: string, start: number, end: number, step: number): Promise<QueryResult> {
      this.asked.push(query);
      const window = Number(/\[(\d+)s\]/.exec(query)?.[1]) * 1_000;
      const values: (readonly [number, number])[] = [];
      for (let time = start; this.span !== undefined && time <= end; time += step * 1_000) {
        if (time - window < this.span[1] && time >= this.span[0]) values.push([time, 1_234]);
      }
      return Promise.resolve({
        type: "matrix",
        warnings: [],
        series: values.length === 0 ? [] : [{ labels: {}, values }],
      });
    }
  }

  test("finds both ends to a hundredth of the coarse step, and asks with more than external labels", async () => {
    const span = [now - 5 * 86_400_000, now - 2 * 86_400_000] as const;
    const root = new Root(span);
    const history = await askHistory(root, 2, now, 31 * 86_400_000);
    const precision = (2 * 31 * 86_400_000) / 100 / 100;
    expect(Math.abs((history.span?.oldest ?? 0) - span[0])).toBeLessThan(precision);
    expect(Math.abs((history.span?.newest ?? 0) - span[1])).toBeLessThan(precision);
    expect(history.series).toBe(1_234);
    for (const query of root.asked)
      expect(query).toContain('{__name__=~".+",shard="2",instance!~"(prometheus|hub)-shard-2-[ab]"}');
    expect(describeHistory(history)).toMatch(
      /^shard 2: samples from about 2026-11-17T\S+ to 2026-11-20T\S+, up to 1,234 series at a time, become unqueryable$/,
    );
  });

  test("a shard without samples loses nothing", async () => {
    const history = await askHistory(new Root(undefined), 3, now, 86_400_000);
    expect(history.span).toBeUndefined();
    expect(describeHistory(history)).toMatch(/^shard 3: no samples within 1 days: nothing/);
    const digest = digestPreview({});
    expect(exitCode(digest, { shards: [3], histories: [history] })).toBe(0);
    // Nobody could be asked: not known to be harmless.
    expect(exitCode(digest, { shards: [3], histories: [] })).toBe(2);
  });
});
