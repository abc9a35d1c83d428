import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AdapterConfig } from "../../../../model/adapter-config";
import { grpcStatus } from "../../../../services/plumbing/grpc";
import { decodeInfo, encodeWarning } from "../../../../services/adapter/messages";
import { bytesField, fieldsOf, varintField } from "../../../../services/plumbing/protobuf";
import { cases, isThorough } from "../../../thorough";
import {
  adapterConfig,
  FakeLeaf,
  FakePrometheus,
  failure,
  matrixOf,
  queryRequest,
  received,
  TestAdapter,
  vector,
} from "./fakes";

const instant = "/thanos.Query/Query";
const range = "/thanos.Query/QueryRange";
const now = Math.floor(Date.now() / 1000);

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
  a.reply = () => vector([1, 2]);
  b.reply = () => vector([3]);
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

describe("adapter", () => {
  it("tells of its shard when everything behind it is dead", async () => {
    await adapter.start(config({ replicas: [{ name: "a", url: "http://127.0.0.1:9" }], leaf: "http://127.0.0.1:9" }));
    const [info] = await adapter.call("/thanos.info.Info/Info", Buffer.alloc(0));
    expect(decodeInfo(info ?? Buffer.alloc(0))).toMatchObject([
      { labels: { cluster: "main", shard: "0" }, minTime: 0 },
    ]);
    const { code, message } = await adapter.refusal(adapter.call(instant, queryRequest({ end: now })));
    expect({ code, message }).toMatchObject({
      code: grpcStatus.unavailable,
      message: expect.stringMatching(/^shard 0: /) as string,
    });
  });

  it("hands the query to Prometheus, with what is left of the time, and keeps warnings but not infos", async () => {
    a.reply = () => vector([1, 2], { warnings: ["PromQL warning: w"], infos: ["PromQL info: i"] });
    await adapter.start(config());
    const answer = received(await adapter.call(instant, queryRequest({ end: now - 60 }, { query: "sum(x)" })));
    expect(answer.points).toStrictEqual([
      ["at=0,shard=0", 1_000_000, 1],
      ["at=1,shard=0", 1_000_000, 2],
    ]);
    expect(answer.warnings).toStrictEqual(["PromQL warning: w"]);
    // Warnings, series, stats.
    expect(answer.messages).toBe(3);
    expect(a.asked).toMatchObject([{ query: "sum(x)", time: String(now - 60) }]);
    expect(Number(a.asked[0]?.["timeout"]?.replace("ms", ""))).toBeLessThanOrEqual(5_000);
    expect(leaf.asked).toStrictEqual([]);
    expect(adapter.metrics()).toContain("adapter_infos_dropped_total 1\n");
  });

  it("cuts a range so that no part should need more than half of max-samples, and joins the parts", async () => {
    a.reply = (form) => matrixOf(form, 2500);
    await adapter.start(config());
    const times = { start: now - 3600, end: now - 3600 + 599, step: 1 };
    const answer = received(await adapter.call(range, queryRequest(times)));
    // 100 series: 250 steps; then 10 samples a step were needed, so that the rest fits.
    expect(a.asked.map(({ start, end }) => Number(end) - Number(start) + 1)).toStrictEqual([250, 350]);
    expect(answer.points.map(([, time, value]) => [time / 1000, value])).toStrictEqual(
      Array.from({ length: 600 }, (_, at) => [times.start + at, times.start + at]),
    );
    // The second time it is known what it needs.
    await adapter.call(range, queryRequest(times));
    expect(a.asked).toHaveLength(3);
  });

  it("halves a part that needs too many samples, and leaves to the leaf what can't be cut", async () => {
    a.reply = (form) =>
      Number(form["end"]) - Number(form["start"]) >= 100
        ? failure("execution", "query processing would load too many samples into memory in query execution")
        : matrixOf(form, 200);
    await adapter.start(config());
    const times = { start: now - 3600, end: now - 3600 + 199, step: 1 };
    const answer = received(await adapter.call(range, queryRequest(times)));
    expect(answer.points).toHaveLength(200);
    const pinned = queryRequest(times, { query: "x @ end()" });
    expect(received(await adapter.call(range, pinned)).warnings).toStrictEqual(["from the leaf"]);
  });

  it("makes a partial answer of the leaf an error, whatever the root asked for", async () => {
    await adapter.start(config());
    const request = queryRequest({ end: now }, { hasPlan: false });
    expect(received(await adapter.call(instant, request)).warnings).toStrictEqual(["from the leaf"]);
    const sent = leaf.asked[0]?.request ?? Buffer.alloc(0);
    expect(sent.subarray(0, request.length)).toStrictEqual(request);
    expect(fieldsOf(sent).findLast(({ number }) => number === 8)?.value).toBe(0);
    expect(adapter.metrics()).toContain('adapter_leaf_queries_total{reason="no plan"} 1\n');
  });

  it.each([
    [
      "native histograms",
      { status: "success", data: { resultType: "vector", result: [{ metric: {}, histogram: [] }] } },
    ],
    ["not PromQL of Prometheus", failure("bad_data", "unknown function xrate")],
    ["not PromQL of Prometheus", { status: "success", data: { resultType: "string", result: [1, "x"] } }],
  ])("leaves %s to the leaf, and remembers it", async (reason, reply) => {
    a.reply = () => reply;
    await adapter.start(config());
    for (let round = 0; round < 3; round++) {
      expect(received(await adapter.call(instant, queryRequest({ end: now }))).warnings).toStrictEqual([
        "from the leaf",
      ]);
    }
    expect(a.asked).toHaveLength(1);
    expect(adapter.metrics()).toContain(`adapter_leaf_queries_total{reason="${reason}"} 3\n`);
  });

  it.each([
    ["execution", "many-to-many matching not allowed", grpcStatus.aborted],
    ["timeout", "query timed out in expression evaluation", grpcStatus.deadlineExceeded],
  ])("gives Prometheus' refusal of a query back as it is: %s", async (type, text, code) => {
    a.reply = () => failure(type, text);
    await adapter.start(config(pair()));
    expect(await adapter.refusal(adapter.call(instant, queryRequest({ end: now })))).toStrictEqual({
      code,
      message: text,
    });
    expect(b.asked).toStrictEqual([]);
  });

  it.each(["reset", "cut", 500, 503] as const)(
    "asks the other replica when the first one's answer is: %s",
    async (reply) => {
      a.reply = () => reply;
      leaf.sees = ["a", "b"];
      await adapter.start(config(pair()));
      const request = queryRequest({ end: now });
      for (let round = 0; round < 3; round++) {
        expect(received(await adapter.call(instant, request)).points).toHaveLength(1);
      }
      // It keeps to the one that answered.
      expect([a.asked.length, b.asked.length]).toStrictEqual([1, 3]);
    },
  );

  it("leaves half of the time to the other replica when the first one does not answer", async () => {
    a.reply = () => "hang";
    await adapter.start(config(pair()));
    expect(received(await adapter.call(instant, queryRequest({ end: now }), 1_000)).points).toHaveLength(1);
    expect(a.cancelled).toBe(1);
  });

  it("asks the replica that misses nothing, and the leaf when only the other one is up", async () => {
    leaf.sees = ["a", "b"];
    a.batches = () => ({ resultType: "matrix", result: [] });
    await adapter.start(config(pair()));
    const early = queryRequest({ start: now - 7200, end: now - 3600, step: 60 });
    b.reply = (form) => matrixOf(form);
    expect(received(await adapter.call(range, early)).points).toHaveLength(61);
    expect(a.asked).toStrictEqual([]);
    b.isReady = false;
    await b.stop();
    leaf.sees = ["a"];
    const { code, message } = await adapter.refusal(adapter.call(range, early));
    expect(code).toBe(grpcStatus.unavailable);
    expect(message).toContain("shard 0: the leaf does not see replica b, and the other one has a gap");
  });

  it("asks neither replica of a pair that has no push batches to compare: the leaf merges them", async () => {
    leaf.sees = ["a", "b"];
    for (const replica of [a, b]) replica.batches = () => ({ resultType: "matrix", result: [] });
    await adapter.start(config(pair()));
    expect(received(await adapter.call(instant, queryRequest({ end: now }))).warnings).toStrictEqual(["from the leaf"]);
    expect(adapter.metrics()).toContain('adapter_leaf_queries_total{reason="gaps"} 1\n');
  });

  it("does not ask a replica whose series lack the labels", async () => {
    a.hasUnlabelled = true;
    await adapter.start(config());
    expect(received(await adapter.call(instant, queryRequest({ end: now }))).warnings).toStrictEqual(["from the leaf"]);
    expect(adapter.metrics()).toContain('adapter_leaf_queries_total{reason="unlabelled series"} 1\n');
  });

  it("is an error when the leaf loses a replica while it answers", async () => {
    await adapter.start(config());
    leaf.reply = async (call) => {
      await call.send(bytesField(1, "a part"));
      leaf.sees = [];
    };
    const request = queryRequest({ end: now }, { hasPlan: false });
    expect(await adapter.refusal(adapter.call(instant, request))).toStrictEqual({
      code: grpcStatus.unavailable,
      message: "shard 0: the leaf sees no replica (a)",
    });
  });

  it("waits for a leaf that has just lost something and will have noticed soon", async () => {
    await adapter.start(config());
    leaf.sees = [];
    setTimeout(() => (leaf.sees = ["a"]), 700);
    const request = queryRequest({ end: now }, { hasPlan: false });
    expect(received(await adapter.call(instant, request)).warnings).toStrictEqual(["from the leaf"]);
  });

  it("keeps PromQL infos of the leaf back, and nothing else", async () => {
    const info = 'PromQL info: metric might not be a counter: "x" (1:6)';
    leaf.reply = (call) => call.send(encodeWarning(`${info}, PromQL warning: w (1:1), ${info}`));
    await adapter.start(config());
    const request = queryRequest({ end: now }, { hasPlan: false });
    expect(received(await adapter.call(instant, request)).warnings).toStrictEqual(["PromQL warning: w (1:1)"]);
    leaf.reply = (call) => call.send(encodeWarning(info));
    expect(await adapter.call(instant, request)).toStrictEqual([]);
  });

  it.each([
    ["/thanos.Store/Series", [6, 7]],
    ["/thanos.Store/LabelValues", [2, 3]],
    ["/thanos.Rules/Rules", [2]],
    ["/thanos.Exemplars/Exemplars", [4]],
  ] as const)("passes %s on with what makes a partial answer an error", async (path, fields) => {
    leaf.reply = (call) => call.send(Buffer.from([9, 9, 9]));
    await adapter.start(config());
    expect(await adapter.call(path, bytesField(9, "request"))).toStrictEqual([Buffer.from([9, 9, 9])]);
    const overruling = fields.map((number) => varintField(number, 1));
    expect(leaf.asked[0]?.request).toStrictEqual(Buffer.concat([bytesField(9, "request"), ...overruling]));
  });

  it("stops Prometheus' work when the client goes", async () => {
    a.reply = () => "hang";
    await adapter.start(config());
    const gone = new AbortController();
    const call = adapter.refusal(adapter.call(instant, queryRequest({ end: now }), 20_000, gone.signal));
    while (a.asked.length === 0) await sleep(10);
    gone.abort();
    await call;
    while (a.cancelled === 0) await sleep(10);
    expect(leaf.asked).toStrictEqual([]);
  });

  it("refuses a step below a second, garbage and unknown methods", async () => {
    await adapter.start(config());
    const step = queryRequest({ start: now - 60, end: now, step: 0 });
    expect(await adapter.refusal(adapter.call(range, step))).toMatchObject({ code: grpcStatus.invalidArgument });
    expect(await adapter.refusal(adapter.call(instant, Buffer.from([0xff])))).toMatchObject({
      code: grpcStatus.invalidArgument,
    });
    expect(await adapter.refusal(adapter.call("/thanos.WriteableStore/RemoteWrite", Buffer.alloc(0)))).toStrictEqual({
      code: grpcStatus.unimplemented,
      message: "unknown method /thanos.WriteableStore/RemoteWrite",
    });
  });

  it.each(["GET / HTTP/1.1\r\nhost: x\r\n\r\n", "\u0000\u0001garbage", ""])(
    "survives a client that sends %j",
    async (text) => {
      await adapter.start(config());
      const socket = connect(adapter.port, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.write(text);
      await sleep(50);
      socket.destroy();
      expect(await adapter.call("/grpc.health.v1.Health/Check", Buffer.alloc(0))).toHaveLength(1);
    },
  );

  it("survives clients that go at any moment", async () => {
    a.reply = (form) => matrixOf(form);
    await adapter.start(config());
    const request = queryRequest({ start: now - 40_000, end: now, step: 1 });
    for (let round = 0; round < 30; round += isThorough ? 1 : 3) {
      const gone = new AbortController();
      setTimeout(() => gone.abort(), round * 4);
      await adapter.refusal(adapter.call(range, request, 5_000, gone.signal));
    }
    expect(received(await adapter.call(range, request)).points).toHaveLength(40_001);
    await expect.poll(() => adapter.metrics()).toContain("adapter_in_flight_calls 0\n");
    expect(adapter.metrics()).toContain("adapter_buffered_bytes 0\n");
  });

  it("answers any number of calls over one connection", async () => {
    await adapter.start(config());
    const answers = new Set<string>();
    for (let round = 0; round < cases(60); round++) {
      const calls = Array.from({ length: 50 }, () => adapter.call("/grpc.health.v1.Health/Check", Buffer.alloc(0)));
      for (const answer of await Promise.all(calls)) answers.add(Buffer.concat(answer).toString("hex"));
    }
    expect([...answers]).toStrictEqual(["0801"]);
  });

  it("is healthy until it drains, and lets queries under way end", async () => {
    a.reply = () => "hang";
    await adapter.start(config());
    const health = () => adapter.call("/grpc.health.v1.Health/Check", Buffer.alloc(0));
    expect(await health()).toStrictEqual([varintField(1, 1)]);
    const call = adapter.refusal(adapter.call(instant, queryRequest({ end: now }), 700));
    while (a.asked.length === 0) await sleep(10);
    const closing = adapter.close(5_000);
    expect(await call).toMatchObject({ code: grpcStatus.deadlineExceeded });
    await closing;
    expect(await adapter.refusal(health())).toMatchObject({ code: grpcStatus.unavailable });
  });
});
