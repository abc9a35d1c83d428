import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseConfig } from "../../../stacks/config";
import { prometheusConfig } from "../../../stacks/prometheus-plan";

type Labels = Readonly<Record<string, string>>;

interface Rule {
  readonly action: string;
  readonly source_labels?: readonly string[];
  readonly separator?: string;
  readonly regex?: string;
  readonly target_label?: string;
  readonly replacement?: string;
}

interface Job {
  readonly relabel_configs: readonly Rule[];
  readonly metric_relabel_configs: readonly Rule[];
}

/** Prometheus' relabelling, as far as the jobs use it (model/relabel in its source). */
function relabel(labels: Labels, rules: readonly Rule[]): Labels {
  const result: Record<string, string> = { ...labels };
  for (const rule of rules) {
    const regex = new RegExp(`^(?:${rule.regex ?? "(.*)"})$`, "s");
    if (rule.action === "labeldrop") {
      for (const name of Object.keys(result)) if (regex.test(name)) Reflect.deleteProperty(result, name);
      continue;
    }
    const source = (rule.source_labels ?? []).map((name) => result[name] ?? "").join(rule.separator ?? ";");
    const match = regex.exec(source);
    if (match === null) continue;
    const value = (rule.replacement ?? "$1").replaceAll("$1", () => match[1] ?? "");
    const target = rule.target_label ?? "";
    if (value === "") Reflect.deleteProperty(result, target);
    else result[target] = value;
  }
  return result;
}

/** What Prometheus stores of a pushed sample with honor_labels: false (scrape.go, resolveConflictingExposedLabels). */
function stored(pushed: Labels): Labels {
  const config = prometheusConfig(parseConfig({ clusterLabel: "eu" }), { shard: 0, replica: "a" });
  const [hub] = (config as { scrape_configs: readonly Job[] }).scrape_configs;
  if (hub === undefined) throw new Error("no hub job");
  const target = relabel({ job: "hub", instance: "10.0.0.1:9091" }, hub.relabel_configs);
  const merged: Record<string, string> = { ...pushed };
  const conflicts = Object.keys(target).filter((name) => (pushed[name] ?? "") !== "");
  Object.assign(merged, target);
  for (const name of conflicts.sort((left, right) => left.length - right.length)) {
    let renamed = `exported_${name}`;
    while ((merged[renamed] ?? "") !== "") renamed = `exported_${renamed}`;
    merged[renamed] = pushed[name] ?? "";
  }
  return relabel(merged, hub.metric_relabel_configs);
}

const OURS = { cluster: "eu", shard: "0" };

describe("labels of a pushed sample", () => {
  test.each<[string, Labels, Labels]>([
    ["nothing is added where nothing was pushed", { gatewayID: "g" }, { gatewayID: "g", ...OURS }],
    ["job and instance are restored", { job: "x", instance: "i" }, { job: "x", instance: "i", ...OURS }],
    ["one of them too", { job: "x" }, { job: "x", ...OURS }],
    ["exported_job stays what it was", { job: "x", exported_job: "y" }, { job: "x", exported_job: "y", ...OURS }],
    [
      "exported_instance too",
      { instance: "x", exported_instance: "y", job: "a;b" },
      { instance: "x", exported_instance: "y", job: "a;b", ...OURS },
    ],
    // The one that can't be told apart from a pushed job: documented.
    ["exported_job without job becomes job", { exported_job: "y" }, { job: "y", ...OURS }],
    [
      "pushed cluster and shard are kept under another name",
      { cluster: "c", shard: "9" },
      { exported_cluster: "c", exported_shard: "9", ...OURS },
    ],
    [
      "the user's replica label survives",
      { replica: "r", prometheus_replica: "q" },
      { replica: "r", prometheus_replica: "q", ...OURS },
    ],
  ])("%s", (_what, pushed, expected) => {
    expect(stored(pushed)).toStrictEqual(expected);
  });

  test("are the pushed ones plus cluster and shard", () => {
    const name = fc.oneof(
      fc.constantFrom("job", "instance", "gatewayID", "le"),
      fc.stringMatching(/^[a-z][a-z_]{0,8}$/),
    );
    const reserved = /^(cluster|shard|exported_.*)$/;
    fc.assert(
      fc.property(fc.dictionary(name, fc.string({ minLength: 1, unit: "grapheme" })), (pushed) => {
        fc.pre(!Object.keys(pushed).some((each) => reserved.test(each)));
        expect(stored(pushed)).toStrictEqual({ ...pushed, ...OURS });
      }),
      { numRuns: 300 },
    );
  });

  test("differ when the pushed labels differ", () => {
    const key = fc.constantFrom("job", "instance", "cluster", "shard", "exported_x", "x");
    const labels = fc.dictionary(key, fc.constantFrom("0", "1", "eu"));
    fc.assert(
      fc.property(labels, labels, (left, right) => {
        const text = (value: Labels) => JSON.stringify(Object.entries(value).sort());
        if (text(left) !== text(right)) expect(text(stored(left))).not.toBe(text(stored(right)));
      }),
      { numRuns: 500 },
    );
  });
});
