/** Faults that leave no trace in the cluster's objects: signals and packet rules on the sealed node's own processes. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { kubectl } from "../../../tools/kubectl";
import type { Pod } from "./pods";
import { containerIdOf, processesOf, signalAll } from "./processes";

/** Process ids of one container of a pod; an error when they are not on this machine. */
export function containerProcesses(pod: Pod, container: string): readonly number[] {
  const found = pod.status.containerStatuses.find(({ name }) => name === container);
  const id = found?.containerID;
  if (id === undefined) throw new Error(`container ${container} of pod ${pod.metadata.name} does not run`);
  const pids = processesOf(containerIdOf(id));
  if (pids.length > 0) return pids;
  throw new Error(
    `no process of ${pod.metadata.name}/${container} on this machine: faults need the local cluster (make cluster)`,
  );
}

/** kill -9: the kubelet starts the container again in the same pod. */
export function killContainer(pod: Pod, container: string): void {
  signalAll(containerProcesses(pod, container), "SIGKILL");
}

/** kill -9 and the pod's object at once: whoever takes its place is a new pod. No warning, no drain. */
export async function killPod(namespace: string, pod: Pod, container: string): Promise<void> {
  killContainer(pod, container);
  const flags = ["--grace-period=0", "--force", "--wait=false", "--ignore-not-found"];
  await kubectl({ namespace }, ["delete", "pod", pod.metadata.name, ...flags]);
}

/** What ends a fault; harmless when called twice. */
export type Heal = () => Promise<void>;

/** SIGSTOP: it takes connections and answers nothing. Healing goes on with it. */
export function hang(pod: Pod, container: string): Heal {
  const pids = containerProcesses(pod, container);
  signalAll(pids, "SIGSTOP");
  return () => {
    signalAll(pids, "SIGCONT");
    return Promise.resolve();
  };
}

/** Rule that drops what goes to an address; `verb` is -I or -D. */
export function dropRule(pid: number, verb: "-I" | "-D", address: string): readonly string[] {
  const rule = ["OUTPUT", "-d", `${address}/32`, "-j", "DROP", "-m", "comment", "--comment", "chaos"];
  return ["nsenter", `--net=/proc/${String(pid)}/ns/net`, "iptables", "-w", verb, ...rule];
}

const execute = promisify(execFile);

/** Drops every packet from a pod to an address (of a Service or pod), in the pod's own network namespace. */
export async function cut(pod: Pod, container: string, address: string): Promise<Heal> {
  const run = async (verb: "-I" | "-D"): Promise<void> => {
    // Another process of the pod if it was started again: the namespace is the pod's.
    const [pid] = containerProcesses(pod, container);
    const [program = "", ...args] = dropRule(pid ?? 0, verb, address);
    await execute(program, args);
  };
  await run("-I");
  let healed = false;
  return async () => {
    if (healed) return;
    healed = true;
    await run("-D");
  };
}
