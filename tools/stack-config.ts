/**
 * The few config keys that the tools themselves need, read from Pulumi.<stack>.yaml. The program validates the whole
 * file; here unreadable values fall back to the program's defaults, so that its error is the one that is seen.
 */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { load } from "js-yaml";
import { z } from "zod";
import type { KubectlTarget } from "./kubectl";
import { parseDuration } from "../model/durations";
import { LOCAL_DEFAULT } from "../model/retention";
import { STORAGE_PHASES, type DeployedPhase } from "../model/storage-phase";
import { repositoryRoot } from "./paths";
import { UserError } from "./terminal";

/** What the tools know of a stack's config. */
export interface StackConfig {
  readonly path: string;
  /** It makes a cluster and has no pipeline. */
  readonly makesCluster: boolean;
  readonly createThanos: boolean;
  readonly serversCount: number;
  readonly retiredShards: readonly number[];
  readonly deletionProtection: boolean;
  /** The stack names its cluster itself (`scaled-prometheus:cluster`). */
  readonly cluster: KubectlTarget | undefined;
  /** Phase of object storage; "off" without it. */
  readonly storagePhase: DeployedPhase;
  /** What local disks keep in phase shrunk, in milliseconds. */
  readonly localRetention: number;
  /** The retention that applies, in Prometheus' notation, if the file sets it. */
  readonly retention: string | undefined;
}

/** Last part of `org/project/stack`: what the config file is called after. */
export function shortStackName(stack: string): string {
  return stack.split("/").at(-1) ?? stack;
}

/** Path of a stack's config file; an error that lists the stacks there are when it is missing. */
export function stackConfigPath(stack: string, root = repositoryRoot): string {
  const path = join(root, `Pulumi.${shortStackName(stack)}.yaml`);
  if (existsSync(path)) return path;
  const known = readdirSync(root)
    .map((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1])
    .filter((name) => name !== undefined);
  throw new UserError(
    `stack ${stack} has no config file Pulumi.${shortStackName(stack)}.yaml`,
    `use one of ${known.join(", ")}, or copy one of their files`,
  );
}

/** Pulumi writes what `config set` gets as text: `"3"`, `"true"`, `"[2]"`. */
function plain(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function read<T extends z.ZodType>(
  config: Readonly<Record<string, unknown>>,
  key: string,
  schema: T,
): z.infer<T> | undefined {
  const parsed = schema.safeParse(plain(config[`scaled-prometheus:${key}`]));
  return parsed.success ? parsed.data : undefined;
}

/** Absolute path of a kubeconfig as config names it: `~/` is the home folder, else relative to the repository. */
function kubeconfigPath(path: string, root: string): string {
  return resolve(root, path.startsWith("~/") ? join(homedir(), path.slice(2)) : path);
}

const clusterSchema = z.object({ path: z.string().optional(), context: z.string().optional() });
const storageSchema = z.object({ phase: z.enum(STORAGE_PHASES).default("steady") });
const retentionSchema = z.object({
  single: z.string().optional(),
  sharded: z.string().optional(),
  local: z.string().optional(),
});
const retiredSchema = z.array(
  z.union([z.number().int(), z.object({ shard: z.number().int() }).transform(({ shard }) => shard)]),
);

function localRetention({ single, sharded, local }: z.infer<typeof retentionSchema> = {}): number {
  const longest = parseDuration(sharded ?? single ?? "") ?? LOCAL_DEFAULT;
  return parseDuration(local ?? "") ?? Math.min(LOCAL_DEFAULT, longest);
}

/** Reads the config text of a stack. */
export function parseStackConfig(text: string, path: string, root = repositoryRoot): StackConfig {
  const file = z.object({ config: z.record(z.string(), z.unknown()).optional() }).safeParse(load(text) ?? {});
  const config = file.success ? (file.data.config ?? {}) : {};
  const createThanos = read(config, "createThanos", z.boolean()) ?? false;
  const cluster = read(config, "cluster", clusterSchema);
  const retention = read(config, "retention", retentionSchema);
  return {
    path,
    makesCluster: read(config, "program", z.string()) === "cluster",
    createThanos,
    serversCount: createThanos ? (read(config, "serversCount", z.number().int()) ?? 1) : 1,
    retiredShards: read(config, "retiredShards", retiredSchema) ?? [],
    deletionProtection: read(config, "deletionProtection", z.boolean()) ?? true,
    cluster:
      cluster === undefined
        ? undefined
        : {
            ...(cluster.path === undefined ? {} : { kubeconfig: kubeconfigPath(cluster.path, root) }),
            ...(cluster.context === undefined ? {} : { context: cluster.context }),
          },
    storagePhase: read(config, "objectStorage", storageSchema)?.phase ?? "off",
    localRetention: localRetention(retention),
    retention: createThanos ? retention?.sharded : retention?.single,
  };
}

/** Reads the config file of a stack. */
export function readStackConfig(stack: string, root = repositoryRoot): StackConfig {
  const path = stackConfigPath(stack, root);
  return parseStackConfig(readFileSync(path, "utf8"), path, root);
}

/** Shards that a config deploys: the ring and the retired ones. */
export function deployedShards(config: Pick<StackConfig, "serversCount" | "retiredShards">): ReadonlySet<number> {
  return new Set([...Array.from({ length: config.serversCount }, (_, index) => index), ...config.retiredShards]);
}
