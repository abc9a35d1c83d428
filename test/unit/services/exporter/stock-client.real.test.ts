import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toolPath } from "../../../../local/toolchain/build";
import { workloadTools } from "../../../../local/toolchain/table";
import { exporterConfigText, type ExporterConfig } from "../../../../model/exporter-config";
import { send } from "../http-helpers";
import { exporterConfigOf } from "./exporter-config-of";
import { buildStockClient, hasGo, stockPush, type StockResult } from "../../../stand-ins/stock-client";

const hubProgram = toolPath(workloadTools.hub);
const canRun = existsSync(hubProgram) && hasGo();
const isRequired = process.env["REQUIRE_CHECKERS"] === "1";
const timestamp = Date.now() - 20_000;

interface Hub {
  readonly url: string;
  readonly grpc: string;
}

let folder: string;
let client: string;
let bundle: string;
const children: ChildProcess[] = [];

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function startHub(limit = 0): Promise<Hub> {
  const [http, grpc] = [await freePort(), await freePort()];
  const flags = ["-logtostderr", `-port=${String(http)}`, `-grpc-port=${String(grpc)}`, `-limit=${String(limit)}`];
  children.push(spawn(hubProgram, flags, { stdio: "ignore" }));
  const url = `http://127.0.0.1:${String(http)}`;
  for (let status = 0; status !== 200;) {
    status = await send(url, "GET", "/").then(
      (answer) => answer.status,
      () => new Promise<number>((resolve) => setTimeout(() => resolve(0), 50)),
    );
  }
  return { url, grpc: `127.0.0.1:${String(grpc)}` };
}

interface RunningExporter {
  readonly grpc: string;
  readonly child: ChildProcess;
}

/** The exporter as it runs in the cluster: the bundle, in a process of its own. */
async function startExporter(config: ExporterConfig, ...more: readonly string[]): Promise<RunningExporter> {
  const path = join(folder, "exporter.json");
  writeFileSync(path, exporterConfigText(config));
  const local = "127.0.0.1:0";
  const flags = ["--config", path, "--listen", local, "--grpc-listen", local, "--ops", local];
  const drain = ["--drain-delay-milliseconds", "300"];
  const child = spawn(process.execPath, [bundle, "exporter", ...flags, ...drain, ...more], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  children.push(child);
  const grpcPort = await new Promise<number>((resolve, reject) => {
    let text = "";
    child.stderr.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const line = text.split("\n").find((one) => one.includes("exporter ready"));
      if (line !== undefined) resolve((JSON.parse(line) as { grpcPort: number }).grpcPort);
    });
    child.once("exit", () => reject(new Error(text)));
  });
  return { grpc: `127.0.0.1:${String(grpcPort)}`, child };
}

function pushed(target: string, families: readonly object[], ...flags: readonly string[]): StockResult {
  const path = join(folder, "message.json");
  writeFileSync(path, JSON.stringify({ families }));
  return stockPush(client, ...flags, target, path);
}

/** What a hub shows its Prometheus, as series with their labels in order; TYPE and HELP are no samples. */
async function drained(hub: Hub): Promise<readonly string[]> {
  const { text } = await send(hub.url, "GET", "/metrics");
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#") && !line.startsWith("pipeline_push_batch{"))
    .map((line) => {
      const [, name = "", braces = "", rest = ""] = /^([^ {]+)(?:\{(.*)\})? ([^}]*)$/.exec(line) ?? [];
      const labels = [...braces.matchAll(/([^=,]+)="((?:[^"\\]|\\.)*)"/g)].filter(([, , value]) => value !== "");
      return `${name}{${labels
        .map(([label]) => label)
        .sort()
        .join(",")}} ${rest}`;
    })
    .sort();
}

beforeAll(() => {
  if (!canRun && !isRequired) return;
  folder = mkdtempSync(join(tmpdir(), "stock-client-"));
  client = buildStockClient(folder);
  bundle = join(folder, "services.cjs");
  const entry = join(__dirname, "../../../../services/main.ts");
  buildSync({ entryPoints: [entry], bundle: true, platform: "node", target: "node20", format: "cjs", outfile: bundle });
}, 300_000);
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

const label = (name: string, value: string) => ({ name, value });
const gateway = [label("networkID", "net1"), label("gatewayID", "gw1")];

/** One of each kind, with what is odd about it; jsonpb's names. */
const families: readonly object[] = [
  {
    name: "magma_gauge",
    help: "h",
    type: "GAUGE",
    metric: [{ label: gateway, gauge: { value: 1.5 }, timestampMs: timestamp }],
  },
  {
    name: "values",
    type: "GAUGE",
    metric: [0, 1, -1, 1e6, 123456789.125, 1e-7, 5e-324, 1.7976931348623157e308, "NaN", "Infinity", "-Infinity"].map(
      (value, at) => ({ label: [label("at", String(at))], gauge: { value }, timestampMs: timestamp }),
    ),
  },
  { name: "untyped:m", type: "UNTYPED", metric: [{ untyped: { value: 2 }, timestampMs: timestamp }] },
  { name: "counter_total", type: "COUNTER", metric: [{ counter: { value: 7 }, timestampMs: timestamp }] },
  { name: "no_type", metric: [{ label: gateway, counter: { value: 8 }, timestampMs: timestamp }] },
  {
    name: "no_value",
    type: "GAUGE",
    metric: [
      { gauge: {}, timestampMs: timestamp },
      { label: [label("empty", "")], gauge: {}, timestampMs: timestamp + 1 },
    ],
  },
  {
    name: "odd_labels",
    type: "GAUGE",
    metric: ['"', "\\", "\n", 'a,b="c"', "é€𝄞", " "].map((value) => ({
      label: [label("z", value), label("a", "1")],
      gauge: { value: 1 },
      timestampMs: timestamp,
    })),
  },
  {
    name: "times",
    type: "GAUGE",
    metric: [3, 1, 2].map((at) => ({ label: gateway, gauge: { value: at }, timestampMs: timestamp + at })),
  },
  {
    name: "summary",
    type: "SUMMARY",
    metric: [
      {
        label: gateway,
        summary: {
          sampleCount: 12,
          sampleSum: 3.25,
          quantile: [0.5, 0.99, 1].map((quantile) => ({ quantile, value: quantile === 1 ? "NaN" : quantile * 3 })),
        },
        timestampMs: timestamp,
      },
      { summary: {}, timestampMs: timestamp },
    ],
  },
  {
    name: "histogram",
    type: "HISTOGRAM",
    metric: [
      {
        label: gateway,
        histogram: {
          sampleCount: "9007199254740993",
          sampleSum: -3.25,
          bucket: [0.005, 1, 10, 1e6, 123456.75].map((upperBound, at) => ({ upperBound, cumulativeCount: at })),
        },
        timestampMs: timestamp,
      },
      {
        label: [label("inf", "yes")],
        histogram: { sampleCount: 3, bucket: [{ upperBound: "Infinity", cumulativeCount: 3 }] },
        timestampMs: timestamp,
      },
    ],
  },
];

describe.skipIf(!canRun && !isRequired)("a stock Magma controller", () => {
  it("gets the same samples stored through the exporter as by the hub itself", async () => {
    const [direct, behind] = [await startHub(), await startHub()];
    const exporter = await startExporter(exporterConfigOf([[behind.url]], { pushTimeoutMilliseconds: 5000 }));
    expect(pushed(direct.grpc, families)).toMatchObject({ code: "OK" });
    expect(pushed(exporter.grpc, families)).toMatchObject({ code: "OK", message: "" });
    const [wanted, found] = [await drained(direct), await drained(behind)];
    expect(found).toStrictEqual(wanted);
    expect(found).toHaveLength(44);
  });

  it("is told what the hub would drop without a word", async () => {
    const [full, empty] = [await startHub(3), await startHub(3)];
    const exporter = await startExporter(exporterConfigOf([[full.url], [empty.url]]));
    const gauge = (name: string, count: number) => ({
      name,
      type: "GAUGE",
      metric: Array.from({ length: count }, (_, at) => ({
        label: [label("at", String(at))],
        gauge: { value: at },
        timestampMs: timestamp,
      })),
    });
    expect(pushed(full.grpc, [gauge("m", 4)]).code).toBe("OK");
    expect(await drained(full)).toStrictEqual([]);
    const refused = pushed(exporter.grpc, [gauge("m", 4)]);
    expect(refused.code).toBe("Unavailable");
    expect(refused.message).toContain("no shard took 4 of 4 samples");
    const wrong = { name: "m", type: "COUNTER", metric: [{ gauge: { value: 1 }, timestampMs: timestamp }] };
    expect(pushed(full.grpc, [wrong]).code).toBe("OK");
    expect(pushed(exporter.grpc, [wrong])).toMatchObject({
      code: "InvalidArgument",
      message: 'metric "m": is of type counter and has no counter in a metric',
    });
    const twice = { ...gauge("m", 1), metric: [{ label: [label("a", "1"), label("a", "2")], gauge: { value: 1 } }] };
    expect(pushed(exporter.grpc, [twice])).toMatchObject({
      code: "InvalidArgument",
      message: 'm{a="1",a="2"}: duplicate label a',
    });
  });

  it("may be one with TLS and a token", async () => {
    const hub = await startHub();
    const about = ["-subj", "/CN=exporter", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2", "-nodes"];
    const files = ["-keyout", join(folder, "tls.key"), "-out", join(folder, "tls.crt")];
    execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", ...about, ...files], { stdio: "ignore" });
    writeFileSync(join(folder, "token"), "a-token-of-the-test\n");
    const secrets = ["--tls-folder", folder, "--token-file", join(folder, "token")];
    const { grpc } = await startExporter(exporterConfigOf([[hub.url]]), ...secrets);
    const ca = ["-ca", join(folder, "tls.crt")];
    expect(pushed(grpc, families, ...ca).code).toBe("Unauthenticated");
    expect(pushed(grpc, families, ...ca, "-token", "a-token-of-the-test").code).toBe("OK");
    expect(() => pushed(grpc, families)).toThrow();
  });

  it("may push 50 MB at once, in the memory that the exporter's container has; more is refused with a reason", async () => {
    const hub = await startHub();
    const limits = { maxBodyBytes: 2 ** 25, maxMessageBytes: 50 * 2 ** 20, maxFutureSeconds: 60, maxAgeSeconds: 1500 };
    const config = exporterConfigOf([[hub.url]], { limits, pushTimeoutMilliseconds: 60_000 });
    const { grpc, child } = await startExporter(config);
    const large = stockPush(client, "-generate", "720000", grpc);
    expect(large).toMatchObject({ code: "OK" });
    expect(large.bytes).toBeGreaterThan(48_000_000);
    const cpu = readFileSync(`/proc/${String(child.pid)}/stat`, "utf8")
      .split(" ")
      .slice(13, 15)
      .map(Number);
    const seconds = cpu.reduce((sum, ticks) => sum + ticks / 100, 0);
    const status = readFileSync(`/proc/${String(child.pid)}/status`, "utf8");
    const peak = Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
    process.stdout.write(
      `${String(large.bytes)} bytes: ${seconds.toFixed(1)} CPU seconds of the exporter, its peak ${peak.toFixed(0)} MiB\n`,
    );
    expect(peak).toBeLessThan(900);
    expect(await drained(hub)).toHaveLength(720_000);
    expect(stockPush(client, "-generate", "900000", grpc)).toMatchObject({
      code: "ResourceExhausted",
      message: "message over 52428800 bytes",
    });
  }, 600_000);
});
