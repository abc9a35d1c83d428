import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { UserError } from "../tools/terminal";
import { repository } from "./paths";

/** Where a stack goes: the sealed local cluster, or one that somebody else runs. */
export interface Target {
  readonly local: boolean;
  /** Why, in words for the terminal. */
  readonly reason: string;
  /** Whether the local cluster needs Thanos' image for this stack. */
  readonly createThanos: boolean;
}

/**
 * Decides where a stack goes: the local cluster unless the variable KUBECONFIG is set or the stack's own `cluster`
 * names a path, context, EKS cluster or stack. `~/.kube/config` is never read here.
 *
 * @param stack name of a stack whose file is in this repository; absent: no stack, as for `make cluster`
 * @throws UserError when the stack has no file
 */
export function targetOf(stack: string | undefined): Target {
  const config = stack === undefined ? {} : stackConfig(stack);
  // Pulumi's CLI puts quotes around plain values when it rewrites a stack's file.
  const createThanos = stack === undefined || String(config["scaled-prometheus:createThanos"]) === "true";
  const kubeconfig = process.env["KUBECONFIG"];
  if (kubeconfig !== undefined && kubeconfig !== "") {
    return { local: false, reason: `the variable KUBECONFIG names ${kubeconfig}`, createThanos };
  }
  const cluster = config["scaled-prometheus:cluster"];
  if (typeof cluster === "object" && cluster !== null) {
    const named = Object.entries(cluster).filter(([key]) => key !== "kind");
    if (named.length > 0) {
      return { local: false, reason: `the stack's cluster is ${JSON.stringify(cluster)}`, createThanos };
    }
  }
  return { local: true, reason: "neither KUBECONFIG nor the stack names a cluster", createThanos };
}

function stackConfig(stack: string): Record<string, unknown> {
  const file = join(repository, `Pulumi.${stack}.yaml`);
  if (!existsSync(file)) {
    throw new UserError(
      `there is no stack file ${file}`,
      "STACK must be one of the Pulumi.<stack>.yaml files here, such as dev",
    );
  }
  const parsed: unknown = load(readFileSync(file, "utf8"));
  const config = typeof parsed === "object" && parsed !== null && "config" in parsed ? parsed.config : {};
  return typeof config === "object" && config !== null ? { ...config } : {};
}
