import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { say, secondsSince, step, UserError } from "../../tools/terminal";
import { cacheFolder, repository } from "../paths";
import { run } from "../process";
import { withLock } from "./lock";
import type { Tool } from "./table";

function groupFolder(tool: Tool): string {
  return join(repository, "local", "go", tool.group);
}

/** The version that the group's go.mod pins, as upstream tags it (`v3.216.0`); "own" for a program of this project. */
export function toolVersion(tool: Tool): string {
  if (tool.module === undefined) return "own";
  const text = readFileSync(join(groupFolder(tool), "go.mod"), "utf8");
  const line = text
    .split("\n")
    .map((each) => each.trim().replace(/^require /, ""))
    .find((each) => each.startsWith(`${tool.module ?? ""} v`));
  const version = line?.split(/\s+/)[1];
  if (version === undefined) throw new Error(`local/go/${tool.group}/go.mod does not pin ${tool.module}`);
  return version;
}

function inputsHash(tool: Tool): string {
  const hash = createHash("sha256").update(JSON.stringify(tool));
  for (const file of readdirSync(groupFolder(tool)).sort())
    hash.update(file).update(readFileSync(join(groupFolder(tool), file)));
  return hash.digest("hex").slice(0, 12);
}

/** The folder with the built tool in it, whether or not it is there yet. */
export function toolFolder(tool: Tool): string {
  return join(cacheFolder(), tool.name, `${toolVersion(tool)}-${inputsHash(tool)}`);
}

/** The built tool's path. */
export function toolPath(tool: Tool): string {
  return join(toolFolder(tool), tool.name);
}

function linkerFlags(tool: Tool): string {
  const version = toolVersion(tool);
  // Prometheus' Go module v0.314.0 is Prometheus 3.14.0.
  const shown = tool.group === "prometheus" ? version.replace(/^v0\.(\d)(\d\d)\./, "$1.$2.") : version;
  const plain = tool.group === "kubernetes" || tool.group === "pulumi" ? shown : shown.replace(/^v/, "");
  return ["-s", "-w", ...(tool.variables ?? []).map((each) => `-X ${each.replace("VERSION", plain)}`)].join(" ");
}

async function build(tool: Tool): Promise<void> {
  const folder = toolFolder(tool);
  const unfinished = `${folder}.building-${String(process.pid)}`;
  mkdirSync(unfinished, { recursive: true });
  await step(`building ${tool.name} ${toolVersion(tool)}`, async (progress) => {
    let packages = 0;
    let downloads = 0;
    const built = await run(
      "go",
      [
        "build",
        "-v",
        "-trimpath",
        "-mod=readonly",
        `-ldflags=${linkerFlags(tool)}`,
        ...(tool.tags === undefined ? [] : [`-tags=${tool.tags}`]),
        "-o",
        join(unfinished, tool.name),
        tool.package,
      ],
      {
        cwd: groupFolder(tool),
        env: { ...process.env, CGO_ENABLED: "0", GOTOOLCHAIN: "local", GOWORK: "off", GOFLAGS: "" },
        onLine: (line) => {
          if (line.startsWith("go: downloading ")) downloads += 1;
          else packages += 1;
          progress(`${String(downloads)} modules fetched, ${String(packages)} packages compiled`);
        },
      },
    );
    if (built.code !== 0) {
      rmSync(unfinished, { recursive: true, force: true });
      const last = built.stderr.trimEnd().split("\n").slice(-15).join("\n  ");
      throw new UserError(
        `go build of ${tool.name} failed; its last lines:\n  ${last}`,
        "check that Go's module proxy can be reached and that the disk has room, then run the same command again: what is built is kept",
      );
    }
    if (tool.alwaysWith !== undefined) writeWrapper(join(unfinished, tool.name), tool.alwaysWith);
    rmSync(folder, { recursive: true, force: true });
    renameSync(unfinished, folder);
  });
}

/** Puts a shell script of the same name in front of a program. */
function writeWrapper(program: string, flags: readonly string[]): void {
  renameSync(program, `${program}.real`);
  const quoted = flags.map((flag) => `'${flag}'`).join(" ");
  writeFileSync(program, `#!/bin/sh\nexec "$0.real" ${quoted} "$@"\n`, { mode: 0o755 });
}

/** Builds what is not in the cache yet; one build at a time over all clones of this user. */
export async function ensureBuilt(tools: readonly Tool[]): Promise<void> {
  const missing = tools.filter((tool) => !existsSync(toolPath(tool)));
  if (missing.length === 0) return;
  if ((await run("go", ["version"]).catch(() => undefined))?.code !== 0) {
    throw new UserError(
      "Go is not installed, and these tools are not built yet: " + missing.map((tool) => tool.name).join(", "),
      "install Go 1.26 or later, or put the tools on PATH",
    );
  }
  const startedAt = Date.now();
  say(
    `${String(missing.length)} tools to build (a first build of everything takes about 20 minutes on 2 cores; it is kept in ${cacheFolder()})`,
  );
  await withLock(join(cacheFolder(), "build.lock"), async () => {
    for (const [index, tool] of missing.entries()) {
      if (existsSync(toolPath(tool))) continue;
      say(`[${String(index + 1)}/${String(missing.length)}, ${secondsSince(startedAt)} s]`);
      await build(tool);
    }
  });
}
