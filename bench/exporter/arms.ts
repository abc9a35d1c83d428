/** The processes of a run: the exporter and the hub in turn on one core, load and sinks on the other. */

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { exporterConfigText } from "../../model/exporter-config";
import { UserError } from "../../tools/terminal";
import { freePorts, type Processes, type Running } from "../query/processes";
import type { Tallies } from "./sinks";

/** Core of what is measured, and of everything else. */
const CORES = { measured: 0, rest: 1 } as const;
const REPLICAS = ["a", "b"] as const;
/** Milliseconds; long, since a push that is given up on a busy machine and sent again would be counted twice. */
const PUSH_TIMEOUT = 120_000;

/** Whether there are two cores to keep apart. */
export const isPinned = cpus().length > 1;

function onCore(core: number, command: string, args: readonly string[]): { command: string; args: readonly string[] } {
  return isPinned ? { command: "taskset", args: ["-c", String(core), command, ...args] } : { command, args };
}

/** This process gives way to what is measured. */
export function leaveMeasuredCore(): void {
  if (isPinned) execFileSync("taskset", ["-a", "-p", "-c", String(CORES.rest), String(process.pid)]);
}

/** Stand-ins for all hubs. */
export interface Sinks {
  /** Ports by shard, each by replica. */
  readonly ports: readonly (readonly number[])[];
  readonly tallies: () => Promise<Tallies>;
  readonly stop: () => void;
}

const talliesSchema = z.array(z.array(z.object({ lines: z.number(), checksum: z.number() })));

export async function startSinks(shards: number): Promise<Sinks> {
  const program = ["--require", "tsx/cjs", join(__dirname, "sinks.ts"), String(shards), String(REPLICAS.length)];
  const { command, args } = onCore(CORES.rest, process.execPath, program);
  const child: ChildProcess = spawn(command, [...args], { stdio: ["ignore", "pipe", "inherit"] });
  const stop = (): void => void child.kill("SIGKILL");
  process.on("exit", stop);
  const ports = await new Promise<readonly number[]>((resolve, reject) => {
    child.on("exit", (code) => reject(new UserError(`the sinks ended with ${String(code)}`)));
    if (child.stdout === null) throw new Error("the sinks have no output");
    createInterface({ input: child.stdout }).once("line", (line) =>
      resolve(z.array(z.number()).parse(JSON.parse(line))),
    );
  });
  const control = ports.at(-1) ?? 0;
  return {
    ports: Array.from({ length: shards }, (_, shard) =>
      REPLICAS.map((__, replica) => ports[shard * REPLICAS.length + replica] ?? 0),
    ),
    tallies: async () => talliesSchema.parse(await (await fetch(`http://127.0.0.1:${String(control)}/tallies`)).json()),
    stop: () => {
      process.off("exit", stop);
      stop();
    },
  };
}

/** A program under load. */
export interface Target extends Running {
  /** Where to push. */
  readonly url: string;
}

/** How the exporter is started. */
export interface ExporterFiles {
  /** The services bundle. */
  readonly bundle: string;
  /** Configuration, written here. */
  readonly config: string;
  /** Folder for a CPU profile; undefined: none. */
  readonly profile: string | undefined;
}

export async function startExporter(processes: Processes, sinks: Sinks, files: ExporterFiles): Promise<Target> {
  const [port = 0, opsPort = 0] = await freePorts(2);
  const shards = sinks.ports.map((ports, index) => ({
    index,
    name: `shard-${String(index)}`,
    hubs: ports.map((one, at) => ({ replica: REPLICAS[at] ?? "a", url: `http://127.0.0.1:${String(one)}` })),
  }));
  const maxBytes = 64 * 1024 * 1024;
  const limits = { maxBodyBytes: maxBytes, maxMessageBytes: maxBytes, maxFutureSeconds: 60, maxAgeSeconds: 1_500 };
  // Nobody tells what is stored: nothing is kept to be sent again, and no series is ended.
  const commit = {
    bufferBytes: maxBytes,
    scrapeIntervalMilliseconds: 15_000,
    maxResendAgeSeconds: 1_620,
    drainSeconds: 0,
  };
  const config = {
    version: "bench",
    shardLabel: "gatewayID",
    homeShard: 0,
    shards,
    limits,
    commit,
    lookbackSeconds: 300,
  };
  writeFileSync(files.config, exporterConfigText({ ...config, pushTimeoutMilliseconds: PUSH_TIMEOUT }));
  const addresses = ["--listen", `127.0.0.1:${String(port)}`, "--ops", `127.0.0.1:${String(opsPort)}`];
  const profile = files.profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${files.profile}`];
  const program = [...profile, files.bundle, "exporter", "--config", files.config, ...addresses];
  const plan = onCore(CORES.measured, process.execPath, [...program, "--drain-delay-milliseconds", "0"]);
  const readyUrl = `http://127.0.0.1:${String(opsPort)}/-/ready`;
  const running = await processes.start({ name: "exporter", ...plan, readyUrl, readySeconds: 30 });
  return { ...running, url: `http://127.0.0.1:${String(port)}/metrics` };
}

export async function startHub(processes: Processes): Promise<Target> {
  const [port = 0] = await freePorts(1);
  const plan = onCore(CORES.measured, "prometheus-edge-hub", ["-logtostderr", `-port=${String(port)}`]);
  const base = `http://127.0.0.1:${String(port)}`;
  const running = await processes.start({ name: "hub", ...plan, readyUrl: `${base}/`, readySeconds: 30 });
  return { ...running, url: `${base}/metrics` };
}

/** Empties the hub as a scrape does. */
export async function drain({ url }: Target): Promise<void> {
  const response = await fetch(url);
  await response.arrayBuffer();
}

/** Resident memory now, bytes. */
export function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${String(pid)}/status`, "utf8"))?.[1];
  return Number(kibibytes ?? 0) * 1_024;
}
