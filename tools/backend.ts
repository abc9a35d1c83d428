/** Where Pulumi keeps its state, when the user has not said so. */

import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { Environment } from "./paths";
import { stateDirectory } from "./paths";

/** A backend and the environment under which pulumi uses it. */
export interface Backend {
  /** `ours`: a directory of this project's, made because the user is not logged in; `user`: whatever they chose. */
  readonly owner: "ours" | "user";
  /** Directory of a file backend, if it is one. */
  readonly directory: string | undefined;
  /** Variables to set for every pulumi process. */
  readonly environment: Readonly<Record<string, string>>;
}

const credentialsSchema = z.object({ current: z.string().optional() });

/** The backend that `pulumi login` left behind, if any. */
function loggedIn(environment: Environment): string | undefined {
  const home = environment.PULUMI_HOME ?? join(environment.HOME ?? homedir(), ".pulumi");
  const path = join(environment.PULUMI_CREDENTIALS_PATH ?? home, "credentials.json");
  if (!existsSync(path)) return undefined;
  try {
    const credentials = credentialsSchema.safeParse(JSON.parse(readFileSync(path, "utf8")));
    const current = credentials.success ? credentials.data.current : undefined;
    return current === "" ? undefined : current;
  } catch {
    return undefined;
  }
}

function directoryOf(url: string | undefined): string | undefined {
  if (url?.startsWith("file://") !== true) return undefined;
  const expanded = url.startsWith("file://~") ? `file://${homedir()}${url.slice("file://~".length)}` : url;
  try {
    return fileURLToPath(expanded);
  } catch {
    return undefined;
  }
}

/**
 * In this order: PULUMI_BACKEND_URL, SCALED_PROMETHEUS_BACKEND_DIR (the local cluster's, which dies with it), an access
 * token or `pulumi login`, and else a file backend of our own under the state directory, with an empty passphrase.
 */
export function findBackend(environment: Environment = process.env): Backend {
  const common = { PULUMI_SKIP_UPDATE_CHECK: "true" };
  const explicit = environment.PULUMI_BACKEND_URL;
  if (explicit !== undefined && explicit !== "") {
    return { owner: "user", directory: directoryOf(explicit), environment: common };
  }
  const localCluster = environment.SCALED_PROMETHEUS_BACKEND_DIR ?? "";
  if (localCluster === "") {
    const login = loggedIn(environment);
    if (login !== undefined || (environment.PULUMI_ACCESS_TOKEN ?? "") !== "") {
      return { owner: "user", directory: directoryOf(login), environment: common };
    }
  }
  const directory = stateDirectory(environment);
  const hasPassphrase =
    environment.PULUMI_CONFIG_PASSPHRASE !== undefined || environment.PULUMI_CONFIG_PASSPHRASE_FILE !== undefined;
  return {
    owner: "ours",
    directory,
    environment: {
      ...common,
      PULUMI_BACKEND_URL: `file://${directory}`,
      ...(hasPassphrase ? {} : { PULUMI_CONFIG_PASSPHRASE: "" }),
    },
  };
}

/** Makes the directory of a file backend of ours, which Pulumi does not do. */
export function prepareBackend(backend: Backend): void {
  if (backend.owner === "ours" && backend.directory !== undefined) {
    mkdirSync(backend.directory, { recursive: true, mode: 0o700 });
  }
}

const lockSchema = z.object({ pid: z.number(), hostname: z.string() });

function runsPulumi(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const comm = `/proc/${String(pid)}/comm`;
  return !existsSync(comm) || readFileSync(comm, "utf8").startsWith("pulumi");
}

/** Whether a file backend holds locks of a stack that only dead processes of this machine have left behind. */
export function hasStaleLocks(backend: Backend, project: string, stack: string): boolean {
  if (backend.directory === undefined) return false;
  const directory = join(backend.directory, ".pulumi", "locks", "organization", project, stack);
  if (!existsSync(directory)) return false;
  const locks = readdirSync(directory).filter((name) => name.endsWith(".json"));
  if (locks.length === 0) return false;
  return locks.every((name) => {
    try {
      const lock = lockSchema.safeParse(JSON.parse(readFileSync(join(directory, name), "utf8")));
      return lock.success && lock.data.hostname === hostname() && !runsPulumi(lock.data.pid);
    } catch {
      return false;
    }
  });
}
