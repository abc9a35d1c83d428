import { createServer } from "node:http";
import { gunzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { tableText } from "../../../../model/placement-table";
import { shardOrder } from "../../../../model/ring";
import { createExporter } from "../../../../services/exporter/exporter";
import { shardsOf } from "../../model/placement-fleets";
import { eventually, FakeHub, send, serve } from "../http-helpers";
import { tableOf } from "../placement/tables";
import { exporterConfigOf } from "./exporter-config-of";

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

describe("scaling in from 3 to 2 shards", () => {
  it("ends on both replicas of the retired shard exactly the series that it held", async () => {
    const before = { homeShard: 0, shards: shardsOf(3), pins: new Map(), until: Date.now() };
    const table = tableOf(2, { previous: [before] });
    const placement = await serve(createServer((_, response) => response.end(tableText(table))));
    const hubs = [await new FakeHub().start(), await new FakeHub().start()];
    ends.push(placement.close, ...hubs.map((hub) => () => hub.stop()));
    const config = exporterConfigOf(
      hubs.map(({ url }) => [url]),
      {
        version: table.ringVersion,
        placementUrl: placement.url,
        retired: [
          {
            index: 2,
            name: "shard-2",
            replicas: [
              { replica: "a", prometheusUrl: "http://retired-a:9096" },
              { replica: "b", prometheusUrl: "http://retired-b:9096" },
            ],
          },
        ],
      },
    );
    const ended = new Map<string, string[]>();
    const exporter = createExporter(config, {
      makeMarkerClient: (url) => ({
        write: (body) => {
          ended.set(url, [...(ended.get(url) ?? []), ...gunzipSync(body).toString().trim().split("\n")]);
          return Promise.resolve({ kind: "written" });
        },
      }),
    });
    ends.push(exporter.stop);
    const push = await serve(exporter.server);
    ends.push(push.close);
    await eventually(() => exporter.notReady() === undefined);

    const now = Date.now();
    const keys = Array.from({ length: 60 }, (_, at) => `g${String(at)}`);
    const lineOf = (key: string): string => `x{gatewayID="${key}"}`;
    const body = keys.map((key) => `${lineOf(key)} 1 ${String(now)}\n`).join("");
    expect((await send(push.url, "POST", "/metrics", { body })).status).toBe(200);

    const left = keys.filter((key) => shardOrder(before, key)[0]?.index === 2);
    expect(left.length).toBeGreaterThan(5);
    const lines = left.map((key) => `${lineOf(key)} ${String(now)}`).sort();
    const urls = ["http://retired-a:9096", "http://retired-b:9096"];
    await eventually(() => urls.every((url) => ended.get(url)?.length === lines.length));
    for (const url of urls) expect(ended.get(url)?.toSorted()).toStrictEqual(lines);
    expect([...ended.keys()].sort()).toStrictEqual(urls);
    const text = exporter.metrics.render();
    for (const replica of ["a", "b"]) {
      expect(text).toContain(
        `exporter_stale_markers_total{target_shard="shard-2",target_replica="${replica}"} ${String(lines.length)}\n`,
      );
    }
    // It gets no samples, so nothing else is told of it.
    expect(text).not.toMatch(/exporter_hub[^\n]*shard-2/);
  });
});
