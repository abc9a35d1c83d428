import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CheckContext } from "../../../tools/check/checks";
import { checkAggregates, checkSamples, defaultCheckOptions, keyOfLabels } from "../../../tools/check/checks";
import type { CheckReport } from "../../../tools/check/report";
import { formatMoment, mismatchesOf } from "../../../tools/check/report";
import { Stored } from "../../../tools/check/stored";
import { runFeed } from "../../../tools/feed/feed";
import { defaultFleet, makeFleet } from "../../../tools/feed/fleet";
import { LedgerWriter, readLedger } from "../../../tools/feed/ledger";
import { PrometheusApi } from "../../../tools/prometheus-api";
import { PipelineDouble } from "./pipeline-double";

const fleetOptions = { ...defaultFleet, gateways: 4, unassignedSeries: 40, churn: 0.1, churnSeconds: 120 };

let double: PipelineDouble;
let directory = "";
let url = "";

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "check-"));
  double = new PipelineDouble();
  url = await double.start();
});

afterEach(async () => {
  await double.stop();
  rmSync(directory, { recursive: true });
});

async function feed(deadlineSeconds = 20): Promise<void> {
  const ledger = LedgerWriter.create(join(directory, "run.jsonl"), {
    run: "r1",
    startedAt: Date.now(),
    intervalSeconds: 60,
    fleet: fleetOptions,
  });
  await runFeed(makeFleet(fleetOptions, "r1"), ledger, {
    url: `${url}/metrics`,
    intervalSeconds: 60,
    backfillRounds: 6,
    rounds: 0,
    durationSeconds: 60,
    spreadSeconds: 0,
    concurrency: 8,
    deadlineSeconds,
    signal: new AbortController().signal,
  });
  ledger.close();
}

interface Outcome {
  readonly checks: readonly CheckReport[];
  readonly duplicates: number;
  readonly wrong: number;
}

async function check(allowDuplicates = false): Promise<Outcome> {
  const stored = new Stored(readLedger(join(directory, "run.jsonl")));
  const at = stored.span?.last ?? 0;
  const context: CheckContext = {
    api: new PrometheusApi(url),
    stored,
    moment: { at, settledBefore: Date.now() },
    options: defaultCheckOptions,
  };
  const { checks, duplicates } = await checkAggregates(context, allowDuplicates);
  const samples = await checkSamples(context, (stored.span?.first ?? at) - 1, () => undefined);
  const all = [...checks, samples];
  return { checks: all, duplicates, wrong: mismatchesOf({ at, checks: all, duplicates, milliseconds: 0 }) };
}

const named = (outcome: Outcome, name: string): CheckReport | undefined =>
  outcome.checks.find((one) => one.name === name);

/** The points of a gateway's first series of a metric: whose push comes first is by chance, and sums differ in their size. */
function pointsOf(metric: string): Map<number, number> {
  const ofGateway = [...double.series.values()].filter(({ labels }) => labels["gatewayID"] === "gw-0001");
  const found = ofGateway.find(({ labels }) => labels["__name__"] === metric);
  if (found === undefined) throw new Error(`no series of ${metric}`);
  return found.points;
}

describe("the checker", () => {
  test("agrees with a pipeline that keeps everything, and compares every kind of number", async () => {
    await feed();
    const outcome = await check();
    expect(outcome.wrong).toBe(0);
    expect(outcome.duplicates).toBe(0);
    for (const one of outcome.checks) expect(one.compared, one.name).toBeGreaterThan(0);
    expect(outcome.checks.map(({ name }) => name)).toEqual([
      "series",
      "series per gateway",
      "sum per gateway",
      "sum per metric",
      "rate of ue_attach_total",
      "increase of session_create_total",
      "quantiles of attach_duration_seconds",
      "quantiles of checkin_duration_seconds",
      "samples",
    ]);
    const samples = [...double.series.values()].reduce((sum, { points }) => sum + points.size, 0);
    expect(named(outcome, "samples")?.compared).toBe(samples);
  });

  test("notices a lost sample by its timestamp, although counts still agree", async () => {
    await feed();
    const points = pointsOf("cpu_percent");
    const [first = 0] = [...points.keys()].sort((left, right) => left - right);
    points.delete(first);
    const outcome = await check();
    expect(named(outcome, "series")?.mismatches).toBe(0);
    expect(named(outcome, "samples")).toMatchObject({ mismatches: 1, first: [{ answered: "nothing" }] });
    expect(named(outcome, "samples")?.first[0]?.what).toContain(`@ ${String(first)}`);
  });

  test("notices one changed value in sums and samples", async () => {
    await feed();
    const points = pointsOf("ue_attach_total");
    const last = Math.max(...points.keys());
    points.set(last, (points.get(last) ?? 0) + 1);
    const outcome = await check();
    expect(named(outcome, "sum per gateway")?.mismatches).toBe(1);
    expect(named(outcome, "sum per metric")?.mismatches).toBe(1);
    expect(named(outcome, "samples")?.mismatches).toBe(1);
  });

  test("notices a lost series, and one that nobody pushed", async () => {
    await feed();
    const [lost = ""] = double.series.keys();
    double.series.delete(lost);
    const labels = { __name__: "stranger", feed_run: "r1", gatewayID: "gw-0002" };
    const now = Math.max(...pointsOf("cpu_percent").keys());
    double.series.set("stranger{}", { labels, points: new Map([[now, 1]]) });
    const outcome = await check();
    expect(named(outcome, "sum per metric")?.first.map(({ what }) => what)).toContain('__name__="stranger"');
    expect(named(outcome, "samples")?.mismatches).toBeGreaterThan(1);
  });

  test("counts series on two shards apart, and compares the rest only where it is exact", async () => {
    await feed();
    const now = Math.max(...pointsOf("cpu_percent").keys());
    const fresh = [...double.series].filter(([, { points }]) => points.has(now)).slice(0, 5);
    for (const [key] of fresh) double.twice.add(key);
    const strict = await check();
    expect(strict.duplicates).toBe(5);
    expect(named(strict, "series")?.mismatches).toBe(1);
    const lenient = await check(true);
    expect(lenient.wrong).toBe(0);
    expect(lenient.checks.map(({ name }) => name)).toEqual(["series", "samples"]);
    expect(named(lenient, "samples")?.note).toMatch(/on two shards/);
  });

  test("leaves out what hangs on pushes that were never acknowledged, stored or not", async () => {
    // Stored, but the answer is lost: the feed gives up without knowing.
    double.onPush = (_attempt, body) => {
      if (!body.includes('gatewayID="gw-0003"')) return undefined;
      return body.includes("cpu_percent") ? { status: 500, text: "stored or not" } : undefined;
    };
    await feed(0.2);
    const outcome = await check();
    expect(outcome.wrong).toBe(0);
    expect(named(outcome, "series per gateway")?.note).toMatch(/1 left out/);
    expect(named(outcome, "sum per metric")?.compared).toBe(0);
  });

  test("knows which lines were refused", async () => {
    double.onPush = (attempt) => {
      const rejected = [{ line: 2, reason: "too old" }];
      return attempt === 3 ? { status: 400, text: JSON.stringify({ accepted: 1, rejected }) } : undefined;
    };
    await feed();
    expect((await check()).wrong).toBe(0);
  });

  test("takes a warning for what it is: a part of the answer may be missing", async () => {
    await feed();
    double.warnings = ["No StoreAPIs matched for this query"];
    const outcome = await check();
    expect(outcome.wrong).toBeGreaterThan(0);
    expect(named(outcome, "series")?.first[0]).toMatchObject({ what: "warning" });
    double.warnings = ["PromQL info: metric might not be a counter"];
    expect((await check()).wrong).toBe(0);
  });

  test("prints the first mismatches and how many there are", () => {
    const lines = formatMoment({
      at: 0,
      duplicates: 2,
      milliseconds: 1_500,
      checks: [
        { name: "a", query: "q", compared: 3, mismatches: 0, first: [] },
        { name: "b", query: "q2", compared: 3, mismatches: 2, first: [{ what: "x", expected: "1", answered: "2" }] },
      ],
    });
    expect(lines).toEqual([
      "at 1970-01-01T00:00:00.000Z (1.5 s)",
      "  ok    a: 3 compared, 0 wrong",
      "  WRONG b: 3 compared, 2 wrong",
      "        q2",
      "        x: expected 1, answered 2",
      "        and 1 more",
      "  2 series are answered by more than one shard",
    ]);
  });

  test("names an answered series as the feed does, without the labels of the pipeline", () => {
    const labels = { __name__: "m", shard: "1", cluster: "main", b: "2", a: "1" };
    expect(keyOfLabels(labels)).toBe('m{a="1",b="2"}');
  });
});
