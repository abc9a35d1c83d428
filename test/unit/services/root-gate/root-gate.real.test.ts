import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { flagList, type Flags } from "../../../../components/kit/flags";
import { toYaml } from "../../../../components/kit/yaml";
import type { AdapterConfig } from "../../../../model/adapter-config";
import { RULER_SHARD } from "../../../../model/names";
import { rootGateConfigText } from "../../../../model/root-gate-config";
import { parseConfig } from "../../../../stacks/config";
import { buildTopology } from "../../../../stacks/topology";
import { realTools } from "../../components/rules/real-tools";
import { askApi, type Times } from "../adapter/answers";
import { RealShards } from "../adapter/real-shards";

/**
 * A real root with the flags and the endpoint file that the program writes, its gate, and a real query frontend before
 * it, over two shards, of which one comes up late and goes away again. Takes under a minute; not part of `make check`.
 */

const { prometheus, promtool, thanos } = realTools;
const repository = join(__dirname, "../../../..");

const end = Math.floor(Date.now() / 60_000) * 60 - 3 * 3600;
const moment: Times = { end: end - 60 };

/** Instant queries of range vectors, and how many points each series of their answers has. */
const ranges: readonly (readonly [query: string, points: readonly number[]])[] = [
  ["up[10m]", [10, 10]],
  ["(up[10m] offset 1m) # raw", [10, 10]],
  [`up[5m] @ ${String(end - 600)}`, [5, 5]],
  ["sum(up)[5m:1m]", [5]],
  ["max_over_time(up[2m])[10m:2m]", [5, 5]],
  ['up{shard="0"}[10m]', [10]],
];

const topology = buildTopology(parseConfig({ createThanos: true, serversCount: 2 }), {});

describe.skipIf(prometheus === undefined || promtool === undefined || thanos === undefined)(
  "root gate, all real",
  () => {
    const shards = new RealShards({ prometheus: prometheus ?? "", promtool: promtool ?? "", thanos: thanos ?? "" });
    const configs: AdapterConfig[] = [];
    const opsOf: string[] = [];
    let ports: readonly number[];
    let root: { readonly http: number; readonly flags: Flags };
    let gate: string;
    let frontend: string;

    beforeAll(async () => {
      ports = [await shards.port(), await shards.port(), await shards.port()];
      for (const shard of [0, 1]) {
        const labels = { cluster: "main", shard: String(shard), prometheus_replica: "a" };
        const rows = Array.from({ length: 30 }, (_, at) => ({
          series: `up{cluster="main",shard="${String(shard)}",gatewayID="g${String(shard)}"}`,
          value: 1,
          time: end - (29 - at) * 60,
        }));
        const url = await shards.prometheus(`prometheus-${String(shard)}`, rows, labels);
        const leaf = await shards.querier(
          `leaf-${String(shard)}`,
          [await shards.sidecar(`sidecar-${String(shard)}`, url)],
          {},
        );
        const planned = topology.shards[shard]?.leaf?.adapter;
        if (planned === undefined) throw new Error("no leaf in the topology");
        configs.push({ ...planned, replicas: [{ name: "a", url }], leaf: `http://${leaf.grpc}` });
      }
      await ruler();
      await adapter(0);
      root = await prepareRoot();
      await startRoot();
      gate = await startGate();
      frontend = await startFrontend();
    }, 90_000);

    afterAll(() => shards.stop());

    const addressOf = (shard: number) => `localhost:${String(ports[shard])}`;

    async function adapter(shard: number): Promise<void> {
      const config = configs[shard];
      if (config === undefined) throw new Error(`no shard ${String(shard)}`);
      opsOf[shard] = (await shards.adapter(`adapter-${String(shard)}`, config, ports[shard])).ops;
    }

    /** One Ruler's TSDB behind a leaf and an adapter that can't ask it for anything. */
    async function ruler(): Promise<void> {
      const labels = { cluster: "main", shard: RULER_SHARD, prometheus_replica: "ruler-0" };
      const url = await shards.prometheus("ruler", [{ series: 'recorded{a="1"}', value: 1, time: end }], labels);
      const leaf = await shards.querier("leaf-ruler", [await shards.sidecar("sidecar-ruler", url)], {});
      const [first] = configs;
      if (first === undefined) throw new Error("no shard 0");
      const config = { ...first, shard: RULER_SHARD, replicas: [{ name: "ruler-0" }], leaf: `http://${leaf.grpc}` };
      await shards.adapter("adapter-ruler", config, ports[2]);
    }

    async function prepareRoot() {
      const [http, grpc] = [await shards.port(), await shards.port()];
      const file = join(shards.folder, "root.yaml");
      const { endpoints } = topology.querier?.endpoints as { readonly endpoints: readonly object[] };
      writeFileSync(file, toYaml({ endpoints: [0, 1, 2].map((at) => ({ ...endpoints[at], address: addressOf(at) })) }));
      const flags: Flags = {
        ...topology.querier?.flags,
        "endpoint.sd-config-file": file,
        "grpc-address": `127.0.0.1:${String(grpc)}`,
        "http-address": `127.0.0.1:${String(http)}`,
      };
      return { http, flags };
    }

    const startRoot = () => shards.start("root", thanos ?? "", ["query", ...flagList(root.flags)], root.http);

    async function startGate(): Promise<string> {
      const [port, ops] = [await shards.port(), await shards.port()];
      const file = join(shards.folder, "expected.json");
      const endpoints = ["0", "1", RULER_SHARD].map((shard, at) => ({ shard, address: addressOf(at) }));
      writeFileSync(file, rootGateConfigText({ endpoints }));
      const flags: Flags = {
        config: file,
        listen: `127.0.0.1:${String(port)}`,
        ops: `127.0.0.1:${String(ops)}`,
        upstream: `http://127.0.0.1:${String(root.http)}`,
      };
      const args = ["--require", "tsx/cjs", join(repository, "services/main.ts"), "root-gate", ...flagList(flags)];
      await shards.start("gate", process.execPath, args, ops, repository);
      return `http://127.0.0.1:${String(port)}`;
    }

    async function startFrontend(): Promise<string> {
      const port = await shards.port();
      const flags: Flags = {
        ...topology.queryFrontend?.flags,
        "http-address": `127.0.0.1:${String(port)}`,
        "query-frontend.downstream-url": gate,
      };
      shards.spawn("frontend", thanos ?? "", ["query-frontend", ...flagList(flags)]);
      const url = `http://127.0.0.1:${String(port)}`;
      await shards.until("the frontend is alive", 30, async () => (await fetch(`${url}/-/healthy`)).status === 200);
      return url;
    }

    const count = (url: string) => askApi(url, "count(up)", moment);

    test("refuses queries until the root has seen every shard, and names the missing one", async () => {
      await shards.until("shard 0 is seen", 20, async () => {
        const text = await (await fetch(`${gate}/api/v1/stores`)).text();
        return text.includes(addressOf(0));
      });
      const answer = await fetch(`${gate}/api/v1/query?query=count(up)`);
      expect(answer.status).toBe(503);
      expect(await answer.json()).toMatchObject({
        status: "error",
        error: `not seen since this root started: shard 1 (${addressOf(1)})`,
      });
      expect((await fetch(`${gate}/-/ready`)).status).toBe(503);
      expect((await fetch(`${frontend}/-/ready`)).status).toBe(503);
      expect((await fetch(`${gate}/metrics`)).status).toBe(200);
    });

    test("answers completely once the last one came, also through the frontend", async () => {
      await adapter(1);
      await shards.until("the root is ready", 30, async () => (await fetch(`${gate}/-/ready`)).status === 200);
      await shards.until("the frontend is ready", 30, async () => (await fetch(`${frontend}/-/ready`)).status === 200);
      for (const url of [gate, frontend]) {
        expect(JSON.stringify((await count(url)).data?.result), url).toContain('"2"');
        const range = await askApi(url, "count(up)", { start: end - 1200, end: end - 60, step: 60 });
        expect(JSON.stringify(range.data?.result), url).toContain('"2"');
        expect(JSON.stringify(range.data?.result), url).not.toContain('"1"');
      }
    });

    test("series are the root's own, though the shards tell of them by themselves", async () => {
      const bounds = { start: String(end - 3600), end: String(end) };
      const selections = [
        ["up"],
        ['{cluster="main",__name__=~".+"}'],
        ["recorded", "up"],
        ['{shard="ruler",a="1"}'],
        ['up{gatewayID="g1"}', 'up{gatewayID="g0"}'],
        ["nothing"],
        ['up{prometheus_replica="a"}'],
      ];
      const lists: number[] = [];
      for (const selection of selections) {
        const parameters = new URLSearchParams([
          ...Object.entries(bounds),
          ...selection.map((one): [string, string] => ["match[]", one]),
        ]);
        const [mine, roots] = await Promise.all(
          [gate, `http://127.0.0.1:${String(root.http)}`].map(async (url) => {
            const answer = await fetch(`${url}/api/v1/series`, { method: "POST", body: parameters });
            const { status, data } = (await answer.json()) as {
              readonly status: string;
              readonly data: readonly object[];
            };
            expect(status, `${url} ${selection.join()}`).toBe("success");
            return data.map((one) => JSON.stringify(Object.entries(one).sort())).sort();
          }),
        );
        expect(mine, selection.join()).toStrictEqual(roots);
        lists.push(mine?.length ?? 0);
      }
      expect(lists).toStrictEqual([2, 3, 3, 1, 2, 0, 2]);
      const asked = await (await fetch(`${opsOf[0] ?? ""}/metrics`)).text();
      expect(asked).toMatch(
        /adapter_proxied_total\{method="\/pipeline.Adapter\/SeriesText",code="0",via="prometheus"\} [1-9]/,
      );
    });

    test("an instant query of a range vector has every sample of every shard, whoever asks", async () => {
      // What the gate is for: should this fail, a newer Thanos answers by itself.
      const unmended = await askApi(`http://127.0.0.1:${String(root.http)}`, "up[10m]", moment);
      expect(unmended.data?.resultType).toBe("vector");
      for (const url of [gate, frontend]) {
        for (const [query, points] of ranges) {
          const where = `${url} ${query}`;
          const answer = await askApi(url, query, moment);
          expect(answer.data?.resultType, `${where}: ${JSON.stringify(answer)}`).toBe("matrix");
          const counts = answer.data?.result.map(({ values }) => values?.length);
          expect(counts, where).toStrictEqual(points);
        }
        const body = new URLSearchParams({ query: "up[10m]", time: String(moment.end), engine: "thanos" });
        const posted = await (await fetch(`${url}/api/v1/query`, { method: "POST", body })).json();
        expect(posted, url).toStrictEqual(await askApi(url, "up[10m]", moment));
      }
    });

    test("times are cut to whole seconds, except after @", async () => {
      // Half a second after the samples of a minute.
      const late = moment.end + 0.5;
      const samples = async (query: string) => {
        const answer = await askApi(gate, query, { end: late });
        expect(answer.status, `${query}: ${JSON.stringify(answer)}`).toBe("success");
        return answer.data?.result.length;
      };
      expect(await samples("count_over_time(up[400ms])")).toBe(2);
      expect(await samples(`count_over_time(up[400ms] @ ${String(late)})`)).toBe(0);
      expect(await samples(`count_over_time(up[600ms] @ ${String(late)})`)).toBe(2);
    });

    test("stays ready when a shard goes, and every answer that needs it is an error that names it", async () => {
      shards.signal("adapter-1", "SIGKILL");
      await shards.ended("adapter-1");
      for (const url of [gate, frontend]) {
        const answer = await count(url);
        expect(answer.status, JSON.stringify(answer)).toBe("error");
        expect(JSON.stringify(answer), url).toContain("shard 1");
        const series = await fetch(`${url}/api/v1/series?match[]=up&start=${String(end - 3600)}&end=${String(end)}`);
        expect(await series.text(), url).toContain("shard 1");
        expect(series.ok, url).toBe(false);
        for (const [query, points] of ranges) {
          const part = await askApi(url, query, moment);
          if (query.includes(`shard="0"`)) {
            expect(part.data?.result.length, `${url} ${query}: ${JSON.stringify(part)}`).toBe(points.length);
            continue;
          }
          expect(part.status, `${url} ${query}: ${JSON.stringify(part)}`).toBe("error");
          expect(JSON.stringify(part), `${url} ${query}`).toContain("shard 1");
        }
      }
      expect((await fetch(`${gate}/-/ready`)).status).toBe(200);
      expect(JSON.stringify((await askApi(gate, 'count(up{shard="0"})', moment)).data?.result)).toContain('"1"');
    });

    test("a root that restarts meanwhile is refused again", async () => {
      shards.signal("root", "SIGKILL");
      await shards.ended("root");
      await startRoot();
      for (let tries = 0; tries < 20; tries++) {
        const answer = await fetch(`${gate}/api/v1/query?query=count(up)&time=${String(end - 60)}`);
        expect(answer.status, await answer.clone().text()).toBe(503);
      }
      await shards.until("it has seen shard 0", 20, async () => {
        const text = await (await fetch(`${gate}/api/v1/stores`)).text();
        return text.includes(addressOf(0));
      });
      expect(await (await fetch(`${gate}/-/ready`)).text()).toContain("shard 1");
      await adapter(1);
      await shards.until("the root is ready", 30, async () => (await fetch(`${gate}/-/ready`)).status === 200);
      expect(JSON.stringify((await count(gate)).data?.result)).toContain('"2"');
    });
  },
);
