import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AdapterConfig } from "../../../../model/adapter-config";
import { encodeLabels } from "../../../../services/adapter/messages";
import { decodeSeriesRequest, selectorOf, seriesForm } from "../../../../services/adapter/series-request";
import { decodeSeries } from "../../../../services/adapter/time-series";
import { grpcStatus } from "../../../../services/plumbing/grpc";
import { bytesField, fieldsOf, varintField } from "../../../../services/plumbing/protobuf";
import { adapterConfig, FakeLeaf, FakePrometheus, failure, holding, TestAdapter } from "./fakes";

type Metric = Readonly<Record<string, string>>;

const path = "/thanos.Store/Series";
const now = Math.floor(Date.now() / 1000) * 1000;

/** A `LabelMatcher`; types 0 to 3 are `=`, `!=`, `=~`, `!~`. */
function matcher(name: string, value: string, type = 0): Buffer {
  return bytesField(3, Buffer.concat([varintField(1, type), bytesField(2, name), bytesField(3, value)]));
}

/** What a root sends for /api/v1/series, with other fields behind. */
function seriesRequest({
  oldest = now - 3_600_000,
  newest = now - 600_000,
  matchers = [matcher("__name__", "cpu")],
  without = ["prometheus_replica"],
  more = [],
}: {
  readonly oldest?: number;
  readonly newest?: number;
  readonly matchers?: readonly Buffer[];
  readonly without?: readonly string[];
  readonly more?: readonly Buffer[];
} = {}): Buffer {
  return Buffer.concat([
    varintField(1, oldest),
    varintField(2, newest),
    ...matchers,
    varintField(4, 2n ** 63n - 1n),
    bytesField(5, Buffer.from([1, 2])),
    varintField(7, 1),
    varintField(8, 1),
    bytesField(12, ""),
    ...without.map((label) => bytesField(14, label)),
    varintField(16, 64),
    ...more,
  ]);
}

const answer = (data: readonly Metric[], more: object = {}) => ({ status: "success", data, ...more });

/** Label sets in the messages of an answer, in their order; what the fake leaf sends is none. */
function found(messages: readonly Buffer[]): readonly Metric[] {
  return messages
    .flatMap((message) => fieldsOf(message))
    .flatMap(({ number, bytes }) => (number === 4 ? fieldsOf(bytes).map((one) => one.bytes) : [bytes]))
    .map((one) => decodeSeries(one).labels);
}

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
  a.reply = () => answer([{ __name__: "cpu", gatewayID: "1", shard: "0" }]);
  b.reply = () => answer([{ __name__: "cpu", gatewayID: "b", shard: "0" }]);
  leaf.reply = (call) => call.send(bytesField(1, encodeLabels({ from: "leaf" })));
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

const proxied = (via: string, code = 0) =>
  `adapter_proxied_total{method="${path}",code="${String(code)}",via="${via}"} 1\n`;
const fromLeaf = [{ from: "leaf" }];

describe("series without chunks", () => {
  it("come from Prometheus' own index, sorted as Thanos merges them, in batches", async () => {
    const gateway = (id: string, more: Metric = {}) => ({ __name__: "cpu", gatewayID: id, ...more, shard: "0" });
    a.reply = () => answer([gateway("9"), gateway("10"), gateway("1", { network: "n" }), gateway("1")]);
    await adapter.start(config());
    const matchers = [matcher("__name__", "cpu"), matcher("cluster", "ma.*", 2), matcher("a.b", 'x"\\', 3)];
    const messages = await adapter.call(path, seriesRequest({ matchers, more: [varintField(16, 3)] }));
    expect(messages.map((message) => found([message]).length)).toStrictEqual([3, 1]);
    expect(found(messages)).toStrictEqual([gateway("1", { network: "n" }), gateway("1"), gateway("10"), gateway("9")]);
    expect(a.asked).toStrictEqual([
      {
        "match[]": '{__name__="cpu",cluster=~"ma.*","a.b"!~"x\\"\\\\"}',
        start: new Date(now - 3_600_000).toISOString(),
        end: new Date(now - 600_000).toISOString(),
      },
    ]);
    expect(leaf.asked).toStrictEqual([]);
    expect(adapter.metrics()).toContain(proxied("prometheus"));
    expect(adapter.metrics()).toContain("adapter_buffered_bytes 0\n");
  });

  it("are each in a message of its own unless the root takes batches, and none is an answer too", async () => {
    a.reply = () => answer([{ b: "2" }, { a: "1" }]);
    await adapter.start(config());
    const messages = await adapter.call(path, seriesRequest({ more: [varintField(16, 0)] }));
    expect(messages).toStrictEqual([{ a: "1" }, { b: "2" }].map((one) => bytesField(1, encodeLabels(one))));
    a.reply = () => answer([]);
    expect(await adapter.call(path, seriesRequest())).toStrictEqual([]);
    expect(leaf.asked).toStrictEqual([]);
  });

  it("are as many as asked for: Prometheus has the limit, and that there are more is not a warning of the shard", async () => {
    a.reply = () => answer([{ a: "1" }], { warnings: ["results truncated due to limit"] });
    await adapter.start(config());
    expect(found(await adapter.call(path, seriesRequest({ more: [varintField(15, 1)] })))).toStrictEqual([{ a: "1" }]);
    expect(a.asked).toMatchObject([{ limit: "1" }]);
  });

  it.each([
    ["chunks are wanted too", { more: [varintField(8, 0)] }],
    ["replicas are to be told apart", { without: [] }],
    ["another label is to be taken off", { without: ["prometheus_replica", "gatewayID"] }],
    ["replicas are selected", { matchers: [matcher("__name__", "cpu"), matcher("prometheus_replica", "a")] }],
    ["only a part of the series is wanted", { more: [bytesField(13, varintField(2, 2))] }],
    ["there are hints", { more: [bytesField(12, bytesField(6, "shard"))] }],
    ["a field is not known", { more: [varintField(17, 1)] }],
    ["a matcher is of an unknown kind", { matchers: [matcher("__name__", "cpu", 4)] }],
    ["a matcher is no text", { matchers: [bytesField(3, bytesField(3, Buffer.from([0xff])))] }],
  ])("come from the leaf when %s", async (_, change) => {
    await adapter.start(config());
    expect(found(await adapter.call(path, seriesRequest(change)))).toStrictEqual(fromLeaf);
    expect(a.asked).toStrictEqual([]);
    expect(adapter.metrics()).toContain(proxied("leaf"));
  });

  it("come from the leaf when they may be older than what Prometheus has on its disk", async () => {
    a.facts = a.facts.replace("seconds 0", `seconds ${String(now / 1000 - 1800)}`);
    await adapter.start(config({ hasBucket: true }));
    expect(found(await adapter.call(path, seriesRequest()))).toStrictEqual(fromLeaf);
    expect(found(await adapter.call(path, seriesRequest({ oldest: now - 1_200_000 })))).not.toStrictEqual(fromLeaf);
    // No time at all is the whole history.
    expect(found(await adapter.call(path, seriesRequest({ oldest: -(2 ** 60) })))).toStrictEqual(fromLeaf);
  });

  it("come from the leaf when some series of Prometheus has no labels of the shard", async () => {
    a.hasUnlabelled = true;
    await adapter.start(config());
    expect(found(await adapter.call(path, seriesRequest()))).toStrictEqual(fromLeaf);
    expect(a.asked).toStrictEqual([]);
  });

  it("come from the replica that misses no push batch, and from the leaf where both do", async () => {
    const numbers = Array.from({ length: 240 }, (_, at) => [now - (240 - at) * 60_000, at] as const);
    const lack = (from: number, to: number) =>
      holding(numbers.filter(([time]) => time < now - from || time > now - to));
    a.batches = lack(2_400_000, 1_800_000);
    b.batches = lack(9_000_000, 7_200_000);
    leaf.sees = ["a", "b"];
    await adapter.start(config(pair()));
    expect(found(await adapter.call(path, seriesRequest()))).toMatchObject([{ gatewayID: "b" }]);
    const earlier = seriesRequest({ oldest: now - 10_800_000, newest: now - 5_400_000 });
    expect(found(await adapter.call(path, earlier))).toMatchObject([{ gatewayID: "1" }]);
    expect(leaf.asked).toStrictEqual([]);
    expect(found(await adapter.call(path, seriesRequest({ oldest: now - 10_800_000 })))).toStrictEqual(fromLeaf);
  });

  it.each([
    ["refuses", () => failure("internal", "disk on fire")],
    ["closes the connection", () => "reset" as const],
    ["breaks off in the middle", () => "cut" as const],
    ["answers something else", () => 502],
    ["answers without a list", () => ({ status: "success", data: null })],
    ["warns that something is missing", () => answer([], { warnings: ["remote storage is away"] })],
  ])("come from the other replica when one %s, then from the leaf", async (_, reply) => {
    a.reply = reply;
    leaf.sees = ["a", "b"];
    await adapter.start(config(pair()));
    expect(found(await adapter.call(path, seriesRequest()))).toMatchObject([{ gatewayID: "b" }]);
    b.reply = reply;
    expect(found(await adapter.call(path, seriesRequest()))).toStrictEqual(fromLeaf);
  });

  it("come from the leaf when Prometheus does not understand, or a series was pushed with the replica label", async () => {
    a.reply = () => failure("bad_data", "match[] must contain at least one non-empty matcher");
    await adapter.start(config());
    expect(found(await adapter.call(path, seriesRequest()))).toStrictEqual(fromLeaf);
    a.reply = () => answer([{ a: "1" }, { a: "1", prometheus_replica: "x" }]);
    const other = seriesRequest({ matchers: [matcher("a", "1")] });
    expect(found(await adapter.call(path, other))).toStrictEqual(fromLeaf);
    expect(adapter.metrics()).toContain("adapter_buffered_bytes 0\n");
    // What is known in vain is not tried again.
    expect(found(await adapter.call(path, other))).toStrictEqual(fromLeaf);
    expect(a.asked).toHaveLength(2);
  });

  it("end with the root's time, and when it goes", async () => {
    a.reply = () => "hang";
    await adapter.start(config());
    expect(await adapter.refusal(adapter.call(path, seriesRequest(), 300))).toMatchObject({
      code: grpcStatus.deadlineExceeded,
    });
    const gone = new AbortController();
    const call = adapter.refusal(adapter.call(path, seriesRequest(), 5_000, gone.signal));
    await expect.poll(() => a.asked.length).toBe(2);
    gone.abort();
    await call;
    await expect.poll(() => a.cancelled).toBe(2);
    expect(leaf.asked).toStrictEqual([]);
    await expect.poll(() => adapter.metrics()).toContain("adapter_in_flight_calls 0\n");
  });
});

describe("what Prometheus is asked", () => {
  const formOf = (change: Parameters<typeof seriesRequest>[0]) => {
    const request = decodeSeriesRequest(seriesRequest(change));
    if (request === undefined) throw new Error("not read");
    return seriesForm(request);
  };

  it("has times to the millisecond, and none where the root has none", () => {
    expect(formOf({ oldest: 1_795_000_000_001, newest: 1_795_000_000_999 })).toMatchObject({
      start: "2026-11-18T11:06:40.001Z",
      end: "2026-11-18T11:06:40.999Z",
    });
    const always = formOf({ oldest: -(2 ** 60), newest: 2 ** 60 });
    expect(Object.keys(always)).toStrictEqual(["match[]"]);
    expect(formOf({ oldest: 2 ** 60, newest: -5 })).toMatchObject({
      start: "9999-12-31T23:59:59.999Z",
      end: "1970-01-01T00:00:00.000Z",
    });
  });

  it("has no way out of a matcher's value", () => {
    expect(selectorOf([{ type: 0, name: "a", value: '"} or {b="\n' }])).toBe('{a="\\"} or {b=\\"\\n"}');
  });
});
