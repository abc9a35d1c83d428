import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { FeedOptions, FeedReport } from "../../../tools/feed/feed";
import { limiter, runFeed } from "../../../tools/feed/feed";
import { defaultFleet, makeFleet } from "../../../tools/feed/fleet";
import { LedgerWriter, readLedger } from "../../../tools/feed/ledger";
import { isRetryable } from "../../../tools/feed/pusher";
import { PipelineDouble } from "./pipeline-double";

const fleetOptions = { ...defaultFleet, gateways: 6, unassignedSeries: 40 };

let double: PipelineDouble;
let directory = "";
let url = "";
let ledgers = 0;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "feed-"));
  double = new PipelineDouble();
  url = await double.start();
});

afterEach(async () => {
  await double.stop();
  rmSync(directory, { recursive: true });
});

async function feed(more: Partial<FeedOptions> = {}): Promise<{ report: FeedReport; path: string }> {
  const path = join(directory, `${String(++ledgers)}.jsonl`);
  const ledger = LedgerWriter.create(path, {
    run: "r1",
    startedAt: Date.now(),
    intervalSeconds: 60,
    fleet: fleetOptions,
  });
  const report = await runFeed(makeFleet(fleetOptions, "r1"), ledger, {
    url: `${url}/metrics`,
    intervalSeconds: 60,
    backfillRounds: 1,
    rounds: 0,
    durationSeconds: 60,
    spreadSeconds: 0,
    concurrency: 4,
    deadlineSeconds: 20,
    signal: new AbortController().signal,
    ...more,
  });
  ledger.close();
  return { report, path };
}

const kinds = (path: string): readonly string[] => readLedger(path).records.map(({ kind }) => kind);

describe("the feed", () => {
  test("sends backfill rounds at once, one interval apart, the last one now", async () => {
    const before = Date.now();
    const { report, path } = await feed({ backfillRounds: 3 });
    expect(report.rounds.map(({ acknowledged }) => acknowledged)).toEqual([7, 7, 7]);
    const [first, second, third] = report.rounds.map(({ timestamp }) => timestamp);
    expect((second ?? 0) - (first ?? 0)).toBe(60_000);
    expect((third ?? 0) - (second ?? 0)).toBe(60_000);
    expect(third).toBeGreaterThanOrEqual(before);
    expect(report.lastTimestamp).toBe(third);
    expect(kinds(path).filter((kind) => kind === "ack")).toHaveLength(21);
    const series = makeFleet(fleetOptions, "r1").gateways.reduce((sum, { size }) => sum + size, 0);
    expect(double.series.size).toBe(series);
    for (const { points } of double.series.values()) expect(points.size).toBe(3);
  });

  test("opens a new connection for every push when it is told to, so that replicas take turns", async () => {
    await feed();
    const kept = double.connections;
    expect(kept).toBeLessThanOrEqual(4);
    await feed({ freshConnections: true });
    expect(double.connections - kept).toBe(7);
  });

  test("repeats the same body after 503, 406 and a hung-up connection until it is acknowledged", async () => {
    const bodies = new Map<string, number>();
    double.onPush = (attempt, body) => {
      bodies.set(body, (bodies.get(body) ?? 0) + 1);
      if (attempt === 1) return { status: 503, text: "draining" };
      if (attempt === 2) return { status: 406, text: "full" };
      return attempt === 3 ? "hang up" : undefined;
    };
    const { report } = await feed();
    expect(report.rounds[0]).toMatchObject({ acknowledged: 7, retries: 3, failed: 0 });
    expect(bodies.size).toBe(7);
  });

  test("gives up at the deadline; the ledger says that nobody knows", async () => {
    double.onPush = (_attempt, body) =>
      body.includes('gatewayID="gw-0001"') ? { status: 500, text: "no" } : undefined;
    const { report, path } = await feed({ deadlineSeconds: 1 });
    expect(report.rounds[0]).toMatchObject({ acknowledged: 6, failed: 1, errors: ["gw-0001: HTTP 500: no"] });
    expect(readLedger(path).records).toContainEqual(
      expect.objectContaining({ kind: "fail", g: 0, error: "HTTP 500: no" }),
    );
  });

  test("does not repeat what was refused for good", async () => {
    double.onPush = (attempt) => (attempt === 1 ? { status: 413, text: "too large" } : undefined);
    const { report } = await feed();
    expect(double.pushes).toBe(7);
    expect(report.rounds[0]).toMatchObject({ acknowledged: 6, failed: 1 });
  });

  test("a 400 with a list of refused lines is an acknowledgement of the others", async () => {
    const answer = { accepted: 10, rejected: [{ line: 2, reason: "too old" }] };
    double.onPush = (attempt) => (attempt === 1 ? { status: 400, text: JSON.stringify(answer) } : undefined);
    const { report, path } = await feed();
    expect(report.rounds[0]).toMatchObject({ acknowledged: 7, rejectedLines: 1, failed: 0 });
    expect(readLedger(path).records).toContainEqual(
      expect.objectContaining({ kind: "ack", rejected: answer.rejected }),
    );
  });

  test("a 400 that does not list all refused lines is none: nobody knows which lines are stored", async () => {
    const answer = { accepted: 10, rejected: [{ line: 2, reason: "too old" }], moreRejected: 1 };
    double.onPush = (attempt) => (attempt === 1 ? { status: 400, text: JSON.stringify(answer) } : undefined);
    const { report } = await feed();
    expect(report.rounds[0]).toMatchObject({ acknowledged: 6, failed: 1 });
  });

  test("announces every push in the ledger before it leaves", async () => {
    const { path } = await feed();
    const seen = new Set<string>();
    for (const record of readLedger(path).records) {
      const place = `${String(record.g)}@${String(record.t)}`;
      if (record.kind === "send") seen.add(place);
      else expect(seen.has(place)).toBe(true);
    }
  });

  test("rounds follow the interval, spread over it, each gateway at its own place", async () => {
    const { report, path } = await feed({ backfillRounds: 0, rounds: 3, intervalSeconds: 0.4, spreadSeconds: 0.3 });
    expect(report.rounds).toHaveLength(3);
    const acks = readLedger(path).records.filter(({ kind }) => kind === "ack");
    const first = report.rounds[0]?.timestamp ?? 0;
    const offsets = acks.filter(({ g }) => g === 2).map(({ t }) => (t - first) % 400);
    expect(new Set(offsets).size).toBe(1);
    expect(new Set(acks.map(({ t }) => t)).size).toBe(21);
  });

  test("ends after its duration, and at once when it is stopped", async () => {
    const { report } = await feed({ backfillRounds: 0, rounds: undefined, intervalSeconds: 0.3, durationSeconds: 0.7 });
    expect(report.rounds).toHaveLength(3);
    const controller = new AbortController();
    setTimeout(() => {
      controller.abort();
    }, 300);
    const startedAt = Date.now();
    await feed({ backfillRounds: 0, rounds: undefined, intervalSeconds: 3_600, signal: controller.signal });
    expect(Date.now() - startedAt).toBeLessThan(5_000);
  });

  test("never has more pushes under way than it may", async () => {
    const limited = limiter(3);
    let running = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 20 }, () =>
        limited(async () => {
          running += 1;
          most = Math.max(most, running);
          await new Promise((resolve) => setTimeout(resolve, 2));
          running -= 1;
        }),
      ),
    );
    expect(most).toBe(3);
  });

  test.each([
    [500, true],
    [503, true],
    [406, true],
    [429, true],
    [400, false],
    [404, false],
    [405, false],
    [413, false],
  ])("HTTP %d may be repeated: %s", (status, expected) => {
    expect(isRetryable(status)).toBe(expected);
  });
});
