import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toolPath } from "../../../../local/toolchain/build";
import { workloadTools } from "../../../../local/toolchain/table";
import { createExporter, type Exporter } from "../../../../services/exporter/exporter";
import { listen } from "../../../../services/plumbing/lifecycle";
import { realTools } from "../../components/rules/real-tools";
import { send } from "../http-helpers";
import { exporterConfigOf } from "./exporter-config-of";
import { RealReplica, SCRAPE_INTERVAL, until } from "./real-pair";

const hub = toolPath(workloadTools.hub);
const { prometheus } = realTools;
const isBuilt = existsSync(hub) && prometheus !== undefined;

let a: RealReplica;
let b: RealReplica;
let exporter: Exporter;
let url: string;
/** Acknowledged samples, as {@link RealReplica.samples} shows them. */
const ledger: string[] = [];
let value = 0;

async function push(): Promise<void> {
  value += 1;
  const time = String(Date.now());
  const gateways = Array.from({ length: 50 }, (_, at) => `g${String(at)}`);
  const body = gateways.map((gateway) => `pushed{gatewayID="${gateway}"} ${String(value)} ${time}\n`).join("");
  const { status, text } = await send(url, "POST", "/metrics", { body });
  expect(status, text).toBe(200);
  for (const gateway of gateways) ledger.push(`${gateway} ${time} ${String(value)}`);
}

/** A sum over label sets of one of the exporter's metrics. */
function metric(name: string, labels = ""): number {
  const lines = exporter.metrics.all.render().split("\n");
  return lines
    .filter((line) => line.startsWith(`${name}{`) && line.includes(labels))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

const isEmpty = () => exporter.commitment.buffer.bytes === 0;

describe.skipIf(!isBuilt)("a real pair of hubs and Prometheus servers", () => {
  beforeAll(async () => {
    const programs = { hub, prometheus: prometheus ?? "" };
    [a, b] = await Promise.all([new RealReplica(programs).start(), new RealReplica(programs).start()]);
    const plain = exporterConfigOf([[a.hubUrl, b.hubUrl]], { pushTimeoutMilliseconds: 5000 });
    const [hubA, hubB] = plain.shards[0]?.hubs ?? [];
    if (hubA === undefined || hubB === undefined) throw new Error("no hubs");
    exporter = createExporter(
      {
        ...plain,
        commit: { ...plain.commit, scrapeIntervalMilliseconds: SCRAPE_INTERVAL * 1000 },
        shards: [
          {
            index: 0,
            name: "shard-0",
            hubs: [
              { ...hubA, prometheusUrl: a.prometheusUrl },
              { ...hubB, prometheusUrl: b.prometheusUrl },
            ],
          },
        ],
      },
      { name: "exporter-1" },
    );
    const port = await listen(exporter.server, { host: "127.0.0.1", port: 0 });
    url = `http://127.0.0.1:${String(port)}`;
    exporter.commitment.start();
  }, 60_000);
  afterAll(async () => {
    await exporter.stop();
    exporter.server.closeAllConnections();
    exporter.server.close();
    await Promise.all([a.stop(), b.stop()]);
  });

  it("have every write once, and the exporter forgets it", { timeout: 60_000 }, async () => {
    for (let at = 0; at < 5; at += 1) await push();
    await until("everything is stored", isEmpty);
    expect(await a.samples("pushed")).toStrictEqual([...ledger].sort());
    expect(await b.samples("pushed")).toStrictEqual([...ledger].sort());
  });

  it("have what was in both hubs when they were killed before the scrape", { timeout: 60_000 }, async () => {
    const before = metric("exporter_resent_writes_total", 'reason="vanished"');
    // A scrape may come between push and kill: then nothing was lost, and it is tried again.
    for (let at = 0; at < 20 && metric("exporter_resent_writes_total", 'reason="vanished"') === before; at += 1) {
      await push();
      await Promise.all([a.kill("hub"), b.kill("hub")]);
      await Promise.all([a.startHub(), b.startHub()]);
      await until("everything is stored", isEmpty);
    }
    expect(metric("exporter_resent_writes_total", 'reason="vanished"')).toBeGreaterThan(before);
    expect(await a.samples("pushed")).toStrictEqual([...ledger].sort());
    expect(await b.samples("pushed")).toStrictEqual([...ledger].sort());
  });

  it("hold the same after one hub was away, and one Prometheus was killed", { timeout: 60_000 }, async () => {
    await b.kill("hub");
    for (let at = 0; at < 10; at += 1) {
      await push();
      await sleep(200);
    }
    await b.startHub();
    await a.kill("prometheus");
    for (let at = 0; at < 10; at += 1) {
      await push();
      await sleep(200);
    }
    await a.startPrometheus();
    await until("everything is stored", isEmpty);
    expect(metric("exporter_resent_writes_total", 'target_replica="b",reason="missed"')).toBeGreaterThan(0);
    expect(await a.samples("pushed")).toStrictEqual([...ledger].sort());
    expect(await b.samples("pushed")).toStrictEqual([...ledger].sort());
    expect(await a.samples("pipeline_push_batch")).toStrictEqual(await b.samples("pipeline_push_batch"));
  });

  it(
    "take the same lines again and again as the samples that they have, also after newer ones",
    { timeout: 60_000 },
    async () => {
      const [first = "", last = ""] = [ledger[0], ledger.at(-1)];
      const lines = [first, last].map((sample) => {
        const [gateway = "", time = "", text = ""] = sample.split(" ");
        return `pushed{gatewayID="${gateway}"} ${text} ${time}\n`;
      });
      const refusals = [
        "prometheus_target_scrapes_sample_duplicate_timestamp_total",
        "prometheus_target_scrapes_sample_out_of_order_total",
        "prometheus_target_scrapes_sample_out_of_bounds_total",
      ];
      const before = await Promise.all(refusals.map((name) => a.counter(name)));
      for (let round = 0; round < 3; round += 1) {
        const pushedAt = Date.now() / 1000;
        expect((await send(a.hubUrl, "POST", "/metrics", { body: lines.join("") })).status).toBe(200);
        await until("the hub is scraped", async () => (await a.value('timestamp(up{job="hub"})')) > pushedAt);
        expect(await a.value('scrape_samples_scraped{job="hub"}')).toBe(lines.length);
      }
      expect(await a.samples("pushed")).toStrictEqual([...ledger].sort());
      expect(await Promise.all(refusals.map((name) => a.counter(name)))).toStrictEqual(before);
    },
  );

  it(
    "have everything when the exporter stops, though both hubs are killed after its last push",
    { timeout: 60_000 },
    async () => {
      await push();
      await Promise.all([a.kill("hub"), b.kill("hub")]);
      const drained = exporter.commitment.drained(30_000);
      await Promise.all([a.startHub(), b.startHub()]);
      expect(await drained).toStrictEqual({ writes: 0, samples: 0 });
      const [onA, onB] = [await a.samples("pushed"), await b.samples("pushed")];
      expect(ledger.filter((sample) => !onA.includes(sample) && !onB.includes(sample))).toStrictEqual([]);
    },
  );
});
