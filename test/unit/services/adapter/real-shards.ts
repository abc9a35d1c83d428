import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { flagList, type Flags } from "../../../../components/kit/flags";
import { toYaml } from "../../../../components/kit/yaml";
import { adapterConfigText, type AdapterConfig } from "../../../../model/adapter-config";

const repository = join(__dirname, "../../../..");

/** One sample in OpenMetrics: series, and time in seconds. */
export interface Row {
  readonly series: string;
  readonly value: number;
  readonly time: number;
}

export interface Programs {
  readonly prometheus: string;
  readonly promtool: string;
  readonly thanos: string;
}

/** Real Prometheus servers over made-up blocks, sidecars, leaves, adapters and a root, all on loopback. */
export class RealShards {
  readonly folder = mkdtempSync(join(tmpdir(), "adapter-"));
  readonly #children = new Map<string, ChildProcess>();
  readonly #logs = new Map<string, string>();

  constructor(readonly programs: Programs) {}

  async port(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }

  /** A Prometheus over blocks with these samples. Returns its base URL. */
  async prometheus(name: string, rows: readonly Row[], labels: Readonly<Record<string, string>>): Promise<string> {
    const folder = join(this.folder, name);
    mkdirSync(folder);
    const families = new Map<string, string[]>();
    for (const { series, value, time } of rows) {
      const family = series.replace(/\{.*/s, "");
      const lines = families.get(family) ?? [`# TYPE ${family} unknown\n`];
      lines.push(`${series} ${String(value)} ${String(time)}\n`);
      families.set(family, lines);
    }
    const input = join(folder, "samples.om");
    writeFileSync(input, `${[...families.values()].flat().join("")}# EOF\n`);
    const data = join(folder, "data");
    execFileSync(this.programs.promtool, ["tsdb", "create-blocks-from", "openmetrics", "--quiet", input, data]);
    const config = join(folder, "prometheus.yaml");
    writeFileSync(config, toYaml({ global: Object.keys(labels).length === 0 ? {} : { external_labels: labels } }));
    const port = await this.port();
    const flags: Flags = {
      "config.file": config,
      "storage.tsdb.path": data,
      "storage.tsdb.retention.time": "15d",
      "web.listen-address": `127.0.0.1:${String(port)}`,
    };
    await this.start(name, this.programs.prometheus, flagList(flags), port);
    return `http://127.0.0.1:${String(port)}`;
  }

  /** A sidecar; its gRPC address. */
  async sidecar(name: string, prometheus: string): Promise<string> {
    const [grpc, http] = [await this.port(), await this.port()];
    const flags: Flags = {
      "grpc-address": `127.0.0.1:${String(grpc)}`,
      "http-address": `127.0.0.1:${String(http)}`,
      "prometheus.url": prometheus,
      "tsdb.path": join(this.folder, name),
    };
    mkdirSync(join(this.folder, name));
    await this.start(name, this.programs.thanos, ["sidecar", ...flagList(flags)], http);
    return `127.0.0.1:${String(grpc)}`;
  }

  /** A Querier; its ports. */
  async querier(
    name: string,
    addresses: readonly string[],
    more: Flags,
    isStrict = false,
  ): Promise<{ readonly http: string; readonly grpc: string }> {
    const [grpc, http] = [await this.port(), await this.port()];
    const file = join(this.folder, `${name}.yaml`);
    writeFileSync(file, toYaml({ endpoints: addresses.map((address) => ({ address, strict: isStrict })) }));
    const flags: Flags = {
      "deduplication.func": "chain",
      "endpoint.sd-config-file": file,
      "grpc-address": `127.0.0.1:${String(grpc)}`,
      "http-address": `127.0.0.1:${String(http)}`,
      "query.partial-response": false,
      "query.replica-label": "prometheus_replica",
      ...more,
    };
    await this.start(name, this.programs.thanos, ["query", ...flagList(flags)], http);
    return { http: `http://127.0.0.1:${String(http)}`, grpc: `127.0.0.1:${String(grpc)}` };
  }

  /** The adapter as it runs in a pod; its gRPC address and the base URL of its probes and metrics. */
  async adapter(
    name: string,
    config: AdapterConfig,
    at?: number,
  ): Promise<{ readonly grpc: string; readonly ops: string }> {
    const [grpc, ops] = [at ?? (await this.port()), await this.port()];
    const file = join(this.folder, `${name}.json`);
    writeFileSync(file, adapterConfigText(config));
    const flags: Flags = {
      config: file,
      "drain-delay-milliseconds": 0,
      listen: `127.0.0.1:${String(grpc)}`,
      ops: `127.0.0.1:${String(ops)}`,
    };
    const args = ["--require", "tsx/cjs", join(repository, "services/main.ts"), "adapter", ...flagList(flags)];
    await this.start(name, process.execPath, args, ops, repository);
    return { grpc: `127.0.0.1:${String(grpc)}`, ops: `http://127.0.0.1:${String(ops)}` };
  }

  async start(name: string, program: string, args: readonly string[], port: number, cwd = this.folder): Promise<void> {
    const child = this.spawn(name, program, args, cwd);
    await this.until(`${name} is ready`, 30, async () => {
      if (child.exitCode !== null) throw new Error(`${name} ended with ${String(child.exitCode)}`);
      return (await fetch(`http://127.0.0.1:${String(port)}/-/ready`)).status === 200;
    });
  }

  /** Starts a part without waiting for it. */
  spawn(name: string, program: string, args: readonly string[], cwd = this.folder): ChildProcess {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], cwd });
    this.#children.set(name, child);
    const keep = (chunk: Buffer) =>
      this.#logs.set(name, `${this.#logs.get(name) ?? ""}${chunk.toString()}`.slice(-20_000));
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    return child;
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
      await sleep(100);
    }
    throw new Error(`waited ${String(seconds)} s in vain: ${what} ${problem}\n${this.logs()}`);
  }

  logs(): string {
    return [...this.#logs].map(([name, text]) => `--- ${name}\n${text.slice(-2000)}`).join("\n");
  }

  signal(name: string, signal: NodeJS.Signals): void {
    this.#children.get(name)?.kill(signal);
  }

  /** Exit code of a part that has been told to end. */
  async ended(name: string): Promise<number | null> {
    const child = this.#children.get(name);
    if (child === undefined) throw new Error(`no ${name}`);
    await this.until(`${name} has ended`, 10, () =>
      Promise.resolve(child.exitCode !== null || child.signalCode !== null),
    );
    return child.exitCode;
  }

  async stop(): Promise<void> {
    for (const child of this.#children.values()) child.kill("SIGKILL");
    await sleep(100);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
