import { homedir } from "node:os";
import { join } from "node:path";

/** The repository's root. */
export const repository = join(__dirname, "..");

/** Where built tools are kept, per user, shared by clones: `SCALED_PROMETHEUS_CACHE`, default `~/.cache/scaled-prometheus`. */
export function cacheFolder(): string {
  const set = process.env["SCALED_PROMETHEUS_CACHE"];
  return set !== undefined && set !== "" ? set : join(homedir(), ".cache", "scaled-prometheus");
}

/** Where the local cluster lives: `SCALED_PROMETHEUS_STATE`, default `~/.local/state/scaled-prometheus`. One cluster a machine. */
export function stateFolder(): string {
  const set = process.env["SCALED_PROMETHEUS_STATE"];
  return set !== undefined && set !== "" ? set : join(homedir(), ".local", "state", "scaled-prometheus");
}

/** All of the local cluster's files; `make cluster-down` removes this folder. */
export function clusterFolder(): string {
  return join(stateFolder(), "cluster");
}
