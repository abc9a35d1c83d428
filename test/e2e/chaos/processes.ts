/** The processes of a container on the sealed node, which are processes of this machine: found by their cgroup. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Whether a process's `/proc/PID/cgroup` is that of a container, by the container's id: version 1 and 2, any driver. */
export function isInContainer(cgroup: string, containerId: string): boolean {
  if (!/^[0-9a-f]{64}$/.test(containerId)) throw new Error(`${containerId} is no id of a container`);
  return cgroup.split("\n").some((line) => line.split(/[/:]/).some((part) => part.includes(containerId)));
}

/** The id in a pod's `containerStatuses[].containerID`, `containerd://<64 digits>`. */
export function containerIdOf(text: string): string {
  const id = /^[a-z0-9-]+:\/\/([0-9a-f]{64})$/.exec(text)?.[1];
  if (id === undefined) throw new Error(`${text} is no id of a running container`);
  return id;
}

/** Process ids of a container; `proc` is for tests. A container whose processes are not on this machine has none. */
export function processesOf(containerId: string, proc = "/proc"): readonly number[] {
  return readdirSync(proc)
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return isInContainer(readFileSync(join(proc, name, "cgroup"), "utf8"), containerId);
      } catch {
        // It has ended meanwhile.
        return false;
      }
    })
    .map(Number)
    .sort((left, right) => left - right);
}

/** Sends a signal to each; those that have ended meanwhile don't matter. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }
}
