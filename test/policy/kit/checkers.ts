import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { toolPath } from "../../../local/toolchain/build";
import { checkerTools } from "../../../local/toolchain/table";

/** Path of a checker: built in the cache, or on PATH; undefined where there is none. */
export function checker(name: string): string | undefined {
  const tool = checkerTools.find((each) => each.name === name);
  if (tool !== undefined && existsSync(toolPath(tool))) return toolPath(tool);
  return spawnSync(name, ["--help"]).error === undefined ? name : undefined;
}

/** Runs a checker with a file's content on its standard input; its standard output. */
export function runChecker(program: string, args: readonly string[], input: string): string {
  const { stdout, stderr, error } = spawnSync(program, args, { input, encoding: "utf8", maxBuffer: 64 * 2 ** 20 });
  if (error !== undefined) throw error;
  if (stdout === "") throw new Error(`${program} printed nothing: ${stderr}`);
  return stdout;
}
