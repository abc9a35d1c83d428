import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Stored } from "../../../../tools/check/stored";
import type { StepReport } from "../../../../tools/check/steps/report";
import { checkSteps } from "../../../../tools/check/steps/run";
import { defaultFleet, makeFleet } from "../../../../tools/feed/fleet";
import type { LedgerHeader, LedgerRecord } from "../../../../tools/feed/ledger";
import { LedgerWriter } from "../../../../tools/feed/ledger";
import { valueAt } from "../../../../tools/feed/values";
import { repositoryRoot } from "../../../../tools/paths";
import { PrometheusApi } from "../../../../tools/prometheus-api";
import { runCommand, type CommandResult } from "../../../e2e/kit/command";
import { realTools } from "../../components/rules/real-tools";
import { RealShards, type Row } from "../../services/adapter/real-shards";
import { ShardsDouble } from "./shards-double";

/** The check of every step against a real Prometheus that holds what shards hold. Under 20 s; not part of `make check`. */

const { prometheus, promtool, thanos } = realTools;

const options = { ...defaultFleet, gateways: 3, meanSeries: 70, unassignedSeries: 30 };
/** Three hours ago, so that retention keeps it. */
const start = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 3 * 3_600_000;
const pushTimes = Array.from({ length: 40 }, (_, round) => start + round * 3_000 + 137);
const lookback = 300_000;

/** Shards that get gateway number `index`'s push number `round`. */
type Placing = (index: number, round: number) => readonly string[];

describe.skipIf(prometheus === undefined || promtool === undefined)("every step, from a real Prometheus", () => {
  const shards = new RealShards({ prometheus: prometheus ?? "", promtool: promtool ?? "", thanos: thanos ?? "" });

  afterAll(async () => {
    await shards.stop();
  });

  /** `make feed-check ARGS='--steps 2s'` over a ledger. */
  async function command(url: string, header: LedgerHeader, records: readonly LedgerRecord[]): Promise<CommandResult> {
    const ledger = LedgerWriter.create(join(shards.folder, `${header.run}.jsonl`), header);
    for (const record of records) ledger.append(record);
    ledger.close();
    const flags = ["--url", url, "--ledger", ledger.path, "--steps", "2s", "--settle", "1s", "--no-rates", "--json"];
    const program = ["node", "--require", "tsx/cjs", "tools/cli.ts", "check", "none", ...flags];
    return runCommand(program, { cwd: repositoryRoot, env: process.env });
  }

  /** What the check says of a real Prometheus, of the double that the fast tests use, and on the command line. */
  async function checked(
    name: string,
    placing: Placing,
  ): Promise<{ real: StepReport; double: StepReport; ended: CommandResult }> {
    const fleet = makeFleet(options, name);
    const double = new ShardsDouble(fleet, lookback);
    const rows: Row[] = [];
    const records: LedgerRecord[] = [];
    for (const [round, t] of pushTimes.entries()) {
      for (const gateway of fleet.gateways) {
        records.push({ kind: "ack", g: gateway.index, t, at: t });
        for (const shard of placing(gateway.index, round)) {
          double.store(gateway.index, t, shard);
          for (const one of fleet.seriesAt(gateway, t)) {
            const series = one.key.replace(/\}$/, `,cluster="main",shard="${shard}"}`);
            rows.push({ series, value: valueAt(one, t), time: t / 1_000 });
          }
        }
      }
    }
    const header = {
      kind: "header",
      version: 1,
      run: name,
      startedAt: start,
      intervalSeconds: 3,
      fleet: options,
    } as const;
    const stored = new Stored({ header, records, tornBytes: 0, wholeBytes: 0 });
    const times = { interval: 2_000, lookback, window: 600_000, settledBefore: Date.now() };
    const rest = { stored, tolerance: 1e-9, ...times };
    const url = await shards.prometheus(name, rows, {});
    const api = new PrometheusApi(url);
    return {
      ended: await command(url, header, records),
      real: await checkSteps({ api, ...rest }, () => undefined),
      double: await checkSteps({ api: double, ...rest }, () => undefined),
    };
  }

  test("agrees at every step, sums and increases, when everything is kept on two shards", async () => {
    const { real, ended } = await checked("kept", (index) => [String(index % 2)]);
    expect(real).toMatchObject({ wrong: 0, tolerated: 0, first: [], increases: { mismatches: 0 } });
    expect(real.compared).toBe(60);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toContain("ok    steps: 60 compared, 0 wrong, 0 differ");
    expect(JSON.parse(ended.stdout)).toMatchObject({ ok: true, steps: { compared: 60, wrong: 0 } });
    expect(real.increases.compared).toBeGreaterThan(200);
  });

  test("finds a move without markers, lost pushes and pushes on both shards at the very steps they spoil", async () => {
    const { real, double, ended } = await checked("spoilt", (index, round) => {
      if (index === 0) return round < 15 ? ["0"] : ["1"];
      if (index === 1) return round >= 10 && round < 14 ? [] : ["0"];
      if (index === 2) return round >= 20 && round < 25 ? ["0", "1"] : ["1"];
      return ["0"];
    });
    expect(real.causes).toEqual(double.causes);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/WRONG steps: 60 compared, \d+ wrong \(.*double at \d+/);
    expect(ended.stderr).toMatch(/gw-0001: double: expected \d+ series.* on shard 0 and 1/);
    const places = ({ first }: StepReport) =>
      first.map(({ gateway, from, to, cause }) => ({ gateway, from, to, cause }));
    expect(places(real)).toEqual(places(double));
    expect(new Set(real.first.map(({ gateway, cause }) => `${gateway ?? ""} ${cause}`))).toEqual(
      new Set(["gw-0001 double", "gw-0002 missing", "gw-0003 double"]),
    );
  });
});
