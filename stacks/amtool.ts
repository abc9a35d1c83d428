import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toYaml } from "../components/kit/yaml";
import type { Violation } from "./violation";

/** Longest that amtool may take, in milliseconds. */
const TIMEOUT = 30_000;

/**
 * What the real amtool says of Alertmanager's configuration; nothing where it is not installed.
 * The file is readable by its owner only and goes at once, because it may hold secrets.
 */
export function amtoolViolations(config: object): readonly Violation[] {
  const folder = mkdtempSync(join(tmpdir(), "alertmanager-"));
  try {
    const path = join(folder, "alertmanager.yml");
    writeFileSync(path, toYaml(config), { mode: 0o600 });
    const result = spawnSync("amtool", ["check-config", path], { encoding: "utf8", timeout: TIMEOUT });
    if (result.error !== undefined || result.status === 0) return [];
    const message = amtoolMessage(`${result.stdout}\n${result.stderr}`);
    const fix = "correct the key that it names";
    return [{ path: "alertmanager.config", value: config, rule: `amtool check-config accepts it: ${message}`, fix }];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The reason in amtool's output, without the values that it quotes. */
export function amtoolMessage(output: string): string {
  // Several YAML errors stand indented below the first line.
  const found = /FAILED: (.*(?:\n[ \t]+.*)*)/.exec(output)?.[1] ?? output.trim();
  return found.replaceAll(/\s+/g, " ").replaceAll(/`[^`]*`/g, "a value");
}
