import { delimiter, join } from "node:path";
import { run } from "../process";
import { ensureBuilt, toolFolder } from "./build";
import { checkerTools, clientTools, type Tool } from "./table";

/** A tool on PATH that is good enough to be used instead of building one. */
interface Acceptable {
  readonly tool: string;
  readonly command: readonly string[];
  /** Finds major and minor version in the command's output. */
  readonly pattern: RegExp;
  readonly least: readonly [number, number];
  /** Tools that come with it and need not be built either. */
  readonly brings: readonly string[];
}

const acceptable: readonly Acceptable[] = [
  {
    tool: "pulumi",
    command: ["pulumi", "version"],
    pattern: /v(\d+)\.(\d+)/,
    least: [3, 216],
    // A released CLI has its language host beside it and fetches provider plugins by itself.
    brings: ["pulumi-language-nodejs", "pulumi-resource-kubernetes"],
  },
  {
    tool: "kubectl",
    command: ["kubectl", "version", "--client"],
    pattern: /Client Version: v(\d+)\.(\d+)/,
    // kubectl supports servers one minor version away; the local cluster is 1.35.
    least: [1, 34],
    brings: [],
  },
  { tool: "promtool", command: ["promtool", "--version"], pattern: /version (\d+)\.(\d+)/, least: [3, 14], brings: [] },
];

/** What is on PATH of one acceptable tool: its version, and whether it is good enough. */
export async function foundOnPath(
  name: string,
): Promise<{ readonly version: string; readonly good: boolean } | undefined> {
  const wanted = acceptable.find((each) => each.tool === name);
  const [program, ...args] = wanted?.command ?? [];
  if (wanted === undefined || program === undefined) return undefined;
  const printed = await run(program, args).catch(() => undefined);
  const match = printed === undefined ? null : wanted.pattern.exec(`${printed.stdout}\n${printed.stderr}`);
  if (match === null) return undefined;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  const [leastMajor, leastMinor] = wanted.least;
  return {
    version: `${String(major)}.${String(minor)}`,
    good: major > leastMajor || (major === leastMajor && minor >= leastMinor),
  };
}

/** Client tools that have to be built here because PATH has none in a good version. */
export async function clientsToBuild(withCheckers: boolean): Promise<readonly Tool[]> {
  const candidates = [...clientTools, ...(withCheckers ? checkerTools : [])];
  const present = new Set<string>();
  for (const each of acceptable) {
    if ((await foundOnPath(each.tool))?.good === true) [each.tool, ...each.brings].forEach((name) => present.add(name));
  }
  return candidates.filter((tool) => !present.has(tool.name));
}

/** Builds the client tools that are missing; gives the PATH with which commands find them. */
export async function ensureClients(withCheckers: boolean): Promise<string> {
  const tools = await clientsToBuild(withCheckers);
  await ensureBuilt(tools);
  // The Pulumi that is built here is older than 3.239: it starts policy packs through a program on PATH.
  const shims = tools.some(({ name }) => name === "pulumi") ? [join(__dirname, "bin")] : [];
  return [...tools.map(toolFolder), ...shims, process.env["PATH"] ?? ""].join(delimiter);
}
