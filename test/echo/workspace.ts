import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { dump, load } from "js-yaml";
import { z } from "zod";
import { run, type ChildResult } from "../../tools/child";
import { digestPreview, type PreviewDigest } from "../../tools/preview/digest";
import { repositoryRoot } from "../../tools/paths";

/** What a deployment does not need of the repository. */
const LEFT_OUT: ReadonlySet<string> = new Set([".git", ".state", "bench", "docs", "node_modules", "test"]);

const PLUGINS = ["bin", "bin-kubernetes"].map((folder) => join(__dirname, folder));

const fileSchema = z.looseObject({ config: z.record(z.string(), z.unknown()) });
const stateSchema = z.object({
  deployment: z.object({
    resources: z.array(z.looseObject({ urn: z.string(), type: z.string(), protect: z.boolean().optional() })),
  }),
});

/** Config below the namespace `scaled-prometheus`. */
export type Keys = Readonly<Record<string, unknown>>;

/** A copy of the program with a state of its own, deployed by the real CLI through the echo provider. */
export class EchoWorkspace {
  private constructor(private readonly folder: string) {}

  static create(): EchoWorkspace {
    const workspace = new EchoWorkspace(mkdtempSync(join(tmpdir(), "scaled-prometheus-echo-")));
    const { root } = workspace;
    for (const each of ["state", "home", "repository"]) mkdirSync(join(workspace.folder, each));
    for (const each of readdirSync(repositoryRoot)) {
      if (LEFT_OUT.has(each)) continue;
      cpSync(join(repositoryRoot, each), join(root, each), {
        recursive: true,
        filter: (source) => !source.includes("node_modules"),
      });
    }
    symlinkSync(join(repositoryRoot, "node_modules"), join(root, "node_modules"));
    return workspace;
  }

  /** Folder of the copy. */
  get root(): string {
    return join(this.folder, "repository");
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Writes Pulumi.<stack>.yaml: what is committed for `like`, with other values for some keys (undefined: none). */
  writeStack(stack: string, changes: Keys = {}, like = stack): void {
    const path = join(this.root, `Pulumi.${stack}.yaml`);
    const salt = this.saltOf(path);
    const { config } = fileSchema.parse(load(readFileSync(join(repositoryRoot, `Pulumi.${like}.yaml`), "utf8")));
    const changed = Object.entries(changes).map(([key, value]) => [`scaled-prometheus:${key}`, value] as const);
    writeFileSync(path, dump({ ...salt, config: { ...config, ...Object.fromEntries(changed) } }, { lineWidth: -1 }));
  }

  /** Pulumi writes it into the file when it makes the stack. */
  private saltOf(path: string): object {
    try {
      return z.object({ encryptionsalt: z.string() }).parse(load(readFileSync(path, "utf8")));
    } catch {
      return {};
    }
  }

  /** Makes a stack with the config that is committed for it, or for `like`. */
  async makeStack(stack: string, changes: Keys = {}, like = stack): Promise<void> {
    this.writeStack(stack, changes, like);
    await this.mustPulumi(["stack", "init", stack, "--no-select"]);
  }

  /** Deploys a stack. */
  async up(stack: string): Promise<void> {
    await this.mustPulumi(["up", "--stack", stack, "--yes", "--skip-preview", "--suppress-outputs"]);
  }

  /** What an `up` would do. */
  async plan(stack: string): Promise<PreviewDigest> {
    const { stdout } = await this.pulumi(["preview", "--json", "--stack", stack]);
    return digestPreview(JSON.parse(stdout.slice(stdout.indexOf("{"))));
  }

  /** URNs of everything that a stack has deployed, sorted; `[protected]` follows that of a protected resource. */
  async inventory(stack: string): Promise<readonly string[]> {
    const { stdout } = await this.mustPulumi(["stack", "export", "--stack", stack]);
    const { resources } = stateSchema.parse(JSON.parse(stdout)).deployment;
    return resources.map(({ urn, protect }) => (protect === true ? `${urn} [protected]` : urn)).sort();
  }

  /** Plain pulumi. */
  pulumi(args: readonly string[]): Promise<ChildResult> {
    return run("pulumi", args, { cwd: this.root, environment: this.environment() });
  }

  async mustPulumi(args: readonly string[]): Promise<ChildResult> {
    const result = await this.pulumi(args);
    if (result.code === 0) return result;
    const text = `${result.stdout}\n${result.stderr}`.trim().split("\n").slice(-40).join("\n");
    throw new Error(`pulumi ${args.join(" ")} ended with ${String(result.code)}:\n${text}`);
  }

  /** A command of tools/cli.ts, as make calls it. */
  tool(args: readonly string[]): Promise<ChildResult> {
    const command = ["--require", "tsx/cjs", "tools/cli.ts", ...args];
    return run("node", command, { cwd: this.root, environment: this.environment() });
  }

  private environment(): Readonly<Record<string, string>> {
    return {
      KUBECONFIG: join(this.folder, "no-kubeconfig"),
      PATH: [...PLUGINS, process.env["PATH"] ?? ""].join(delimiter),
      PULUMI_BACKEND_URL: `file://${join(this.folder, "state")}`,
      PULUMI_CONFIG_PASSPHRASE: "",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      // The file backend would write the whole state after every step: 46 s of an up of prod, which takes 6 s without.
      PULUMI_EXPERIMENTAL: "true",
      PULUMI_SKIP_CHECKPOINTS: "true",
      PULUMI_HOME: join(this.folder, "home"),
      PULUMI_SKIP_UPDATE_CHECK: "true",
    };
  }
}
