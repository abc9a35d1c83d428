/** Where the tools keep what outlives a command: Pulumi's file backend, config copies, ledgers. */

import { homedir } from "node:os";
import { join, resolve } from "node:path";

/** Environment, as the functions here take it so that tests can give their own. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The repository's root: where Pulumi.yaml is. */
export const repositoryRoot = resolve(__dirname, "..");

/**
 * `SCALED_PROMETHEUS_BACKEND_DIR` when the caller set it (the local cluster does, so that state dies with it), else
 * `SCALED_PROMETHEUS_STATE`, else `~/.local/state/scaled-prometheus`.
 */
export function stateDirectory(environment: Environment = process.env): string {
  const chosen = environment.SCALED_PROMETHEUS_BACKEND_DIR ?? environment.SCALED_PROMETHEUS_STATE;
  if (chosen !== undefined && chosen !== "") return resolve(chosen);
  return join(environment.HOME ?? homedir(), ".local", "state", "scaled-prometheus");
}

/** Directory of a stack's ledgers, one file per run. */
export function ledgerDirectory(stack: string, environment: Environment = process.env): string {
  return join(stateDirectory(environment), "feeds", stack.replaceAll("/", "_"));
}
