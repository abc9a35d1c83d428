import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PIPELINE_LABELS } from "../../../../model/names";
import { parseConfig } from "../../../../stacks/config";
import { parseRules } from "../../../../components/rules/parse";
import { RealPipeline } from "./real-pipeline";
import { realTools } from "./real-tools";

const RULES = `groups:
  - name: sharded
    interval: 2s
    labels: { sharded: "true", origin: test }
    rules:
      - record: network:real:sum
        expr: sum by (network) (real_value)
      - record: network:real:avg
        expr: avg by (network) (real_value)
      - record: network:real:max
        expr: max(real_value)
      - record: network:real:without
        expr: count without (gatewayID) (real_value)
  - name: plain
    interval: 1s
    rules:
      - record: plain:real:count
        expr: count(real_value)
      - alert: SpansShards
        # Only true over both shards: each has three series.
        expr: count(real_value) > 5
        labels: { severity: page }
`;

/** Values differ per second and series, and the moments of the two shards' scrapes differ. */
function metrics(shard: number): (now: number) => string {
  return (now) =>
    [0, 1, 2]
      .map((gateway) => {
        const value = Math.floor(now / 1000) * (gateway + 1 + shard * 3);
        return `real_value{network="n${String(gateway % 2)}",gatewayID="g${String(shard)}-${String(gateway)}",job="j"} ${String(value)}\n`;
      })
      .join("");
}

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

const { prometheus, thanos, alertmanager } = realTools;
const missing = prometheus === undefined || thanos === undefined || alertmanager === undefined;

describe.skipIf(missing)("two shards, a Querier, two Rulers and an Alertmanager, all real", () => {
  const config = parseConfig({
    createThanos: true,
    serversCount: 2,
    push: { scrapeInterval: "1s" },
    query: { evaluationInterval: "1s" },
  });
  const parsed = parseRules({ "rules.yaml": RULES }, { minimumOffset: 0 });
  const pipeline = new RealPipeline(
    { prometheus: prometheus ?? "", thanos: thanos ?? "", alertmanager: alertmanager ?? "" },
    config,
  );
  let root = "";
  let alerts = "";
  let rulers: { readonly http: number; readonly rules: string }[] = [];

  async function query(text: string, time?: number): Promise<readonly Sample[]> {
    const at = time === undefined ? "" : `&time=${String(time)}`;
    const answer = await fetch(`${root}/api/v1/query?query=${encodeURIComponent(text)}${at}`);
    const { status, data, error } = (await answer.json()) as {
      status: string;
      error?: string;
      data: { result: readonly Sample[] };
    };
    if (status !== "success") throw new Error(error);
    return data.result;
  }

  /** Points of a recorded series in the last seconds, by time. */
  async function points(selector: string, window: string): Promise<ReadonlyMap<string, ReadonlyMap<number, number>>> {
    const series = (await query(`${selector}[${window}]`)) as unknown as readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly values: readonly (readonly [number, string])[];
    }[];
    return new Map(
      series.map(({ metric, values }) => [
        `${metric["network"] ?? ""}/${metric["shard"] ?? ""}`,
        new Map(values.map(([time, value]) => [time, Number(value)])),
      ]),
    );
  }

  beforeAll(async () => {
    expect(parsed.problems).toStrictEqual([]);
    const topology = pipeline.topology(parsed.files);
    const rootPort = await pipeline.port();
    root = `http://127.0.0.1:${String(rootPort)}`;
    const hubs = [await pipeline.hub(metrics(0)), await pipeline.hub(metrics(1))];
    const shards = await Promise.all(hubs.map((port, index) => pipeline.shard(topology, index, port)));
    const alertmanagerPort = await pipeline.alertmanager(topology);
    alerts = `http://127.0.0.1:${String(alertmanagerPort)}`;
    const urls = { query: root, alertmanager: alerts };
    const started = await Promise.all(["ruler-0", "ruler-1"].map((name) => pipeline.ruler(topology, name, urls)));
    rulers = started;
    const address = (port: number) => `127.0.0.1:${String(port)}`;
    // As in the endpoint file: one Ruler through the Service of the ready ones, and each by itself.
    await pipeline.querier(topology, rootPort, [
      ...shards.map(({ grpc }) => ({ address: address(grpc), strict: true })),
      { address: address(started[0]?.grpc ?? 0), strict: true },
      { address: `dns+localhost:${String(started[0]?.grpc ?? 0)}` },
      { address: address(started[1]?.grpc ?? 0) },
    ]);
    await pipeline.until("the rules have results", 60, async () => (await query("network:real:sum")).length === 2);
  }, 120_000);

  afterAll(() => pipeline.stop());

  test("an alert over both shards is one alert, without the labels that tell shards and replicas apart", async () => {
    let found: readonly { readonly labels: Readonly<Record<string, string>> }[] = [];
    await pipeline.until("the alert is at Alertmanager", 30, async () => {
      found = (await (await fetch(`${alerts}/api/v2/alerts`)).json()) as typeof found;
      return found.length > 0;
    });
    await sleep(3_000);
    found = (await (await fetch(`${alerts}/api/v2/alerts`)).json()) as typeof found;
    expect(found.map(({ labels }) => labels)).toStrictEqual([{ alertname: "SpansShards", severity: "page" }]);
  });

  test("a sharded rule equals the unsharded expression at the shards' evaluation times, many times in a row", async () => {
    await sleep(14_000);
    const parts = await points("network:real:sum:per_shard", "12s");
    const times = [...(parts.get("n0/0") ?? new Map<number, number>()).keys()];
    expect(times.length).toBeGreaterThan(4);
    const combined = await points("network:real:sum", "16s");
    const averages = await points("network:real:avg", "16s");
    let compared = 0;
    for (const [at, time] of times.entries()) {
      const next = times[at + 1];
      if (next === undefined) continue;
      for (const network of ["n0", "n1"]) {
        const sums = await query(`sum(real_value{network="${network}"})`, time);
        const averaged = await query(`avg(real_value{network="${network}"})`, time);
        for (const [series, expected] of [
          [combined, sums],
          [averages, averaged],
        ] as const) {
          // The Ruler's evaluations between this one of the shards and the next.
          const recorded = [...(series.get(`${network}/ruler`) ?? [])].filter(([each]) => each >= time && each < next);
          for (const [, value] of recorded) {
            compared += 1;
            expect(value).toBeCloseTo(Number(expected[0]?.value[1]), 6);
          }
        }
      }
    }
    expect(compared).toBeGreaterThan(11);
  }, 90_000);

  test("results are seen once, under the original name and with the group's labels", async () => {
    const [sum] = await query(`network:real:sum{network="n0"}`);
    expect(sum?.metric).toStrictEqual({
      __name__: "network:real:sum",
      cluster: "main",
      network: "n0",
      origin: "test",
      shard: "ruler",
    });
    expect((await query("count(network:real:sum)"))[0]?.value[1]).toBe("2");
    const without = await query("network:real:without");
    expect(
      without.map(({ metric, value }) => [metric["shard"], metric["network"], metric["job"], value[1]]).sort(),
    ).toStrictEqual([
      ["ruler", "n0", "j", "4"],
      ["ruler", "n1", "j", "2"],
    ]);
    const [part] = await query(`network:real:sum:per_shard{network="n0",shard="1"}`);
    expect(Object.keys(part?.metric ?? {}).sort()).toStrictEqual(["__name__", "cluster", "network", "shard"]);
    expect(Object.keys(part?.metric ?? {})).not.toContain(PIPELINE_LABELS.replica);
  });

  test("a changed file is active after POST /-/reload, and a bad one is refused with the reason", async () => {
    const [first] = rulers;
    const url = `http://127.0.0.1:${String(first?.http)}`;
    const groups = async () => JSON.stringify(await (await fetch(`${url}/api/v1/rules`)).json());
    const file = join(first?.rules ?? "", "more.yaml");
    writeFileSync(file, "groups: [{name: more, rules: [{record: more:rule, expr: vector(1)}]}]\n");
    expect(await groups()).not.toContain("more:rule");
    expect((await fetch(`${url}/-/reload`, { method: "POST" })).status).toBe(200);
    expect(await groups()).toContain("more:rule");
    writeFileSync(file, "groups: [{name: more, rules: [{record: more:rule, expr: rate(x)}]}]\n");
    const refused = await fetch(`${url}/-/reload`, { method: "POST" });
    expect(refused.status).toBe(500);
    expect(await refused.text()).toContain("rate");
    rmSync(file);
    expect((await fetch(`${url}/-/reload`, { method: "POST" })).status).toBe(200);
    expect(await groups()).not.toContain("more:rule");
  });

  test("while one Ruler is away, answers are errors for moments at most, and then whole again", async () => {
    pipeline.kill("ruler-1");
    let inARow = 0;
    await pipeline.until("ten good answers in a row", 40, async () => {
      inARow += 1;
      const answer = await query("network:real:sum").catch(() => undefined);
      if (answer === undefined) inARow = 0;
      else expect(answer).toHaveLength(2);
      return inARow >= 10;
    });
  });
});
