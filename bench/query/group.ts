/** One number of shards with everything that asks them: which processes run, and where each arm is asked. */

import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { step, UserError } from "../../tools/terminal";
import { linkBlocks } from "./blocks";
import { storeFolder } from "./dataset";
import type { Arm } from "./options";
import { freePorts, Processes, type Running } from "./processes";
import { adapterPlan, frontendPlan, gatePlan, prometheusPlan, querierPlan, sidecarPlan, type Ports } from "./programs";
import { Recorder } from "./wire";

/** A sharded arm whose remote requests can be captured: a second root that asks through recorders. */
export interface Tap {
  readonly url: string;
  readonly recorders: readonly Recorder[];
  /** gRPC ports of the shards' endpoints themselves. */
  readonly endpoints: readonly number[];
}

/** Where an arm is asked, and which processes work for it. */
export interface ArmAccess {
  /** Address without /api/v1; of the arm `direct` there is one per shard. */
  readonly urls: readonly string[];
  readonly processes: readonly Running[];
  readonly tap?: Tap;
}

/** Everything of one N, running. */
export interface Group {
  readonly shards: number;
  readonly arms: ReadonlyMap<Arm, ArmAccess>;
  stop(): Promise<void>;
}

/** What a group is made from. */
export interface GroupPlan {
  readonly shards: number;
  readonly arms: readonly Arm[];
  /** Folder of the data set. */
  readonly dataset: string;
  /** Folder for what the processes write; made anew. */
  readonly folder: string;
  /** File with the services bundle. */
  readonly bundle: string;
}

const url = (port: number): string => `http://127.0.0.1:${String(port)}`;

/** Starts a group's processes one after the other, so that each finds what it asks. */
class Starter {
  readonly processes: Processes;
  readonly recorders: Recorder[] = [];

  constructor(readonly plan: GroupPlan) {
    rmSync(plan.folder, { recursive: true, force: true });
    this.processes = new Processes(join(plan.folder, "logs"));
  }

  async ports(): Promise<Ports> {
    const [http = 0, grpc = 0] = await freePorts(2);
    return { http, grpc };
  }

  async prometheus(
    name: string,
    shards: number,
    shard: number,
  ): Promise<{ running: Running; port: number; data: string }> {
    const data = join(this.plan.folder, name);
    linkBlocks(storeFolder(this.plan.dataset, shards, shard), data);
    const { http } = await this.ports();
    const running = await this.processes.start(prometheusPlan(name, shard, data, this.plan.folder, http));
    return { running, port: http, data };
  }

  /** A querier, and once it sees all of its endpoints its ports. */
  async querier(name: string, kind: "naive" | "distributed" | "leaf", endpoints: readonly number[]) {
    const ports = await this.ports();
    const running = await this.processes.start(querierPlan(name, kind, endpoints, this.plan.folder, ports));
    await untilEndpoints(name, ports.http, endpoints.length);
    return { running, ports };
  }

  /** A gate before a root; its port for clients. */
  async gate(name: string, port: number, endpoints: readonly number[]) {
    const { plan } = this;
    const ports = await this.ports();
    const running = await this.processes.start(gatePlan(name, plan.bundle, { port, endpoints }, plan.folder, ports));
    return { running, port: ports.grpc };
  }

  /** A root over `endpoints`, and another one that asks them through recorders. */
  async roots(arm: string, kind: "naive" | "distributed", endpoints: readonly number[]) {
    const root = await this.querier(`root-${arm}`, kind, endpoints);
    const recorders: Recorder[] = [];
    const ports = await freePorts(endpoints.length);
    for (const [index, port] of ports.entries()) {
      const recorder = new Recorder(endpoints[index] ?? 0);
      this.recorders.push(recorder);
      recorders.push(recorder);
      await recorder.listen(port);
    }
    const tapped = await this.querier(`tap-${arm}`, kind, ports);
    const tap: Tap = { url: url(tapped.ports.http), recorders, endpoints };
    return { root, tap, tapped: { port: tapped.ports.http, endpoints: ports } };
  }

  async stop(): Promise<void> {
    for (const recorder of this.recorders) recorder.close();
    await this.processes.stop();
  }
}

const storesSchema = z.object({ data: z.record(z.string(), z.array(z.object({ lastError: z.unknown() })).nullable()) });

/** A Querier is ready before it has seen every endpoint; then it would answer for some shards only. */
async function untilEndpoints(name: string, port: number, count: number): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const response = await fetch(`${url(port)}/api/v1/stores`);
    const { data } = storesSchema.parse(await response.json());
    const healthy = Object.values(data)
      .flatMap((each) => each ?? [])
      .filter(({ lastError }) => lastError === null);
    if (healthy.length === count) return;
    if (Date.now() > deadline) {
      throw new UserError(
        `${name} sees ${String(healthy.length)} of ${String(count)} endpoints: ${JSON.stringify(data)}`,
      );
    }
    await sleep(250);
  }
}

async function startAll(starter: Starter, progress: (note: string) => void): Promise<ReadonlyMap<Arm, ArmAccess>> {
  const { shards, arms, bundle, folder } = starter.plan;
  const wants = (...some: Arm[]): boolean => some.some((arm) => arms.includes(arm));
  const access = new Map<Arm, ArmAccess>();
  const single = await starter.prometheus("single", 1, 0);
  access.set("single", { urls: [url(single.port)], processes: [single.running] });
  const indexes = Array.from({ length: shards }, (_, index) => index);
  const stores: { prometheus: number; sidecar: number; leaf: number; adapter: number }[] = [];
  const running = {
    prometheus: [] as Running[],
    sidecar: [] as Running[],
    leaf: [] as Running[],
    adapter: [] as Running[],
  };
  for (const shard of wants("naive", "leaf", "direct", "design", "frontend") ? indexes : []) {
    progress(`shard ${String(shard)} of ${String(shards)}`);
    const prometheus = await starter.prometheus(`prometheus-${String(shard)}`, shards, shard);
    running.prometheus.push(prometheus.running);
    const made = { prometheus: prometheus.port, sidecar: 0, leaf: 0, adapter: 0 };
    if (wants("naive", "leaf", "design", "frontend")) {
      const ports = await starter.ports();
      const name = `sidecar-${String(shard)}`;
      running.sidecar.push(await starter.processes.start(sidecarPlan(name, made.prometheus, prometheus.data, ports)));
      made.sidecar = ports.grpc;
    }
    if (wants("leaf", "design", "frontend")) {
      const leaf = await starter.querier(`leaf-${String(shard)}`, "leaf", [made.sidecar]);
      running.leaf.push(leaf.running);
      made.leaf = leaf.ports.grpc;
    }
    if (wants("design", "frontend")) {
      const ports = await starter.ports();
      const name = `adapter-${String(shard)}`;
      running.adapter.push(await starter.processes.start(adapterPlan(name, bundle, shard, made, folder, ports)));
      made.adapter = ports.grpc;
    }
    stores.push(made);
  }
  progress("roots");
  if (wants("direct")) {
    access.set("direct", { urls: stores.map(({ prometheus }) => url(prometheus)), processes: running.prometheus });
  }
  if (wants("naive")) {
    const { root, tap } = await starter.roots(
      "naive",
      "naive",
      stores.map(({ sidecar }) => sidecar),
    );
    const processes = [root.running, ...running.sidecar, ...running.prometheus];
    access.set("naive", { urls: [url(root.ports.http)], processes, tap });
  }
  if (wants("leaf")) {
    const { root, tap } = await starter.roots(
      "leaf",
      "distributed",
      stores.map(({ leaf }) => leaf),
    );
    const processes = [root.running, ...running.leaf, ...running.sidecar, ...running.prometheus];
    access.set("leaf", { urls: [url(root.ports.http)], processes, tap });
  }
  if (wants("design", "frontend")) {
    const endpoints = stores.map(({ adapter }) => adapter);
    const { root, tap, tapped } = await starter.roots("design", "distributed", endpoints);
    const gate = await starter.gate("gate-design", root.ports.http, endpoints);
    const tapGate = await starter.gate("gate-tap", tapped.port, tapped.endpoints);
    const processes = [
      gate.running,
      root.running,
      ...running.adapter,
      ...running.leaf,
      ...running.sidecar,
      ...running.prometheus,
    ];
    if (wants("design"))
      access.set("design", { urls: [url(gate.port)], processes, tap: { ...tap, url: url(tapGate.port) } });
    if (wants("frontend")) {
      const ports = await starter.ports();
      const frontend = await starter.processes.start(frontendPlan("frontend", gate.port, folder, ports));
      access.set("frontend", { urls: [url(ports.http)], processes: [frontend, ...processes] });
    }
  }
  return access;
}

/** Starts everything of one N; whatever fails, nothing stays behind. */
export async function startGroup(plan: GroupPlan): Promise<Group> {
  const starter = new Starter(plan);
  try {
    const arms = await step(`processes for N = ${String(plan.shards)}`, (progress) => startAll(starter, progress));
    return { shards: plan.shards, arms, stop: () => starter.stop() };
  } catch (error) {
    await starter.stop();
    throw error;
  }
}
