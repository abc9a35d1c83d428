/** kubectl, aimed at the cluster that the stack names (or the one of KUBECONFIG). */

import { z } from "zod";
import { MissingProgramError, run } from "./child";
import { UserError } from "./terminal";

/** Which cluster: arguments that go before every command. */
export interface KubectlTarget {
  /** Path of a kubeconfig; default: KUBECONFIG. */
  readonly kubeconfig?: string;
  /** Context in it; default: its current one. */
  readonly context?: string;
  readonly namespace?: string;
}

/** Arguments that aim kubectl at `target`. */
export function targetArguments(target: KubectlTarget): readonly string[] {
  return [
    ...(target.kubeconfig === undefined ? [] : ["--kubeconfig", target.kubeconfig]),
    ...(target.context === undefined ? [] : ["--context", target.context]),
    ...(target.namespace === undefined ? [] : ["--namespace", target.namespace]),
  ];
}

/** The same as text that can be typed. */
export function commandLine(target: KubectlTarget, args: readonly string[]): string {
  return ["kubectl", ...targetArguments(target), ...args].join(" ");
}

/** Runs kubectl and gives its standard output; a failure is an error with kubectl's own words. */
export async function kubectl(target: KubectlTarget, args: readonly string[]): Promise<string> {
  try {
    const result = await run("kubectl", [...targetArguments(target), ...args]);
    if (result.code === 0) return result.stdout;
    throw new UserError(
      `${commandLine(target, args)} failed: ${result.stderr.trim().split("\n").slice(-3).join(" / ")}`,
      "is the cluster running, and is KUBECONFIG (or the stack's scaled-prometheus:cluster) right?",
    );
  } catch (error) {
    if (error instanceof MissingProgramError) throw new UserError(error.message, "make doctor says how to get it");
    throw error;
  }
}

const quantity = z.string();
const objectMeta = z.object({ name: z.string(), labels: z.record(z.string(), z.string()).optional() });

const podSchema = z.object({
  metadata: objectMeta,
  status: z.object({
    phase: z.string().default("Unknown"),
    containerStatuses: z
      .array(z.object({ name: z.string(), ready: z.boolean(), restartCount: z.number() }))
      .default([]),
  }),
});
const claimSchema = z.object({
  metadata: objectMeta,
  status: z.object({ phase: z.string().default("Unknown"), capacity: z.object({ storage: quantity }).optional() }),
});
const listOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item) });

export type Pod = z.infer<typeof podSchema>;
export type Claim = z.infer<typeof claimSchema>;

async function getList<T>(target: KubectlTarget, kind: string, parse: (json: unknown) => T): Promise<T> {
  return parse(JSON.parse(await kubectl(target, ["get", kind, "--output", "json"])));
}

/** Pods of the target's namespace. */
export async function getPods(target: KubectlTarget): Promise<readonly Pod[]> {
  return (await getList(target, "pods", (json) => listOf(podSchema).parse(json))).items;
}

/** Volume claims of the target's namespace. */
export async function getClaims(target: KubectlTarget): Promise<readonly Claim[]> {
  return (await getList(target, "persistentvolumeclaims", (json) => listOf(claimSchema).parse(json))).items;
}
