/**
 * Runs Pulumi for a stack: finds the backend, makes the stack if it is missing, streams progress, reads outputs.
 *
 * `pulumi stack init` writes an encryption salt into Pulumi.<stack>.yaml. On a backend of our own that would leave a
 * committed file dirty, so there the stack is made from a scratch project of the same name beside the state, and every
 * command gets `--config-file` with a copy of the committed file plus that salt. On the user's own backend nothing is
 * special: the file belongs to the stack, as with plain Pulumi.
 */

import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { dump, load } from "js-yaml";
import { z } from "zod";
import type { Backend } from "./backend";
import { findBackend, hasStaleLocks, prepareBackend } from "./backend";
import type { ChildResult } from "./child";
import { MissingProgramError, run } from "./child";
import { PROJECT } from "../model/names";
import { repositoryRoot, stateDirectory } from "./paths";
import { shortStackName, stackConfigPath } from "./stack-config";
import { say, UserError } from "./terminal";

const fileSchema = z.looseObject({ encryptionsalt: z.string().optional(), secretsprovider: z.string().optional() });

function readYaml(path: string): z.infer<typeof fileSchema> {
  const parsed = fileSchema.safeParse(load(readFileSync(path, "utf8")) ?? {});
  if (parsed.success) return parsed.data;
  throw new UserError(`${path} is not a stack config file: ${z.prettifyError(parsed.error)}`);
}

const resourceSchema = z.looseObject({
  urn: z.string(),
  type: z.string(),
  protect: z.boolean().optional(),
  inputs: z.record(z.string(), z.unknown()).optional(),
});
const exportSchema = z.object({
  deployment: z.looseObject({
    resources: z.array(resourceSchema).nullish(),
    secrets_providers: z.looseObject({ state: z.looseObject({ salt: z.string().optional() }).optional() }).nullish(),
    pending_operations: z.array(z.looseObject({ resource: resourceSchema })).nullish(),
  }),
});

/** A resource as the state holds it. */
export type StateResource = z.infer<typeof resourceSchema>;

/** The state of a stack, as far as the tools look into it. */
export interface StackState {
  readonly resources: readonly StateResource[];
  /** Operations that an interrupted run left undecided. */
  readonly pending: readonly StateResource[];
  /** The passphrase provider's salt, if that is what encrypts the state's secrets. */
  readonly salt: string | undefined;
}

/** A stack that exists. */
export class PulumiStack {
  private constructor(
    readonly name: string,
    readonly backend: Backend,
  ) {}

  /** Finds a stack; `create` makes it when it is missing, else the answer is undefined. */
  static async open(name: string, options: { readonly create: boolean }): Promise<PulumiStack | undefined> {
    stackConfigPath(name);
    const backend = findBackend();
    prepareBackend(backend);
    const stack = new PulumiStack(name, backend);
    const found = await stack.pulumi(["stack", "output", "--json", "--stack", name]);
    if (found.code === 0) {
      await stack.recoverSalt();
      return stack;
    }
    if (!found.stderr.includes("no stack named")) throw failure(`stack ${name} can't be read`, found);
    if (!options.create) return undefined;
    await stack.init();
    return stack;
  }

  /** Arguments by which every command of this stack finds its config. */
  private configArguments(): readonly string[] {
    const committed = stackConfigPath(this.name);
    if (this.backend.owner === "user" || this.backend.directory === undefined) return [];
    const content = readYaml(committed);
    if (content.encryptionsalt !== undefined || content.secretsprovider !== undefined) return [];
    const scratch = this.scratchPath();
    const salt = existsSync(scratch) ? readYaml(scratch).encryptionsalt : undefined;
    const directory = join(this.backend.directory, "config");
    const path = join(directory, `Pulumi.${shortStackName(this.name)}.yaml`);
    mkdirSync(directory, { recursive: true });
    const text = dump(
      { ...content, ...(salt === undefined ? {} : { encryptionsalt: salt }) },
      { lineWidth: -1, noRefs: true },
    );
    const partial = `${path}.${String(process.pid)}`;
    writeFileSync(partial, text, { mode: 0o600 });
    renameSync(partial, path);
    return ["--config-file", path];
  }

  /** The state holds the salt, too: for a stack whose scratch file is gone. */
  private async recoverSalt(): Promise<void> {
    if (this.backend.owner === "user" || existsSync(this.scratchPath())) return;
    const { salt } = await this.state();
    if (salt === undefined) return;
    mkdirSync(dirname(this.scratchPath()), { recursive: true });
    writeFileSync(this.scratchPath(), dump({ encryptionsalt: salt }), { mode: 0o600 });
  }

  private scratchPath(): string {
    return join(this.backend.directory ?? "", "project", `Pulumi.${shortStackName(this.name)}.yaml`);
  }

  private async init(): Promise<void> {
    let place = repositoryRoot;
    const committed = readYaml(stackConfigPath(this.name));
    if (
      this.backend.owner === "ours" &&
      committed.encryptionsalt === undefined &&
      committed.secretsprovider === undefined
    ) {
      place = join(this.backend.directory ?? "", "project");
      mkdirSync(place, { recursive: true });
      writeFileSync(join(place, "Pulumi.yaml"), dump({ name: PROJECT, runtime: "nodejs" }));
      rmSync(this.scratchPath(), { force: true });
    }
    const made = await this.pulumi(["stack", "init", this.name, "--no-select"], undefined, place);
    if (made.code !== 0) throw failure(`stack ${this.name} can't be made`, made);
  }

  /** Deploys. Returns when everything is up; the whole output goes to a log file. */
  async up(onProgress: (note: string) => void): Promise<void> {
    await this.clearStaleLocks();
    // The preview that comes first refuses a deletion of what is protected; without it the rest would be deleted before.
    await this.operation("up", ["--yes", "--suppress-outputs"], onProgress);
    const { pending } = await this.state();
    if (pending.length === 0) return;
    say(`    ${String(pending.length)} operation(s) of an interrupted run are still open: reading the real state back`);
    await this.operation("refresh", ["--yes", "--skip-preview", "--clear-pending-creates"], onProgress);
  }

  /** Takes everything down. */
  async destroy(onProgress: (note: string) => void): Promise<void> {
    await this.clearStaleLocks();
    await this.operation("destroy", ["--yes", "--skip-preview", "--suppress-outputs"], onProgress);
  }

  /** Lifts the protection of every resource. */
  async unprotectAll(): Promise<void> {
    const result = await this.pulumi(["state", "unprotect", "--all", "--yes", "--stack", this.name]);
    if (result.code !== 0) throw failure("protection can't be lifted", result);
  }

  /** Forgets an empty stack of our own backend; a stack in the user's backend stays, with its history. */
  async remove(): Promise<void> {
    if (this.backend.owner === "user") return;
    const result = await this.pulumi(["stack", "rm", this.name, "--yes", "--preserve-config"]);
    if (result.code !== 0) throw failure(`stack ${this.name} can't be removed`, result);
    rmSync(this.scratchPath(), { force: true });
    rmSync(join(this.backend.directory ?? "", "config", `Pulumi.${shortStackName(this.name)}.yaml`), { force: true });
  }

  /** What an `up` would do, as the engine's JSON (`pulumi preview --json`). */
  async previewJson(
    extra: readonly string[] = [],
    environment: Readonly<Record<string, string>> = {},
  ): Promise<unknown> {
    const args = ["preview", "--json", "--stack", this.name, ...this.configArguments(), ...extra];
    const result = await this.pulumi(args, undefined, undefined, environment);
    const start = result.stdout.indexOf("{");
    if (start < 0) throw failure("pulumi preview failed", result);
    try {
      return JSON.parse(result.stdout.slice(start));
    } catch {
      throw failure("pulumi preview failed", result);
    }
  }

  /** Stack outputs of the last deployment. */
  async outputs(): Promise<unknown> {
    const result = await this.pulumi(["stack", "output", "--json", "--stack", this.name]);
    if (result.code !== 0) throw failure(`outputs of stack ${this.name} can't be read`, result);
    return JSON.parse(result.stdout);
  }

  /** The state's resources and open operations. */
  async state(): Promise<StackState> {
    const result = await this.pulumi(["stack", "export", "--stack", this.name]);
    if (result.code !== 0) throw failure(`state of stack ${this.name} can't be read`, result);
    const { deployment } = exportSchema.parse(JSON.parse(result.stdout));
    return {
      resources: deployment.resources ?? [],
      salt: deployment.secrets_providers?.state?.salt,
      pending: (deployment.pending_operations ?? []).map(({ resource }) => resource),
    };
  }

  /** How to run pulumi by hand on this stack, for messages. */
  commandPrefix(): string {
    if (this.backend.owner === "user") return "";
    const variables = Object.entries(this.backend.environment).filter(([key]) => key !== "PULUMI_SKIP_UPDATE_CHECK");
    return variables.map(([key, value]) => `${key}=${value === "" ? '""' : value} `).join("");
  }

  private async clearStaleLocks(): Promise<void> {
    if (!hasStaleLocks(this.backend, PROJECT, shortStackName(this.name))) return;
    say(`    stack ${this.name} is locked by a pulumi that no longer runs: removing the lock`);
    const result = await this.pulumi(["cancel", "--yes", "--stack", this.name]);
    if (result.code !== 0) throw failure("the lock can't be removed", result);
  }

  private async operation(
    command: string,
    extra: readonly string[],
    onProgress: (note: string) => void,
  ): Promise<void> {
    const logs = join(stateDirectory(), "logs");
    mkdirSync(logs, { recursive: true });
    const log = join(logs, `${shortStackName(this.name)}-${command}.log`);
    writeFileSync(log, "");
    let done = 0;
    const onLine = (line: string): void => {
      appendFileSync(log, `${line}\n`);
      if (/ (created|updated|deleted|replaced|refreshed)\b/.test(line)) done += 1;
      const shown = /^\s*[-+~><=*!]*\s*(\S*kubernetes:\S+|\S*scaled-prometheus:\S+|pulumi:\S+)\s+(\S+)\s+(.*)$/.exec(
        line,
      );
      if (shown !== null && !pluginRemark.test(line))
        onProgress(`${String(done)} done; ${shown[2] ?? ""} ${shown[3] ?? ""}`.slice(0, 110));
    };
    const args = [command, "--stack", this.name, "--non-interactive", "--color", "never", ...extra];
    const result = await this.pulumi([...args, ...this.configArguments()], onLine);
    if (result.code !== 0) throw failure(`pulumi ${command} of stack ${this.name} failed`, result, log);
  }

  private async pulumi(
    args: readonly string[],
    onLine: (line: string) => void = () => undefined,
    cwd = repositoryRoot,
    more: Readonly<Record<string, string>> = {},
  ): Promise<ChildResult> {
    try {
      return await run("pulumi", args, { cwd, environment: { ...this.backend.environment, ...more }, onLine });
    } catch (error) {
      if (error instanceof MissingProgramError) throw new UserError(error.message, "make doctor says how to get it");
      throw error;
    }
  }
}

/** Pulumi remarks on every plugin that it finds on PATH, which is where the local toolchain puts them. */
const pluginRemark = /warning: using pulumi-\S+ from \$PATH at /;

/** An error that carries Pulumi's diagnostics rather than all of its output. */
function failure(what: string, result: ChildResult, log?: string): UserError {
  const all = `${result.stdout}\n${result.stderr}`.split("\n");
  // A provider that dies prints its stacks; they are in the log.
  const crash = all.findIndex((line) => /^\s*(goroutine \d|PC=0x)/.test(line));
  const lines = (crash < 0 ? all : all.slice(0, crash)).filter(
    (line) => line.trim() !== "" && !pluginRemark.test(line),
  );
  const diagnostics = lines.findIndex((line) => line.startsWith("Diagnostics:"));
  const shown = (diagnostics >= 0 ? lines.slice(diagnostics + 1) : lines.slice(-25)).slice(0, 60);
  const stopped = result.signal === undefined ? "" : ` (ended by ${result.signal})`;
  return new UserError(
    `${what}${stopped}:\n${shown.map((line) => `    ${line}`).join("\n")}`,
    log === undefined ? undefined : `the whole output is in ${log}; the command can be run again`,
  );
}
