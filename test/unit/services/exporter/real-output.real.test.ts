import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { flagList } from "../../../../components/kit/flags";
import { toYaml } from "../../../../components/kit/yaml";
import { toolPath } from "../../../../local/toolchain/build";
import { workloadTools } from "../../../../local/toolchain/table";
import { createExporter, type Exporter } from "../../../../services/exporter/exporter";
import { RealShards } from "../adapter/real-shards";
import { send, serve, type TestServer } from "../http-helpers";
import { exporterConfigOf } from "./exporter-config-of";
import { ParserComparison } from "./parser-comparison";
import { hasGo } from "./real-parsers";

const programs = {
  prometheus: toolPath(workloadTools.prometheus),
  thanos: toolPath(workloadTools.thanos),
  hub: toolPath(workloadTools.hub),
  promtool: "",
};
const isBuilt = [programs.prometheus, programs.thanos, programs.hub].every(existsSync) && hasGo;
const isRequired = process.env["REQUIRE_CHECKERS"] === "1";

describe.skipIf(!isBuilt && !isRequired)("with real programs", () => {
  const real = new RealShards(programs);
  let parsers: ParserComparison;
  let hub: string;
  let exporter: Exporter;
  let server: TestServer;

  beforeAll(async () => {
    parsers = new ParserComparison();
    const port = await real.port();
    hub = `http://127.0.0.1:${String(port)}`;
    // The hub has no /-/ready; it answers as soon as it listens.
    void real.start("hub", programs.hub, ["-logtostderr", `-port=${String(port)}`], port).catch(() => undefined);
    await real.until("the hub listens", 30, async () => (await fetch(`${hub}/`)).ok);
    exporter = createExporter(exporterConfigOf([[hub]], { pushTimeoutMilliseconds: 10_000 }));
    server = await serve(exporter.server);
  }, 120_000);
  afterAll(async () => {
    await exporter.stop();
    await server.close();
    parsers.stop();
    await real.stop();
  });

  const metricsOf = async (url: string): Promise<Buffer> => Buffer.from(await (await fetch(url)).arrayBuffer());

  it("Prometheus' own metrics are taken, and mean the same to both parsers", async () => {
    const port = await real.port();
    mkdirSync(join(real.folder, "data"));
    writeFileSync(join(real.folder, "empty.yaml"), toYaml({ global: {} }));
    const flags = {
      "config.file": join(real.folder, "empty.yaml"),
      "storage.tsdb.path": join(real.folder, "data"),
      "web.listen-address": `127.0.0.1:${String(port)}`,
    };
    await real.start("prometheus", programs.prometheus, flagList(flags), port);
    await parsers.compare(await metricsOf(`http://127.0.0.1:${String(port)}/metrics`));
    expect([parsers.accepted, parsers.refused]).toStrictEqual([1, 0]);
  });

  it("so are those of Thanos, of the hub and of the exporter", async () => {
    const { http } = await real.querier("query", [], {});
    await parsers.compare(await metricsOf(`${http}/metrics`));
    await parsers.compare(await metricsOf(`${hub}/internal`));
    await parsers.compare(Buffer.from(exporter.metrics.all.render()));
    expect([parsers.accepted, parsers.refused]).toStrictEqual([4, 0]);
  });

  it("two pushes with different types for one name lose nothing, which the hub alone would lose", async () => {
    const at = String(Date.now());
    const one = `# TYPE clash counter\nclash{from="one"} 1 ${at}\n`;
    const other = `# TYPE clash gauge\nclash{from="other"} 2 ${at}\n`;
    const clashes = async (): Promise<readonly string[]> =>
      (await metricsOf(`${hub}/metrics`))
        .toString()
        .split("\n")
        .filter((line) => line.startsWith("clash{"))
        .sort();

    for (const body of [one, other]) expect((await send(hub, "POST", "/metrics", { body })).status).toBe(200);
    expect(await clashes()).toStrictEqual([]);

    for (const body of [one, other]) expect((await send(server.url, "POST", "/metrics", { body })).status).toBe(200);
    expect(await clashes()).toStrictEqual([`clash{from="one"} 1 ${at}`, `clash{from="other"} 2 ${at}`]);
  });
});
