/** The arms' processes: started on loopback with one core each, awaited until they are ready, ended with the run. */

import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, openSync, closeSync, readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../tools/terminal";

/** How to start a program. */
export interface ProcessPlan {
  /** Unique in a run, `prometheus-0`; the log's name. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Address that answers 200 once the process can work. */
  readonly readyUrl: string;
  readonly readySeconds: number;
}

/** A process that runs. */
export interface Running {
  readonly name: string;
  readonly pid: number;
}

/** Free ports on loopback, all different. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve, reject) => {
          server.on("error", reject);
          server.listen(0, "127.0.0.1", () => {
            resolve((server.address() as AddressInfo).port);
          });
        }),
    ),
  );
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** One core for every program: Go by its own variable; Node computes on one thread anyway. */
const ONE_CORE = { GOMAXPROCS: "1" } as const;
const STOP_SECONDS = 10;

/** A set of processes that live and die together. */
export class Processes {
  readonly #children = new Map<string, ChildProcess>();
  readonly #onExit = (): void => {
    for (const child of this.#children.values()) child.kill("SIGKILL");
  };

  /** @param logs Folder for one log per process. */
  constructor(private readonly logs: string) {
    mkdirSync(logs, { recursive: true });
    process.on("exit", this.#onExit);
  }

  /** Starts a program and waits until it is ready. */
  async start(plan: ProcessPlan): Promise<Running> {
    const log = openSync(join(this.logs, `${plan.name}.log`), "w");
    const child = spawn(plan.command, [...plan.args], {
      stdio: ["ignore", log, log],
      env: { ...process.env, ...ONE_CORE },
    });
    closeSync(log);
    this.#children.set(plan.name, child);
    let failure: string | undefined;
    child.on("error", (error) => (failure = error.message));
    child.on("exit", (code, signal) => (failure = `ended with ${String(code ?? signal)}`));
    const deadline = Date.now() + plan.readySeconds * 1_000;
    while (!(await answers(plan.readyUrl))) {
      if (failure !== undefined || Date.now() > deadline) {
        throw new UserError(
          `${plan.name} is not ready: ${failure ?? `waited ${String(plan.readySeconds)} s for ${plan.readyUrl}`}\n${this.#lastLines(plan.name)}`,
        );
      }
      await sleep(200);
    }
    if (child.pid === undefined) throw new UserError(`${plan.name} has no process`);
    return { name: plan.name, pid: child.pid };
  }

  /** Ends all of them and waits for it. */
  async stop(): Promise<void> {
    const ended = [...this.#children.values()].map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = new Promise((resolve) => child.on("exit", resolve));
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_SECONDS * 1_000);
      await exit;
      clearTimeout(timer);
    });
    await Promise.all(ended);
    this.#children.clear();
    process.off("exit", this.#onExit);
  }

  #lastLines(name: string): string {
    return readFileSync(join(this.logs, `${name}.log`), "utf8")
      .trimEnd()
      .split("\n")
      .slice(-8)
      .join("\n");
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
