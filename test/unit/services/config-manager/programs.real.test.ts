import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RuleStore } from "../../../../services/config-manager/rule-store";
import { prometheusTarget, Refused, rulerTarget, type Target } from "../../../../services/config-manager/targets";
import { realTools } from "../../components/rules/real-tools";

/** How the real Prometheus and the real Ruler take rules from a folder, and what they say to bad ones. */

const good = "groups:\n- name: t1\n  rules:\n  - alert: Down\n    expr: up == 0\n";
const other = "groups:\n- name: t2\n  rules:\n  - record: a:b\n    expr: up\n";
const bad = "groups:\n- name: t1\n  rules:\n  - alert: Down\n    expr: sum(\n";

let folder = "";
let child: ChildProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "programs-"));
});
afterEach(async () => {
  child?.kill("SIGKILL");
  await sleep(200);
  rmSync(folder, { recursive: true, force: true });
});

async function start(program: string, args: readonly string[], target: Target): Promise<void> {
  child = spawn(program, args, { cwd: folder, stdio: "ignore" });
  for (let tries = 0; !(await target.isReady()); tries++) {
    if (tries > 200) throw new Error(`${program} does not start`);
    await sleep(200);
  }
}

async function change(target: Target, store: RuleStore, files: Readonly<Record<string, string>>): Promise<void> {
  const taken = await target.expectChange();
  store.write(files);
  await taken(files);
}

async function rulesAt(url: string): Promise<readonly string[]> {
  const { data } = (await (await fetch(`${url}/api/v1/rules`)).json()) as {
    data: { groups: { rules: { name: string }[] }[] };
  };
  return data.groups.flatMap(({ rules }) => rules.map(({ name }) => name)).sort();
}

async function contract(target: Target, url: string, store: RuleStore): Promise<void> {
  await change(target, store, { "t1_rules.yml": good });
  expect(await rulesAt(url)).toStrictEqual(["Down"]);
  await change(target, store, { "t1_rules.yml": good, "t2_rules.yml": other });
  expect(await rulesAt(url)).toStrictEqual(["Down", "a:b"]);
  await expect(change(target, store, { "t1_rules.yml": bad, "t2_rules.yml": other })).rejects.toBeInstanceOf(Refused);
  // Back to what it was: a Prometheus that compares would not look at it again.
  await change(target, store, { "t1_rules.yml": good });
  expect(await rulesAt(url)).toStrictEqual(["Down"]);
  await change(target, store, {});
  expect(await rulesAt(url)).toStrictEqual([]);
}

describe("the real programs", () => {
  test.skipIf(realTools.prometheus === undefined)("Prometheus picks changes up by itself, and is seen to", async () => {
    const [url, into] = ["http://127.0.0.1:39095", join(folder, "managed-rules")];
    const store = new RuleStore(into);
    writeFileSync(join(folder, "prometheus.yml"), `rule_files: ["${into}/[^.]*.yml"]\n`);
    const target = prometheusTarget(url, into);
    const flags = ["--config.auto-reload", "--config.auto-reload-interval=1s", "--web.listen-address=127.0.0.1:39095"];
    await start(realTools.prometheus ?? "", ["--config.file=prometheus.yml", ...flags], target);
    await contract(target, url, store);
  });

  test.skipIf(realTools.thanos === undefined)("a Ruler reloads when it is told to", async () => {
    const [url, data] = ["http://127.0.0.1:39902", join(folder, "data")];
    mkdirSync(data);
    const into = join(data, "managed-rules");
    const store = new RuleStore(into);
    const target = rulerTarget(url);
    const flags = {
      "data-dir": data,
      "rule-file": `${into}/[^.]*.yml`,
      label: 'replica="a"',
      query: "http://127.0.0.1:1",
      "http-address": "127.0.0.1:39902",
      "grpc-address": "127.0.0.1:39901",
    };
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
    await start(realTools.thanos ?? "", ["rule", ...args], target);
    await contract(target, url, store);
    expect(existsSync(join(into, "generation.yml"))).toBe(true);
  });
});
