import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { flagList } from "../../../../components/kit/flags";
import { toYaml } from "../../../../components/kit/yaml";
import { ShardWatch } from "../../../../services/adapter/shard-watch";
import { realTools } from "../../components/rules/real-tools";
import { RealShards } from "./real-shards";

/** Two real Prometheus servers that scrape hubs of their own, which the test fills: how soon a lost write is known. */

const { prometheus, promtool, thanos } = realTools;

/** Seconds: as the program sets them for this scrape interval; the scrape timeout is as long. */
const interval = 3;
const settle = 2 * interval;

/** A hub: a scrape takes all that it holds. */
class Hub {
  lines: string[] = [];
  readonly server: Server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/plain; version=0.0.4" }).end(this.lines.splice(0).join(""));
  });
  async start(): Promise<number> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return (this.server.address() as AddressInfo).port;
  }
}

describe.skipIf(prometheus === undefined || promtool === undefined || thanos === undefined)("a pair, all real", () => {
  const shards = new RealShards({ prometheus: prometheus ?? "", promtool: promtool ?? "", thanos: thanos ?? "" });
  const hubs = { a: new Hub(), b: new Hub() };
  let number = Date.now() * 1000;
  let timestamp = 0;
  let losing: "a" | "b" | undefined;
  let watch: ShardWatch;
  let writing: NodeJS.Timeout;

  /** One write to both hubs, or to the one that does not lose it. */
  function write(): void {
    number += 1;
    // As the exporter does: Prometheus drops a second value at one time.
    timestamp = Math.max(Date.now(), timestamp + 1);
    const series = 'pipeline_push_batch{exporter="e",cluster="main",shard="0"}';
    const line = `${series} ${String(number)} ${String(timestamp)}\n`;
    for (const name of ["a", "b"] as const) if (name !== losing) hubs[name].lines.push(line);
  }

  /** Stretches that a replica misses at its newest end. */
  function newestGaps(name: "a" | "b", since: number): number {
    const gaps = watch.view().replicas.find((replica) => replica.name === name)?.gaps ?? [];
    return gaps.filter(({ to }) => to >= since).length;
  }

  async function replica(name: "a" | "b"): Promise<string> {
    const target = await hubs[name].start();
    const port = await shards.port();
    const config = join(shards.folder, `${name}.yaml`);
    const scrape = {
      job_name: "hub",
      scrape_interval: `${String(interval)}s`,
      scrape_timeout: `${String(interval)}s`,
      static_configs: [{ targets: [`127.0.0.1:${String(target)}`] }],
      // Series of both replicas have the same labels.
      metric_relabel_configs: [{ action: "labeldrop", regex: "instance" }],
    };
    writeFileSync(
      config,
      toYaml({ global: { external_labels: { prometheus_replica: name } }, scrape_configs: [scrape] }),
    );
    const flags = {
      "config.file": config,
      "storage.tsdb.path": join(shards.folder, `data-${name}`),
      "web.listen-address": `127.0.0.1:${String(port)}`,
    };
    await shards.start(name, prometheus ?? "", flagList(flags), port);
    return `http://127.0.0.1:${String(port)}`;
  }

  beforeAll(async () => {
    const [a, b] = await Promise.all([replica("a"), replica("b")]);
    watch = new ShardWatch({
      cluster: "main",
      shard: "0",
      replicaLabel: "prometheus_replica",
      replicas: [
        { name: "a", url: a },
        { name: "b", url: b },
      ],
      leaf: "http://127.0.0.1:9",
      hasBucket: false,
      retentionSeconds: 86_400,
      lookbackSeconds: 300,
      timeoutSeconds: 30,
      maxSamples: 50_000,
      settleSeconds: settle,
      maxAgeSeconds: 0,
      maxFutureSeconds: 0,
    });
    writing = setInterval(write, 100);
    const begun = Date.now();
    await shards.until("both replicas are compared", 40, () => {
      const isLookedAt = (["a", "b"] as const).every((name) => watch.lookedAt(name) > begun + 2_000 * settle);
      const { replicas } = watch.view();
      return Promise.resolve(isLookedAt && replicas.every(({ gaps }) => gaps.every(({ to }) => to < Date.now())));
    });
  }, 60_000);

  afterAll(async () => {
    clearInterval(writing);
    watch.stop();
    for (const { server } of Object.values(hubs)) server.close();
    await shards.stop();
  });

  test("scrapes at different moments are no gap", async () => {
    const since = Date.now() + 10_000;
    const end = since + 20_000;
    while (Date.now() < end) {
      expect([newestGaps("a", since), newestGaps("b", since)]).toStrictEqual([0, 0]);
      await sleep(100);
    }
  }, 60_000);

  test("a lost write is known within a scrape interval, a scrape, a window, and a look", async () => {
    const seen: number[] = [];
    for (const name of ["a", "b", "a", "b"] as const) {
      losing = name;
      const lostAt = Date.now();
      write();
      losing = undefined;
      await shards.until("the gap is known", 30, () => Promise.resolve(newestGaps(name, lostAt) > 0));
      seen.push((Date.now() - lostAt) / 1000);
      expect(newestGaps(name === "a" ? "b" : "a", lostAt)).toBe(0);
    }
    process.stdout.write(`lost writes known after ${seen.map((one) => one.toFixed(1)).join(", ")} s\n`);
    // A window and a look are two seconds each; one for answers.
    expect(Math.max(...seen)).toBeLessThan(settle + 2 + 2 + 1);
  }, 120_000);

  test("so is one whose hub takes nothing any more", async () => {
    losing = "a";
    const lostAt = Date.now();
    await shards.until("the gap is known", 30, () => Promise.resolve(newestGaps("a", lostAt) > 0));
    const seconds = (Date.now() - lostAt) / 1000;
    process.stdout.write(`a hub that takes nothing known after ${seconds.toFixed(1)} s\n`);
    expect(seconds).toBeLessThan(settle + 2 + 2 + 1);
    expect(newestGaps("b", lostAt)).toBe(0);
  }, 60_000);
});
