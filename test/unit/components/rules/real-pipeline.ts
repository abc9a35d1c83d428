import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createServer as createPortServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { flagList, type Flags } from "../../../../components/kit/flags";
import { toYaml } from "../../../../components/kit/yaml";
import type { RuleFile } from "../../../../components/rules/rule-file";
import type { Config } from "../../../../stacks/config";
import { buildTopology, type Topology } from "../../../../stacks/topology";
import { SERVICES } from "../../stacks/services";
import type { realTools } from "./real-tools";

type Programs = { readonly [Name in "prometheus" | "thanos" | "alertmanager"]: NonNullable<(typeof realTools)[Name]> };

async function freePort(): Promise<number> {
  const server = createPortServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

interface ScrapeJob {
  readonly job_name: string;
}

/** A few real parts on loopback, with the flags and files that the program generates for them; only addresses differ. */
export class RealPipeline {
  readonly folder = mkdtempSync(join(tmpdir(), "rules-"));
  readonly #children = new Map<string, ChildProcess>();
  readonly #hubs: Server[] = [];
  readonly #logs = new Map<string, string>();

  constructor(
    readonly programs: Programs,
    readonly config: Config,
  ) {}

  topology(rules: readonly RuleFile[]): Topology {
    return buildTopology(this.config, SERVICES, rules);
  }

  /** Starts a program and waits until it says that it is ready. */
  async start(name: string, program: string, args: readonly string[], port: number, cwd = this.folder): Promise<void> {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], cwd });
    this.#children.set(name, child);
    const keep = (chunk: Buffer) =>
      this.#logs.set(name, `${this.#logs.get(name) ?? ""}${chunk.toString()}`.slice(-20_000));
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    await this.until(`${name} is ready`, 60, async () => {
      if (child.exitCode !== null) throw new Error(`${name} ended with ${String(child.exitCode)}`);
      return (await fetch(`http://127.0.0.1:${String(port)}/-/ready`)).status === 200;
    });
  }

  /** Looks until it is true. */
  async until(what: string, seconds: number, look: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    let problem = "";
    while (Date.now() < deadline) {
      try {
        if (await look()) return;
      } catch (error) {
        problem = String(error);
      }
      await sleep(200);
    }
    throw new Error(`waited ${String(seconds)} s in vain: ${what} ${problem}\n${this.logs()}`);
  }

  logs(): string {
    return [...this.#logs].map(([name, text]) => `--- ${name}\n${text.slice(-3000)}`).join("\n");
  }

  /** What stands in for a hub: answers every scrape with the text for the moment. */
  async hub(metrics: (now: number) => string): Promise<number> {
    const server = createServer((_, response) => {
      response.setHeader("content-type", "text/plain; version=0.0.4");
      response.end(metrics(Date.now()));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    this.#hubs.push(server);
    return (server.address() as AddressInfo).port;
  }

  /** A shard: Prometheus and sidecar; the sidecar's gRPC port. */
  async shard(
    topology: Topology,
    index: number,
    hubPort: number,
  ): Promise<{ readonly grpc: number; readonly http: number }> {
    const args = topology.shards[index]?.replicas[0]?.prometheus;
    if (args?.sidecarFlags === undefined) throw new Error(`no shard ${String(index)}`);
    const folder = join(this.folder, `shard-${String(index)}`);
    mkdirSync(folder);
    const generated = args.config as { scrape_configs: readonly ScrapeJob[] };
    const [hubJob] = generated.scrape_configs;
    if (hubJob === undefined) throw new Error("no hub job");
    const job = Object.fromEntries(Object.entries(hubJob).filter(([key]) => key !== "dns_sd_configs"));
    const config = {
      ...generated,
      // As in the pods, the paths are the same for all shards: Prometheus derives a group's evaluation times from them.
      rule_files: ["rules-*"],
      scrape_configs: [{ ...job, static_configs: [{ targets: [`127.0.0.1:${String(hubPort)}`] }] }],
    };
    writeFileSync(join(folder, "prometheus.yaml"), toYaml(config));
    for (const [name, text] of Object.entries(args.rules)) writeFileSync(join(folder, `rules-${name}`), text);
    const [http, grpc, sidecarHttp] = [await freePort(), await freePort(), await freePort()];
    const flags: Flags = {
      ...args.flags,
      "config.file": "prometheus.yaml",
      "storage.tsdb.path": join(folder, "data"),
      "web.listen-address": `127.0.0.1:${String(http)}`,
    };
    await this.start(`prometheus-${String(index)}`, this.programs.prometheus, flagList(flags), http, folder);
    const sidecar: Flags = {
      ...args.sidecarFlags,
      "grpc-address": `127.0.0.1:${String(grpc)}`,
      "http-address": `127.0.0.1:${String(sidecarHttp)}`,
      "prometheus.url": `http://127.0.0.1:${String(http)}`,
    };
    await this.start(`sidecar-${String(index)}`, this.programs.thanos, ["sidecar", ...flagList(sidecar)], sidecarHttp);
    return { grpc, http };
  }

  /** A Querier over some addresses, without leaves: for these tests it is what the roots and leaves are together. */
  async querier(topology: Topology, http: number, addresses: readonly object[]): Promise<void> {
    const file = join(this.folder, "endpoints.yaml");
    writeFileSync(file, toYaml({ endpoints: addresses }));
    const flags: Flags = {
      ...topology.querier?.flags,
      "endpoint.sd-config-file": file,
      "grpc-address": `127.0.0.1:${String(await freePort())}`,
      "http-address": `127.0.0.1:${String(http)}`,
      "query.mode": "local",
    };
    await this.start("querier", this.programs.thanos, ["query", ...flagList(flags)], http);
  }

  /** One Ruler; its ports and the folder with its rule files. */
  async ruler(
    topology: Topology,
    replica: string,
    urls: { readonly query: string; readonly alertmanager: string },
  ): Promise<{ readonly grpc: number; readonly http: number; readonly rules: string }> {
    const args = topology.ruler;
    if (args === undefined) throw new Error("no ruler");
    const folder = join(this.folder, replica);
    const rules = join(folder, "rules");
    mkdirSync(rules, { recursive: true });
    for (const [name, text] of Object.entries(args.rules)) writeFileSync(join(rules, name), text);
    const [http, grpc] = [await freePort(), await freePort()];
    const flags: Flags = {
      ...args.flags,
      "alertmanagers.url": urls.alertmanager,
      "data-dir": join(folder, "data"),
      "grpc-address": `127.0.0.1:${String(grpc)}`,
      "http-address": `127.0.0.1:${String(http)}`,
      label: [...Object.entries(args.labels), ["prometheus_replica", replica]].map(
        ([key, value]) => `${String(key)}="${String(value)}"`,
      ),
      query: urls.query,
      "rule-file": `${rules}/*`,
    };
    await this.start(replica, this.programs.thanos, ["rule", ...flagList(flags)], http);
    return { grpc, http, rules };
  }

  /** The Alertmanager; its port. */
  async alertmanager(topology: Topology): Promise<number> {
    const file = join(this.folder, "alertmanager.yaml");
    writeFileSync(file, toYaml(topology.alertmanager.config));
    const port = await freePort();
    const flags: Flags = {
      "cluster.listen-address": "",
      "config.file": file,
      "storage.path": join(this.folder, "alertmanager"),
      "web.listen-address": `127.0.0.1:${String(port)}`,
    };
    await this.start("alertmanager", this.programs.alertmanager, flagList(flags), port);
    return port;
  }

  /** A port for a part that others must know before it starts. */
  port(): Promise<number> {
    return freePort();
  }

  /** Ends one part at once. */
  kill(name: string): void {
    this.#children.get(name)?.kill("SIGKILL");
  }

  async stop(): Promise<void> {
    for (const child of this.#children.values()) child.kill("SIGKILL");
    for (const server of this.#hubs) {
      server.closeAllConnections();
      server.close();
    }
    await sleep(200);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
