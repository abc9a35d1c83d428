import { dirname } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { ensureSchemas } from "../../local/toolchain/schemas";
import { at, items, text, textFields } from "../../policies/kit/values";
import { KUBE_SCORE_EXCEPTIONS } from "../fixtures/policies/kube-score-exceptions";
import { checker, runChecker } from "./kit/checkers";
import { manifests, toManifestYaml, type Manifest } from "./kit/manifests";
import { record, stackConfig, stackNames } from "./kit/record";

/** With this set a checker that is missing is a failure, not a reason to skip. */
const isRequired = process.env["REQUIRE_CHECKERS"] === "1";

const kubeconform = checker("kubeconform");
const kubeScore = checker("kube-score");

const rendered = new Map<string, readonly Manifest[]>();

beforeAll(async () => {
  for (const stack of stackNames()) {
    const objects = manifests(await record(stackConfig(stack)));
    // A stack that only makes a cluster has no objects.
    if (objects.length > 0) rendered.set(stack, objects);
  }
});

const objectsOf = (stack: string): readonly Manifest[] => rendered.get(stack) ?? [];

const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Paths of nulls and of what is neither text, number, truth value, list nor object. */
function oddities(value: unknown, path = ""): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((each, index) => oddities(each, `${path}[${String(index)}]`));
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).flatMap(([key, each]) => oddities(each, `${path}.${key}`));
  }
  return ["string", "number", "boolean"].includes(typeof value) ? [] : [path];
}

describe.each(stackNames())("the manifests of %s", (stack) => {
  it("are whole objects with valid names, namespaces and labels", () => {
    for (const each of objectsOf(stack)) {
      const [kind, name] = [text(at(each, "kind")) ?? "", text(at(each, "metadata", "name")) ?? ""];
      expect(text(at(each, "apiVersion")), kind).toMatch(/^([a-z0-9.]+\/)?v1$/);
      expect(kind).toMatch(/^[A-Z]/);
      expect(name, kind).toMatch(DNS_LABEL);
      if (kind !== "Namespace" && kind !== "StorageClass")
        expect(text(at(each, "metadata", "namespace")), name).toMatch(DNS_LABEL);
      for (const value of Object.values(textFields(at(each, "metadata", "labels")))) expect(value).toMatch(LABEL_VALUE);
      expect(oddities(each), `${kind} ${name}`).toStrictEqual([]);
    }
  });

  it("mount what exists, and are selected by what selects them", () => {
    const objects = objectsOf(stack);
    const named = (kind: string) =>
      objects.filter((each) => at(each, "kind") === kind).map((each) => text(at(each, "metadata", "name")));
    for (const each of objects) {
      const template = at(each, "spec", "template");
      for (const volume of items(at(template, "spec", "volumes"))) {
        const map = text(at(volume, "configMap", "name"));
        if (map !== undefined) expect(named("ConfigMap")).toContain(map);
      }
      const account = text(at(template, "spec", "serviceAccountName"));
      if (account !== undefined) expect(named("ServiceAccount")).toContain(account);
      if (template === undefined) continue;
      const labels = textFields(at(template, "metadata", "labels"));
      expect(labels).toMatchObject(textFields(at(each, "spec", "selector", "matchLabels")));
    }
  });

  it("are the same, byte by byte, a second time", async () => {
    const again = manifests(await record(stackConfig(stack)));
    expect(toManifestYaml(again)).toBe(toManifestYaml(objectsOf(stack)));
  });

  it.skipIf(kubeconform === undefined && !isRequired)("keep to the API server's schemas, strictly", async () => {
    if (objectsOf(stack).length === 0) return;
    const location = `${await ensureSchemas()}/{{.ResourceKind}}{{.KindSuffix}}.json`;
    const flags = ["-strict", "-summary", "-output", "json", "-schema-location", location, "-"];
    const printed: unknown = JSON.parse(
      runChecker(kubeconform ?? "kubeconform", flags, toManifestYaml(objectsOf(stack))),
    );
    expect(printed).toStrictEqual({
      resources: [],
      summary: { valid: objectsOf(stack).length, invalid: 0, errors: 0, skipped: 0 },
    });
  });
});

const scoreSchema = z.array(
  z.object({
    object_name: z.string(),
    checks: z
      .array(
        z.object({
          check: z.object({ id: z.string() }),
          grade: z.number(),
          skipped: z.boolean(),
          comments: z.array(z.object({ summary: z.string() })).nullish(),
        }),
      )
      .nullish(),
  }),
);

/** kube-score's grade of a critical finding; 5 is a warning. */
const CRITICAL = 1;

interface Finding {
  readonly check: string;
  readonly object: string;
  readonly summary: string;
}

/** Critical findings of a stack, one for each complaint. */
function findCriticals(stack: string): readonly Finding[] {
  const flags = ["score", "--output-format", "json", "--kubernetes-version", "v1.35", "-"];
  const output = runChecker(kubeScore ?? "kube-score", flags, toManifestYaml(objectsOf(stack)));
  return (
    scoreSchema
      // Null where it checks no object of the stack.
      .parse(JSON.parse(output) ?? [])
      .flatMap(({ object_name: object, checks }) =>
        (checks ?? [])
          .filter(({ grade, skipped }) => !skipped && grade <= CRITICAL)
          .flatMap(({ check, comments }) =>
            (comments ?? []).map(({ summary }) => ({ check: check.id, object, summary })),
          ),
      )
  );
}

const found = new Map<string, readonly Finding[]>();

/** The same, found once for each stack. */
function criticals(stack: string): readonly Finding[] {
  const known = found.get(stack) ?? findCriticals(stack);
  found.set(stack, known);
  return known;
}

describe.skipIf(kubeScore === undefined && !isRequired)("kube-score", () => {
  const isException = (finding: Finding) =>
    KUBE_SCORE_EXCEPTIONS.filter(
      ({ check, objects, summaries }) =>
        check === finding.check && objects.test(finding.object) && summaries.includes(finding.summary),
    );

  it.each(stackNames())("has no critical finding but the listed exceptions: %s", (stack) => {
    if (objectsOf(stack).length === 0) return;
    expect(criticals(stack).filter((finding) => isException(finding).length === 0)).toStrictEqual([]);
  });

  it("needs every listed exception", () => {
    const needed = new Set([...rendered.keys()].flatMap(criticals).flatMap(isException));
    expect(KUBE_SCORE_EXCEPTIONS.filter((each) => !needed.has(each))).toStrictEqual([]);
  });
});

describe("the checkers", () => {
  it.runIf(isRequired)("are there", () => {
    expect([kubeconform, kubeScore].map((each) => (each === undefined ? undefined : dirname(each)))).not.toContain(
      undefined,
    );
  });
});
