import fs, { mkdtempSync, rmSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MAX_PLACED_KEYS } from "../../../../model/placement-table";
import { doubtOf } from "../../../../services/placement/doubts";
import { Placement } from "../../../../services/placement/placement";
import { TableStore } from "../../../../services/placement/table-store";
import { send, serve, type TestServer } from "../http-helpers";
import { placementConfigOf, tableOf } from "./tables";

let folder: string;
let placement: Placement;
let server: TestServer;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "placement-"));
  placement = new Placement(placementConfigOf(2), new TableStore(folder), { find: () => Promise.resolve([]) });
  server = await serve(placement.server);
});
afterEach(async () => {
  placement.stop();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("the placement's port", () => {
  it("says so while there is no table, and serves it from its start on", async () => {
    expect((await send(server.url, "GET", "/table")).status).toBe(503);
    await placement.start();
    expect((await send(server.url, "GET", "/table?have=0")).status).toBe(200);
  });

  it("outlives requests for what is no URL", async () => {
    for (const path of ["//", "/\\", "http://[/table", "*"]) {
      expect((await send(server.url, "GET", path)).status, path).toBe(404);
    }
  });
});

describe("what outlives the writer", () => {
  it("is whole, also where the disk takes a part of it at a time, as one that is nearly full does", () => {
    const { writeSync } = fs;
    const partly = (file: number, text: string): number => writeSync(file, text.slice(0, 100));
    const spy = vi.spyOn(fs, "writeSync").mockImplementation(partly);
    syncBuiltinESMExports();
    const store = new TableStore(folder);
    try {
      store.write({ table: tableOf(2), keys: new Map([["g", { series: 1, seenAt: 5 }]]) });
    } finally {
      spy.mockRestore();
      syncBuiltinESMExports();
    }
    expect(store.read()?.keys).toStrictEqual(new Map([["g", { series: 1, seenAt: 5 }]]));
  });
});

describe("series of more keys than a table may hold", () => {
  const expectations = { shardLabel: "gatewayID", exporters: 2, settled: 0, lastTotal: 0 };
  const report = { shardLabel: "gatewayID", coveredMilliseconds: 1, uncountedSeries: 0, periods: [] };
  const survey = { found: 2, answers: [report, report], problems: [] };
  const series = (keys: number) => new Map(Array.from({ length: keys }, (_, at) => [`g${String(at)}`, 1]));

  it("are not believed, although each exporter has seen few enough", () => {
    expect(doubtOf(survey, series(MAX_PLACED_KEYS + 1), expectations)).toBeUndefined();
    expect(doubtOf(survey, series(MAX_PLACED_KEYS + 2), expectations)).toMatchObject({ kind: "keys" });
  });
});
