import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatResult } from "../../../tools/commands/query";
import { componentsOf } from "../../../tools/commands/status";
import { parseOutputs } from "../../../tools/deployment";
import { newRunName } from "../../../tools/feed/run";
import type { Command } from "../../../tools/flags";
import { parseFlags } from "../../../tools/flags";
import { grouped, table } from "../../../tools/table";
import { UserError } from "../../../tools/terminal";

const root = join(__dirname, "..", "..", "..");

function cli(...args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync("node", ["--require", "tsx/cjs", "tools/cli.ts", ...args], { cwd: root, encoding: "utf8" });
}

const command: Command = {
  name: "test",
  summary: "",
  usage: "",
  flags: {
    wait: { value: "time", description: "" },
    count: { value: "n", description: "" },
    at: { value: "time", description: "", multiple: true },
    json: { description: "" },
  },
  run: () => Promise.resolve(0),
};

describe("flags", () => {
  const parse = (...argv: readonly string[]) => parseFlags(command, argv, 1);

  test("numbers, times, switches and repeated values", () => {
    const args = parse("prod", "--count", "3", "--wait=1m30s", "--at", "a", "--at", "b", "--json");
    expect(args.stack).toBe("prod");
    expect(args.integer("count", 1, 0, 10)).toBe(3);
    expect(args.seconds("wait", 1, 0, 100)).toBe(90);
    expect(parse("--wait", "2.5").seconds("wait", 1, 0, 100)).toBe(2.5);
    expect(args.texts("at")).toEqual(["a", "b"]);
    expect(args.has("json")).toBe(true);
    expect(parse().integer("count", 7, 0, 10)).toBe(7);
    expect(parse().seconds("wait", 7, 0, 10)).toBe(7);
  });

  test.each<[string, readonly string[], RegExp]>([
    ["an unknown flag", ["--cuont", "3"], /--cuont/],
    ["too many arguments", ["a", "b"], /too many arguments: b/],
    ["a flag given twice", ["--count", "1", "--count", "2"], /--count is given twice/],
  ])("%s is an error", (_what, argv, expected) => {
    expect(() => parse(...argv)).toThrow(expected);
    expect(() => parse(...argv)).toThrow(UserError);
  });

  test.each(["0.5", "-1", "11", "", "three"])("--count %j is refused", (text) => {
    expect(() => parse(`--count=${text}`).integer("count", 1, 0, 10)).toThrow(/--count/);
  });

  test("points in time", () => {
    const now = Date.UTC(2026, 0, 2);
    const args = parse();
    expect(args.time("now", now)).toBe(now);
    expect(args.time("-1h", now)).toBe(now - 3_600_000);
    expect(args.time("1700000000.5", now)).toBe(1_700_000_000_500);
    expect(args.time("2026-01-01T00:00:00Z", now)).toBe(Date.UTC(2026, 0, 1));
    expect(() => args.time("soon", now)).toThrow(/soon is not a time/);
  });
});

describe("the command line", () => {
  test("lists the commands, and each command its flags", () => {
    const overview = cli("--help");
    expect(overview.status).toBe(0);
    for (const name of ["up", "down", "status", "feed", "check", "query", "preview"]) {
      expect(overview.stdout).toMatch(new RegExp(`^ {2}${name} `, "m"));
    }
    expect(cli("feed", "--help").stdout).toMatch(/--rounds <n> .*one per interval/);
  });

  test("an unknown command is an error that lists the known ones", () => {
    const result = cli("dwon");
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("error: unknown command dwon");
    expect(result.stderr).toContain("up, down, status");
  });

  test("a stack without a config file is an error before anything is started", () => {
    const result = cli("up", "nosuchstack");
    expect(result.status).toBe(1);
    expect(result.stderr).toContain("stack nosuchstack has no config file Pulumi.nosuchstack.yaml");
  });
});

describe("what is shown", () => {
  test("tables align numbers to the right", () => {
    expect(
      table(
        ["name", "series"],
        [
          ["a", "1,000"],
          ["longer", "5"],
        ],
      ),
    ).toEqual(["name    series", "------  ------", "a        1,000", "longer       5"]);
    expect(grouped(105_011)).toBe("105,011");
  });

  test("answers of every type", () => {
    const samples = [1, 2, 3].map((value) => ({ labels: { __name__: "up", job: "x" }, timestamp: 0, value }));
    expect(formatResult({ type: "vector", samples, warnings: [] }, 2)).toEqual([
      "series       value",
      "-----------  -----",
      'up{job="x"}      1',
      'up{job="x"}      2',
      "... 1 more (--limit, or --json for all)",
    ]);
    expect(formatResult({ type: "scalar", timestamp: 0, value: 7, warnings: [] }, 9)).toEqual(["7"]);
    const matrix = formatResult({ type: "matrix", series: [{ labels: {}, values: [[0, 1]] }], warnings: [] }, 9);
    expect(matrix.slice(2)).toEqual(["{}      1970-01-01T00:00:00.000Z      1", "1 rows"]);
  });

  test("components: ready pods, restarts, and what is not ready", () => {
    const pod = (name: string, component: string, ready: boolean, restartCount: number) => ({
      metadata: { name, labels: { "app.kubernetes.io/name": component } },
      status: { phase: ready ? "Running" : "Pending", containerStatuses: [{ name: "main", ready, restartCount }] },
    });
    expect(
      componentsOf([pod("hub-0", "hub", true, 1), pod("hub-1", "hub", false, 2), pod("q", "querier", true, 0)]),
    ).toEqual([
      { component: "hub", pods: 2, ready: 1, restarts: 3, trouble: ["hub-1 Pending (main)"] },
      { component: "querier", pods: 1, ready: 1, restarts: 0, trouble: [] },
    ]);
  });

  test("run names sort by time and are fit for a label and a file", () => {
    const first = newRunName(new Date(Date.UTC(2026, 10, 22, 12, 30, 5)));
    const second = newRunName(new Date(Date.UTC(2026, 10, 22, 12, 30, 6)));
    expect(first).toMatch(/^r20261122-123005-[0-9a-f]{4}$/);
    expect(first < second).toBe(true);
  });
});

describe("stack outputs", () => {
  test("none means not deployed; another shape is an error that says so", () => {
    expect(parseOutputs({})).toBeUndefined();
    expect(() => parseOutputs({ namespace: 3 })).toThrow(/outputs are not what this version writes/);
  });
});
