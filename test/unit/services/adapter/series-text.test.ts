import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AdapterConfig } from "../../../../model/adapter-config";
import { grpcStatus } from "../../../../services/plumbing/grpc";
import { encodeSeriesQuery, SERIES_TEXT, type SeriesQuery } from "../../../../services/plumbing/series-text";
import { adapterConfig, FakeLeaf, FakePrometheus, failure, holding, TestAdapter } from "./fakes";

const now = Math.floor(Date.now() / 1000) * 1000;

const ask = (change: Partial<SeriesQuery> = {}): Buffer =>
  encodeSeriesQuery({ matches: ["cpu"], oldest: now - 3_600_000, newest: now - 600_000, limit: 0, ...change });

const answer = (data: readonly object[], more: object = {}) => ({ status: "success", data, ...more });

let a: FakePrometheus;
let b: FakePrometheus;
let leaf: FakeLeaf;
let adapter: TestAdapter;

beforeEach(async () => {
  [a, b, leaf] = await Promise.all([
    new FakePrometheus().start(),
    new FakePrometheus().start(),
    new FakeLeaf().start(),
  ]);
  a.reply = () => answer([{ from: "a" }]);
  b.reply = () => answer([{ from: "b" }]);
  adapter = new TestAdapter();
});
afterEach(async () => {
  await adapter.stop();
  await Promise.all([a.stop(), b.stop(), leaf.stop()]);
});

function config(change: Partial<AdapterConfig> = {}): AdapterConfig {
  return adapterConfig({ replicas: [{ name: "a", url: a.url }], leaf: leaf.url, ...change });
}

const pair = () => ({
  replicas: [
    { name: "a", url: a.url },
    { name: "b", url: b.url },
  ],
});

/** The series that an adapter answers with. */
async function found(request: Buffer): Promise<unknown> {
  const messages = await adapter.call(SERIES_TEXT, request);
  return JSON.parse(`[${Buffer.concat(messages).toString()}]`);
}

/** Why it does not answer. */
const refusal = (request: Buffer) => adapter.refusal(adapter.call(SERIES_TEXT, request));
const onlyLeaf = (reason: string) => ({
  code: grpcStatus.failedPrecondition,
  message: `only the leaf can answer: ${reason}`,
});

describe("series as text", () => {
  it("are Prometheus' own, byte by byte, in several messages where there are many", async () => {
    const many = Array.from({ length: 9_000 }, (_, at) => ({
      __name__: "cpu",
      gatewayID: `gw-${String(at)}`,
      text: '"}]}',
    }));
    a.reply = () => answer(many);
    await adapter.start(config());
    expect((await adapter.call(SERIES_TEXT, ask())).length).toBeGreaterThan(1);
    expect(await found(ask({ matches: ["cpu", '{b="1"}'] }))).toStrictEqual(many);
    expect(a.asked.at(-1)).toMatchObject({
      start: new Date(now - 3_600_000).toISOString(),
      end: new Date(now - 600_000).toISOString(),
    });
    expect(leaf.asked).toStrictEqual([]);
    expect(adapter.metrics()).toContain(`adapter_proxied_total{method="${SERIES_TEXT}",code="0",via="prometheus"} 2\n`);
    expect(adapter.metrics()).toContain("adapter_buffered_bytes 0\n");
  });

  it("may be none", async () => {
    a.reply = () => answer([]);
    await adapter.start(config());
    expect(await found(ask())).toStrictEqual([]);
  });

  it("come from the replica that misses no push batch, and from nobody where both do", async () => {
    const numbers = Array.from({ length: 240 }, (_, at) => [now - (240 - at) * 60_000, at] as const);
    const lack = (from: number, to: number) =>
      holding(numbers.filter(([time]) => time < now - from || time > now - to));
    a.batches = lack(2_400_000, 1_800_000);
    b.batches = lack(9_000_000, 7_200_000);
    leaf.sees = ["a", "b"];
    await adapter.start(config(pair()));
    expect(await found(ask())).toStrictEqual([{ from: "b" }]);
    expect(await found(ask({ oldest: now - 10_800_000, newest: now - 5_400_000 }))).toStrictEqual([{ from: "a" }]);
    expect(await refusal(ask({ oldest: now - 10_800_000 }))).toStrictEqual(onlyLeaf("gaps"));
    expect(leaf.asked).toStrictEqual([]);
  });

  it.each([
    ["refuses", () => failure("internal", "disk on fire")],
    ["closes the connection", () => "reset" as const],
    ["breaks off in the middle", () => "cut" as const],
    ["answers something else", () => 502],
    ["answers without a list", () => ({ status: "success", data: null })],
    ["warns that something is missing", () => answer([], { warnings: ["remote storage is away"] })],
  ])("come from the other replica when one %s, then from nobody", async (_, reply) => {
    a.reply = reply;
    await adapter.start(config(pair()));
    expect(await found(ask())).toStrictEqual([{ from: "b" }]);
    b.reply = reply;
    expect(await refusal(ask())).toMatchObject({ code: grpcStatus.failedPrecondition });
  });

  it.each([
    ["a matcher selects replicas", { matches: ['cpu{prometheus_replica="a"}'] }, "restricted"],
    ["a name may be written with escapes", { matches: ['{"prometheus\\x5freplica"="a"}'] }, "restricted"],
    ["they may be older than what Prometheus has", { oldest: now - 7_200_000 }, "before the oldest local sample"],
  ])("are for the root when %s", async (_, change, reason) => {
    a.facts = a.facts.replace("seconds 0", `seconds ${String(now / 1000 - 5400)}`);
    await adapter.start(config({ hasBucket: true }));
    expect(await refusal(ask(change))).toStrictEqual(onlyLeaf(reason));
    expect(a.asked).toStrictEqual([]);
  });

  it("are for the root when one was pushed with the replica label, and that is remembered", async () => {
    a.reply = () => answer([{ a: "1" }, { a: "1", prometheus_replica: "x" }]);
    await adapter.start(config());
    expect(await refusal(ask())).toStrictEqual(onlyLeaf("other replica labels"));
    expect(await refusal(ask())).toStrictEqual(onlyLeaf("other replica labels"));
    expect(a.asked).toHaveLength(1);
  });

  it("are for the root when there are more than asked for, or Prometheus does not understand", async () => {
    a.reply = () => answer([{ a: "1" }], { warnings: ["results truncated due to limit"] });
    await adapter.start(config());
    expect(await refusal(ask({ limit: 1 }))).toStrictEqual(onlyLeaf("truncated"));
    expect(a.asked).toMatchObject([{ limit: "1" }]);
    a.reply = () => answer([{ a: "1" }]);
    expect(await found(ask({ limit: 2 }))).toStrictEqual([{ a: "1" }]);
    a.reply = () => failure("bad_data", "parse error");
    expect(await refusal(ask({ matches: ["cpu{"] }))).toStrictEqual(onlyLeaf("not PromQL of Prometheus"));
  });

  it("are for the root where no Prometheus can be asked: the Rulers", async () => {
    await adapter.start(config({ replicas: [{ name: "a" }] }));
    expect(await refusal(ask())).toStrictEqual(onlyLeaf("no replica to ask"));
  });

  it("end with the root's time, and when it goes", async () => {
    a.reply = () => "hang";
    await adapter.start(config());
    const { code } = await adapter.refusal(adapter.call(SERIES_TEXT, ask(), 300));
    expect([grpcStatus.deadlineExceeded, grpcStatus.failedPrecondition]).toContain(code);
    const gone = new AbortController();
    const call = adapter.refusal(adapter.call(SERIES_TEXT, ask(), 5_000, gone.signal));
    await expect.poll(() => a.asked.length).toBe(2);
    gone.abort();
    await call;
    await expect.poll(() => a.cancelled).toBe(2);
    await expect.poll(() => adapter.metrics()).toContain("adapter_in_flight_calls 0\n");
  });
});
