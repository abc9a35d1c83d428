import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, relative } from "node:path";

/** Name of the one file of the bundle. */
export const BUNDLE_FILE = "services.cjs";

/** Largest bundle: a ConfigMap holds 1 MiB, and the API server takes requests up to 1.5 MiB. */
export const BUNDLE_LIMIT_BYTES = 900_000;

/** What a bundle is made from: folders relative to the root, with all their TypeScript files, and single files. */
const INPUTS = { folders: ["services", "model"], files: ["package-lock.json"] } as const;

/** Part of the cache key: raise it when the build options below change. */
const BUILD_VERSION = "1";

/** Folder for what is built once per machine and shared by clones. */
function cacheFolder(): string {
  return process.env["SCALED_PROMETHEUS_CACHE"] ?? join(homedir(), ".cache", "scaled-prometheus");
}

function typescriptFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.name !== "node_modules")
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return typescriptFiles(path);
      return entry.name.endsWith(".ts") ? [path] : [];
    });
}

function inputsHash(root: string): string {
  const hash = createHash("sha256").update(BUILD_VERSION);
  const files = [
    ...INPUTS.folders.flatMap((folder) => typescriptFiles(join(root, folder))),
    ...INPUTS.files.map((file) => join(root, file)).filter((file) => existsSync(file)),
  ];
  for (const file of files.sort()) {
    hash.update(`\0${relative(root, file)}\0`).update(readFileSync(file));
  }
  return hash.digest("hex").slice(0, 20);
}

async function build(root: string): Promise<string> {
  // Loaded only when there is something to build: it costs start time on every run otherwise.
  const { build: esbuild } = await import("esbuild");
  const result = await esbuild({
    absWorkingDir: root,
    entryPoints: [join("services", "main.ts")],
    bundle: true,
    charset: "utf8",
    format: "cjs",
    legalComments: "none",
    logLevel: "silent",
    platform: "node",
    target: "node20",
    write: false,
  });
  return result.outputFiles[0]?.text ?? "";
}

/**
 * Our own services as one JavaScript file: the same bytes for the same sources, built once and cached.
 * @param root Folder of the repository.
 * @throws Error when the sources don't build, or when the bundle is too large for a ConfigMap.
 */
export async function servicesBundle(root: string): Promise<string> {
  const folder = join(cacheFolder(), "services", inputsHash(root));
  const path = join(folder, BUNDLE_FILE);
  if (existsSync(path)) return readFileSync(path, "utf8");
  const code = await build(root);
  checkBundleSize(code);
  mkdirSync(folder, { recursive: true });
  const partial = `${path}.${String(process.pid)}`;
  writeFileSync(partial, code);
  // Atomic, so that two runs at a time never see half a file.
  renameSync(partial, path);
  return code;
}

/** @throws Error when the bundle is too large. */
export function checkBundleSize(code: string): void {
  const bytes = Buffer.byteLength(code);
  if (bytes > BUNDLE_LIMIT_BYTES) {
    throw new Error(
      `services bundle is ${String(bytes)} bytes; a ConfigMap must stay below ${String(BUNDLE_LIMIT_BYTES)}: import less in services/`,
    );
  }
}
