import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync, closeSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../tools/terminal";
import { clusterFiles, settings } from "./settings";

interface Recorded {
  readonly pid: number;
  /** Start time in clock ticks since boot (field 22 of /proc/pid/stat): tells a reused pid from ours. */
  readonly started: string;
}

function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function recordFile(name: string): string {
  return join(clusterFiles().run, `${name}.process.json`);
}

function recorded(name: string): Recorded | undefined {
  try {
    const parsed: unknown = JSON.parse(readFileSync(recordFile(name), "utf8"));
    if (typeof parsed !== "object" || parsed === null || !("pid" in parsed) || !("started" in parsed)) return undefined;
    return { pid: Number(parsed.pid), started: String(parsed.started) };
  } catch {
    return undefined;
  }
}

/** Whether the process that was started under this name still runs. */
export function isRunning(name: string): boolean {
  const record = recorded(name);
  return record !== undefined && startTime(record.pid) === record.started;
}

/** The last lines of a process's log, for an error message. */
export function logTail(name: string, lines = 15): string {
  const file = join(clusterFiles().logs, `${name}.log`);
  if (!existsSync(file)) return "(no log)";
  return readFileSync(file, "utf8").trimEnd().split("\n").slice(-lines).join("\n  ");
}

/** Starts a background process of the cluster unless it runs already; `sealed` ones run inside the network namespace. */
export function start(name: string, command: readonly string[], options: { readonly sealed: boolean }): void {
  if (isRunning(name)) return;
  const files = clusterFiles();
  mkdirSync(files.logs, { recursive: true });
  mkdirSync(files.run, { recursive: true });
  // nsenter rather than `ip netns exec`, which would hide /sys/fs/cgroup.
  const whole = options.sealed ? ["nsenter", `--net=/run/netns/${settings.networkNamespace}`, ...command] : command;
  const log = openSync(join(files.logs, `${name}.log`), "a");
  const [program, ...args] = whole;
  if (program === undefined) throw new Error("empty command");
  const child = spawn(program, args, { cwd: files.root, detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  child.on("error", () => undefined);
  child.unref();
  const started = child.pid === undefined ? undefined : startTime(child.pid);
  if (child.pid === undefined || started === undefined) {
    throw new UserError(`${name} did not start; its last lines:\n  ${logTail(name)}`, "run `make doctor`");
  }
  writeFileSync(recordFile(name), JSON.stringify({ pid: child.pid, started }));
}

/** Fails with the log's last lines when a process that must be running has ended. */
export function mustStillRun(names: readonly string[]): void {
  for (const name of names) {
    if (!isRunning(name)) {
      throw new UserError(
        `${name} of the local cluster has ended; its last lines:\n  ${logTail(name)}`,
        "run `make cluster-down` and try again; the whole log is in " + join(clusterFiles().logs, `${name}.log`),
      );
    }
  }
}

async function ended(pids: readonly number[], seconds: number): Promise<boolean> {
  const deadline = Date.now() + seconds * 1000;
  while (pids.some((pid) => startTime(pid) !== undefined)) {
    if (Date.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return true;
}

/** Ends processes: SIGTERM, then SIGKILL after `graceSeconds`; gives back once none of them is left. */
export async function end(pids: readonly number[], graceSeconds: number): Promise<void> {
  const send = (signal: NodeJS.Signals): void => {
    for (const pid of pids) {
      try {
        process.kill(pid, signal);
      } catch {
        // It has ended by itself.
      }
    }
  };
  if (pids.length === 0) return;
  if (graceSeconds > 0) {
    send("SIGTERM");
    if (await ended(pids, graceSeconds)) return;
  }
  send("SIGKILL");
  await ended(pids, 10);
}

/** Ends a process that was started under this name and forgets it. */
export async function stop(name: string, graceSeconds: number): Promise<void> {
  const record = recorded(name);
  if (record !== undefined && isRunning(name)) await end([record.pid], graceSeconds);
  rmSync(recordFile(name), { force: true });
}

/** Process ids whose command line holds `text`. */
export function withCommandLine(text: string): readonly number[] {
  return readdirSync("/proc")
    .filter((each) => /^\d+$/.test(each) && Number(each) !== process.pid)
    .filter((each) => {
      try {
        return readFileSync(`/proc/${each}/cmdline`, "utf8").split("\0").join(" ").includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}
