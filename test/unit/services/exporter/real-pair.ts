import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { toYaml } from "../../../../components/kit/yaml";
import { serve } from "../http-helpers";

export interface PairPrograms {
  readonly hub: string;
  readonly prometheus: string;
}

/** Seconds. */
export const SCRAPE_INTERVAL = 1;

/** Waits until it is true, half a minute at most. */
export async function until(what: string, look: () => Promise<boolean> | boolean): Promise<void> {
  const end = Date.now() + 30_000;
  let problem = "";
  while (Date.now() < end) {
    try {
      if (await look()) return;
    } catch (error) {
      problem = String(error);
    }
    await sleep(20);
  }
  throw new Error(`waited half a minute in vain: ${what} ${problem}`);
}

async function freePort(): Promise<number> {
  const server = await serve(createServer());
  await server.close();
  return server.port;
}

async function isUp(url: string): Promise<boolean> {
  return (await fetch(url)).status === 200;
}

/** A real edge hub and the real Prometheus that scrapes it, on loopback. */
export class RealReplica {
  readonly #programs: PairPrograms;
  readonly #folder = mkdtempSync(join(tmpdir(), "real-replica-"));
  readonly #children = new Map<string, ChildProcess>();
  #hubPort = 0;
  #prometheusPort = 0;

  constructor(programs: PairPrograms) {
    this.#programs = programs;
  }

  get hubUrl(): string {
    return `http://127.0.0.1:${String(this.#hubPort)}`;
  }

  get prometheusUrl(): string {
    return `http://127.0.0.1:${String(this.#prometheusPort)}`;
  }

  async start(): Promise<this> {
    this.#hubPort = await freePort();
    this.#prometheusPort = await freePort();
    const target = { static_configs: [{ targets: [`127.0.0.1:${String(this.#hubPort)}`] }] };
    const config = {
      global: { scrape_interval: `${String(SCRAPE_INTERVAL)}s`, scrape_timeout: `${String(SCRAPE_INTERVAL)}s` },
      storage: { tsdb: { out_of_order_time_window: "30m" } },
      scrape_configs: [{ job_name: "hub", honor_timestamps: true, ...target }],
    };
    writeFileSync(join(this.#folder, "prometheus.yaml"), toYaml(config));
    await this.startHub();
    await this.startPrometheus();
    return this;
  }

  async startHub(): Promise<void> {
    this.#spawn("hub", this.#programs.hub, ["-logtostderr", `-port=${String(this.#hubPort)}`, "-limit=500000"]);
    await until("the hub answers", () => isUp(this.hubUrl));
  }

  async startPrometheus(): Promise<void> {
    this.#spawn("prometheus", this.#programs.prometheus, [
      `--config.file=${join(this.#folder, "prometheus.yaml")}`,
      `--storage.tsdb.path=${join(this.#folder, "data")}`,
      `--web.listen-address=127.0.0.1:${String(this.#prometheusPort)}`,
    ]);
    await until("Prometheus is ready", () => isUp(`${this.prometheusUrl}/-/ready`));
  }

  /** kill -9; resolves when it is gone. */
  async kill(which: "hub" | "prometheus"): Promise<void> {
    const child = this.#children.get(which);
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  /** Every stored sample of a metric within the last ten minutes: `gateway timestamp value`, sorted; doubles stay. */
  async samples(metric: string): Promise<readonly string[]> {
    const answer = await fetch(`${this.prometheusUrl}/api/v1/query?query=${encodeURIComponent(`${metric}[10m]`)}`);
    const { data } = (await answer.json()) as Matrix;
    return data.result
      .flatMap(({ metric: labels, values }) =>
        values.map(
          ([time, value]) =>
            `${labels["gatewayID"] ?? labels["exporter"] ?? ""} ${String(Math.round(time * 1000))} ${value}`,
        ),
      )
      .sort();
  }

  /** A single value; NaN for none. */
  async value(query: string): Promise<number> {
    const answer = await fetch(`${this.prometheusUrl}/api/v1/query?query=${encodeURIComponent(query)}`);
    const { data } = (await answer.json()) as {
      readonly data: { readonly result: readonly { value: [number, string] }[] };
    };
    return Number(data.result[0]?.value[1]);
  }

  /** One of the server's own counters. */
  async counter(name: string): Promise<number> {
    const text = await (await fetch(`${this.prometheusUrl}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);
  }

  async stop(): Promise<void> {
    await this.kill("hub");
    await this.kill("prometheus");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #spawn(name: string, program: string, args: readonly string[]): void {
    this.#children.set(name, spawn(program, args, { stdio: "ignore", cwd: this.#folder }));
  }
}

interface Matrix {
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly values: readonly (readonly [number, string])[];
    }[];
  };
}
