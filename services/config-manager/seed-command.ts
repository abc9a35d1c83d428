import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { flagHelp, readFlags, type Flag } from "../plumbing/args";
import { log } from "../plumbing/log";

const flags = {
  from: { help: "file with what the configuration starts as" },
  to: { help: "file that is made where there is none" },
  folder: { help: "folder that has to be there too" },
} satisfies Record<string, Flag>;

export const configSeedHelp = `config-seed: copies a file to where there is none, and ends\n${flagHelp(flags)}`;

/** Copies a file whole, unless there is one already. @returns whether it did. */
export function seed(from: string, to: string): boolean {
  if (existsSync(to)) return false;
  mkdirSync(dirname(to), { recursive: true });
  // Not a copy of the mode too: a mounted Secret is for reading.
  writeFileSync(`${to}.new`, readFileSync(from), { mode: 0o660 });
  renameSync(`${to}.new`, to);
  return true;
}

/** Runs before the programs that work with the file do, and ends. */
export function runConfigSeed(args: readonly string[]): Promise<void> {
  const values = readFlags(flags, args);
  if (values === undefined) {
    process.stdout.write(configSeedHelp);
    return Promise.resolve();
  }
  mkdirSync(values.folder, { recursive: true });
  log("info", "configuration", { path: values.to, written: seed(values.from, values.to) });
  return Promise.resolve();
}
