import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { toolPath } from "../../local/toolchain/build";
import { checkerTools } from "../../local/toolchain/table";

function find(): string | undefined {
  const onPath = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "promtool"));
  const built = checkerTools.filter(({ name }) => name === "promtool").map((tool) => toolPath(tool));
  return [...onPath, ...built].find((path) => existsSync(path));
}

/** The real promtool: on PATH, or built by `make cluster`. Undefined where there is none: its tests are skipped then. */
export const promtool = find();

/** Runs promtool in a folder with these files; gives back what it printed when it fails, else the empty string. */
export function promtoolErrors(args: readonly string[], files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "promtool-"));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const result = spawnSync(promtool ?? "promtool", args, { cwd: folder, encoding: "utf8", timeout: 60_000 });
    if (result.error !== undefined) throw result.error;
    return result.status === 0 ? "" : `${result.stdout}\n${result.stderr}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
