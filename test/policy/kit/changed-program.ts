import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { build, type Plugin } from "esbuild";
import type { Resource } from "../../../policies/kit/policy";
import type { StackConfig } from "./record";

const ROOT = join(__dirname, "../../..");

/** One replacement in one file of the program. */
export interface SourceReplacement {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Gives the bundler each of our files, changed where it is the one that is meant, with its own place in `__dirname`. */
function changing({ file, from, to }: SourceReplacement): Plugin {
  return {
    name: "changed-program",
    setup: (bundle) => {
      bundle.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const source = readFileSync(path, "utf8");
        const isMeant = relative(ROOT, path) === file;
        if (isMeant && !source.includes(from)) throw new Error(`${file} does not hold the text to change: ${from}`);
        const changed = isMeant ? source.replace(from, () => to) : source;
        return { contents: changed.replaceAll("__dirname", JSON.stringify(dirname(path))), loader: "ts" };
      });
    },
  };
}

/** Runs the program of a stack with one change in its source, which stays as it is on disk. */
export async function recordChanged(replacement: SourceReplacement, config: StackConfig): Promise<readonly Resource[]> {
  // Beside the packages, so that the bundle finds them: Pulumi's SDK must be the one that is loaded already.
  const cache = join(ROOT, "node_modules", ".cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "changed-program-"));
  const outfile = join(folder, "record.cjs");
  try {
    await build({
      entryPoints: [join(__dirname, "record.ts")],
      outfile,
      bundle: true,
      platform: "node",
      format: "cjs",
      packages: "external",
      logLevel: "silent",
      plugins: [changing(replacement)],
    });
    const changed = createRequire(__filename)(outfile) as typeof import("./record");
    return await changed.record(config);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
