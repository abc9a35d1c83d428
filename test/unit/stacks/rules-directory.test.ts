import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { promtoolOutput } from "../../../stacks/promtool";
import { readRules } from "../../../stacks/rules-directory";
import { realTools } from "../components/rules/real-tools";

const GOOD = "groups: [{name: g, rules: [{record: a, expr: up}]}]\n";
const BAD_TYPE = "groups:\n  - name: g\n    rules:\n      - record: a\n        expr: rate(up)\n";

let root = "";
const path = process.env["PATH"] ?? "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "rules-"));
  mkdirSync(join(root, "rules"));
  // No promtool, unless a test says otherwise.
  process.env["PATH"] = "/nowhere";
});
afterEach(() => {
  process.env["PATH"] = path;
  rmSync(root, { recursive: true });
});

function write(name: string, text: string): void {
  writeFileSync(join(root, "rules", name), text);
}

const read = () => readRules(root, { directory: "rules", minimumOffset: 10_000 });

describe("the rules directory", () => {
  test("gives its rule files in order of their names; notes and hidden files may stand beside them", () => {
    for (const name of ["b.yml", "a.yaml"]) write(name, GOOD);
    write("README.md", "notes");
    write(".gitkeep", "");
    expect(read().map(({ name }) => name)).toStrictEqual(["a.yaml", "b.yml"]);
  });

  test("that is not there is an error with key, value, rule and fix", () => {
    const missing = () => readRules(root, { directory: "ruels", minimumOffset: 0 });
    expect(missing).toThrow('scaled-prometheus:rules is "ruels"');
    expect(missing).toThrow(`(looked for ${join(root, "ruels")})`);
  });

  test("refuses what can't be a rule file by its name", () => {
    write("alerts.ymal", GOOD);
    mkdirSync(join(root, "rules", "more"));
    expect(read).toThrow("alerts.ymal: is no rule file by its name");
    expect(read).toThrow("more: is a folder");
  });

  test("refuses more than a ConfigMap holds", () => {
    write("a.yaml", `${GOOD}${"# comment\n".repeat(100_000)}`);
    expect(read).toThrow(/all files: are 1000\d+ bytes together/);
  });

  test("refuses a bad file with file and line, without promtool", () => {
    write("a.yaml", "groups:\n  - name: g\n    rules:\n      - record: a\n        expr: sum(up\n");
    expect(read).toThrow('a.yaml:5: groups[0].rules[0].expr is "sum(up"');
  });
});

describe("promtool", () => {
  test.skipIf(realTools.promtool === undefined)(
    "refuses, where it is installed, what only it finds, with file and line",
    () => {
      process.env["PATH"] = [dirname(realTools.promtool ?? ""), path].join(delimiter);
      write("good.yaml", GOOD);
      expect(read()).toHaveLength(1);
      write("type.yaml", BAD_TYPE);
      expect(read).toThrow(
        'type.yaml:5: group "g", rule 1, "a": could not parse expression: 1:6: parse error: expected type range vector',
      );
      write("type.yaml", 'groups: [{name: g, rules: [{alert: a, expr: up, annotations: {x: "{{ $labels.a"}}]}]\n');
      expect(read).toThrow('type.yaml:1: group "g", rule 1, "a": annotation "x"');
    },
  );

  test("output is read line by line, each problem once", () => {
    const output =
      'Checking /r/a.yaml\n  FAILED:\n/r/a.yaml: 7:15: group "g": bad\n/r/a.yaml: no place\n/r/a.yaml: no place\n/other.yaml: 1:1: x\n';
    expect(
      promtoolOutput(output, { "a.yaml": "/r/a.yaml" }, []).map(({ file, line, found }) => [file, line, found]),
    ).toStrictEqual([
      ["a.yaml", 7, 'group "g": bad'],
      ["a.yaml", 0, "no place"],
    ]);
  });
});
