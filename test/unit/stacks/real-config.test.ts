import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { toYaml } from "../../../components/kit/yaml";
import { amtoolViolations } from "../../../stacks/amtool";
import { parseConfig } from "../../../stacks/config";
import { buildTopology } from "../../../stacks/topology";
import { realTools } from "../components/rules/real-tools";
import { SERVICES } from "./services";

let folder = "";
const path = process.env["PATH"] ?? "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "config-"));
});
afterEach(() => {
  process.env["PATH"] = path;
  rmSync(folder, { recursive: true });
});

describe("generated configuration passes the real checkers", () => {
  test.skipIf(realTools.promtool === undefined).each([
    ["single", {}],
    ["sharded", { createThanos: true, serversCount: 2, retiredShards: [3] }],
  ])("prometheus.yaml of the size %s: promtool", (_, raw) => {
    for (const { index, replicas } of buildTopology(parseConfig(raw), SERVICES).shards) {
      const file = join(folder, `${String(index)}.yaml`);
      writeFileSync(file, toYaml(replicas[0]?.prometheus.config ?? {}));
      const result = spawnSync(realTools.promtool ?? "", ["check", "config", file], { encoding: "utf8" });
      expect(result.status, `${result.stdout}${result.stderr}`).toBe(0);
    }
  });

  test.skipIf(realTools.amtool === undefined)("alertmanager.yaml: amtool, which also refuses what is wrong", () => {
    process.env["PATH"] = [dirname(realTools.amtool ?? ""), path].join(delimiter);
    const { alertmanager } = buildTopology(parseConfig({}), SERVICES);
    expect(amtoolViolations(alertmanager.config)).toStrictEqual([]);
    expect(amtoolViolations({ ...alertmanager.config, raute: {} })[0]?.rule).toContain("raute");
  });
});

describe("amtool", () => {
  function pretend(script: string): void {
    writeFileSync(join(folder, "amtool"), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, "amtool"), 0o755);
    process.env["PATH"] = [folder, path].join(delimiter);
  }

  test("refuses with its reason, without the values that it quotes", () => {
    pretend("echo \"Checking '$2'  FAILED: yaml: cannot unmarshal !!str \\`geheim\\` into bool\"; exit 1");
    expect(amtoolViolations({})[0]?.rule).toBe(
      "amtool check-config accepts it: yaml: cannot unmarshal !!str a value into bool",
    );
  });

  test("where it is not installed says nothing", () => {
    process.env["PATH"] = "/nowhere";
    expect(amtoolViolations({})).toStrictEqual([]);
  });
});
