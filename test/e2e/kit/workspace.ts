import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dump, load } from "js-yaml";
import { z } from "zod";
import { repositoryRoot, stateDirectory } from "../../../tools/paths";
import { BackgroundCommand, mustRun, runCommand, stopEverything, type CommandResult } from "./command";
import { removeNamespaces } from "./objects";

/** What a deployment needs of the repository. */
const folders = ["stacks", "components", "infra", "model", "services", "tools"] as const;
const files = ["Pulumi.yaml", "package.json", "package-lock.json", "tsconfig.json"] as const;

const stackSchema = z.object({ config: z.record(z.string(), z.unknown()) });

/** Config below the namespace `scaled-prometheus`. */
export type StackConfig = Readonly<Record<string, unknown>>;

/** The config of a stack file of the repository, without the namespace of its keys. */
export function committedConfig(stack: "dev" | "single"): StackConfig {
  const text = readFileSync(join(repositoryRoot, `Pulumi.${stack}.yaml`), "utf8");
  const { config } = stackSchema.parse(load(text));
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key.replace(/^scaled-prometheus:/, ""), value]),
  );
}

/**
 * A copy of the program with a Pulumi backend of its own, in a folder that one suite owns: stack files and state of tests
 * never appear in the repository, and what a broken run left behind goes when the next one starts.
 */
export class Workspace {
  readonly root: string;
  readonly state: string;
  private readonly folder: string;

  private constructor(
    suite: string,
    private readonly namespaces: readonly string[],
  ) {
    this.folder = join(stateDirectory(), "e2e", suite);
    this.root = join(this.folder, "repository");
    this.state = join(this.folder, "state");
  }

  /** Removes what an earlier run left, namespaces included, and makes a fresh copy. */
  static async create(suite: string, namespaces: readonly string[]): Promise<Workspace> {
    const workspace = new Workspace(suite, namespaces);
    await workspace.remove();
    mkdirSync(workspace.root, { recursive: true });
    mkdirSync(workspace.state, { recursive: true });
    for (const each of folders) {
      cpSync(join(repositoryRoot, each), join(workspace.root, each), {
        recursive: true,
        filter: (source) => !source.includes("node_modules"),
      });
    }
    for (const each of files) cpSync(join(repositoryRoot, each), join(workspace.root, each));
    symlinkSync(join(repositoryRoot, "node_modules"), join(workspace.root, "node_modules"));
    return workspace;
  }

  /** Ends what still runs and removes namespaces (with their claims), stacks and files. */
  async remove(): Promise<void> {
    await stopEverything();
    await removeNamespaces(this.namespaces);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A folder for files of a test. */
  scratch(name: string): string {
    const path = join(this.folder, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** Writes Pulumi.<stack>.yaml, and the copy of it that tools/cli.ts has made; salts that Pulumi has put there stay. */
  writeStack(stack: string, config: StackConfig): void {
    const keys = Object.entries(config).map(([key, value]) => [`scaled-prometheus:${key}`, value] as const);
    const path = join(this.root, `Pulumi.${stack}.yaml`);
    for (const each of [path, this.configOfTools(stack)]) {
      if (each !== path && !existsSync(each)) continue;
      const before: unknown = existsSync(each) ? load(readFileSync(each, "utf8")) : {};
      const salt = z.object({ encryptionsalt: z.string().optional() }).catch({}).parse(before);
      writeFileSync(each, dump({ ...salt, config: Object.fromEntries(keys) }, { lineWidth: -1 }));
    }
  }

  /** A command of tools/cli.ts, as make calls it. */
  tool(args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
    return runCommand(["node", "--require", "tsx/cjs", "tools/cli.ts", ...args], this.options(more));
  }

  /** The same, and it must succeed. */
  mustTool(args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<CommandResult> {
    return mustRun(["node", "--require", "tsx/cjs", "tools/cli.ts", ...args], this.options(more));
  }

  /** The same in the background; `prefix` goes before the command, such as nsenter. */
  startTool(args: readonly string[], prefix: readonly string[] = []): BackgroundCommand {
    return new BackgroundCommand(
      [...prefix, "node", "--require", "tsx/cjs", "tools/cli.ts", ...args],
      this.options({}),
    );
  }

  /** Plain pulumi with a file backend, as somebody without make has it; killed when it takes longer than the limit. */
  pulumi(args: readonly string[], limitSeconds?: number): Promise<CommandResult> {
    return runCommand(["pulumi", ...args], this.options(this.plainPulumi()), limitSeconds);
  }

  /** The same, and it must succeed. */
  mustPulumi(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<CommandResult> {
    return mustRun(["pulumi", ...args], this.options({ ...this.plainPulumi(), ...environment }));
  }

  /** The same in the background. */
  startPulumi(args: readonly string[]): BackgroundCommand {
    return new BackgroundCommand(["pulumi", ...args], this.options(this.plainPulumi()));
  }

  /** Arguments for plain pulumi on a stack that tools/cli.ts has made: its config is kept beside the state. */
  stackOfTools(stack: string): readonly string[] {
    return ["--stack", stack, "--config-file", this.configOfTools(stack)];
  }

  private configOfTools(stack: string): string {
    return join(this.state, "config", `Pulumi.${stack}.yaml`);
  }

  /** Variables under which pulumi, and tools, use the file backend as somebody who chose it themselves. */
  plainPulumi(): NodeJS.ProcessEnv {
    return { PULUMI_BACKEND_URL: `file://${this.state}`, PULUMI_CONFIG_PASSPHRASE: "" };
  }

  private options(more: NodeJS.ProcessEnv): { cwd: string; env: NodeJS.ProcessEnv } {
    // A backend that the caller has chosen is left alone.
    const inherited = { ...process.env, PULUMI_BACKEND_URL: undefined };
    const env = { ...inherited, SCALED_PROMETHEUS_BACKEND_DIR: this.state, PULUMI_SKIP_UPDATE_CHECK: "true", ...more };
    return { cwd: this.root, env };
  }
}
