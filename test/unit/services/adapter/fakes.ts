import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AdapterConfig } from "../../../../model/adapter-config";
import { createAdapter, type Adapter } from "../../../../services/adapter/adapter";
import { GrpcError, grpcStatus } from "../../../../services/plumbing/grpc";
import { GrpcServer, type Call, type Handler } from "../../../../services/plumbing/grpc-server";
import { LeafClient } from "../../../../services/adapter/leaf-client";
import { completeness, encodeLabels } from "../../../../services/adapter/messages";
import { bytesField, fieldsOf, varintField } from "../../../../services/plumbing/protobuf";
import { listen } from "../../../../services/plumbing/lifecycle";
import { serve, type TestServer } from "../http-helpers";

/** One shard's adapter with what it is asked of on a usual day. */
export function adapterConfig(
  change: Pick<AdapterConfig, "replicas" | "leaf"> & Partial<AdapterConfig>,
): AdapterConfig {
  return {
    cluster: "main",
    shard: "0",
    replicaLabel: "prometheus_replica",
    hasBucket: false,
    retentionSeconds: 86_400,
    lookbackSeconds: 300,
    timeoutSeconds: 30,
    maxSamples: 50_000,
    settleSeconds: 120,
    maxAgeSeconds: 0,
    maxFutureSeconds: 0,
    ...change,
  };
}

export type Form = Readonly<Record<string, string>>;
export type Reply = object | "hang" | "reset" | "cut" | number;

/** A Prometheus that answers queries as it is told. */
export class FakePrometheus {
  /** Forms of the queries that came, without those about push batches. */
  readonly asked: Form[] = [];
  /** Queries whose connection the client closed before it had an answer. */
  cancelled = 0;
  isReady = true;
  hasUnlabelled = false;
  /** Whether it has a page of metrics. */
  tellsFacts = true;
  facts =
    "prometheus_tsdb_lowest_timestamp_seconds 0\nprometheus_tsdb_blocks_loaded 2\nprometheus_tsdb_head_series 100\n";
  /** Facts about push batches; as it is, there is one in every window. */
  batches: (form: Form) => object = everyWindow;
  reply: (form: Form, path: string) => Reply = () => vector([]);
  #server: TestServer | undefined;

  get url(): string {
    return this.#server?.url ?? "";
  }

  async start(): Promise<this> {
    this.#server = await serve(createServer((request, response) => void this.#answer(request, response)));
    return this;
  }

  async stop(): Promise<void> {
    await this.#server?.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "").replace(/\?.*/, "");
    let body = "";
    for await (const chunk of request as AsyncIterable<Buffer>) body += chunk.toString();
    if (path === "/-/ready") response.writeHead(this.isReady ? 200 : 503).end();
    else if (path === "/metrics") response.writeHead(this.tellsFacts ? 200 : 500).end(this.facts);
    else if (path.startsWith("/api/v1/label/")) {
      response.end(JSON.stringify({ status: "success", data: this.hasUnlabelled ? ["x"] : [] }));
    } else this.#query(Object.fromEntries(new URLSearchParams(body)), path, response);
  }

  #query(form: Form, path: string, response: ServerResponse): void {
    if (form["query"]?.includes("pipeline_push_batch") === true) {
      response.end(JSON.stringify({ status: "success", data: this.batches(form) }));
      return;
    }
    this.asked.push(form);
    response.on("close", () => (this.cancelled += response.writableFinished ? 0 : 1));
    const reply = this.reply(form, path);
    if (reply === "hang") return;
    if (reply === "reset") response.destroy();
    else if (reply === "cut") response.write('{"status":"success","data":{"resultType":"vector","result":[{"met');
    else if (typeof reply === "number") response.writeHead(reply).end("not JSON");
    else response.writeHead(statusOf(reply)).end(JSON.stringify(reply));
    if (reply === "cut") setTimeout(() => response.destroy(), 20);
  }
}

/** As Prometheus gives them (web/api/v1/api.go, respondError). */
function statusOf(reply: object): number {
  if (!("errorType" in reply)) return 200;
  return reply.errorType === "bad_data" ? 400 : 422;
}

function everyWindow({ start, end, step }: Form): object {
  const values: (readonly [number, string])[] = [];
  for (let time = Number(start); time <= Number(end); time += Number(step)) values.push([time, "1"]);
  const facts = ["count", "sum", "stdvar", "min", "max"];
  return { resultType: "matrix", result: facts.map((fact) => ({ metric: { exporter: "e", fact }, values })) };
}

/** Facts about push batches that were written at these times (ms) with these numbers. */
export function holding(numbers: readonly (readonly [number, number])[]): (form: Form) => object {
  return ({ query = "", start, end, step }) => {
    const window = Number(/\[(\d+)s\]/.exec(query)?.[1]) * 1000;
    const result = new Map<string, (readonly [number, string])[]>();
    for (let time = Number(start); time <= Number(end); time += Number(step)) {
      const within = numbers.filter(([at]) => at > time * 1000 - window && at <= time * 1000).map(([, one]) => one);
      if (within.length === 0) continue;
      const sum = within.reduce((total, one) => total + one, 0);
      const square = (one: number) => (one - sum / within.length) ** 2;
      const stdvar = within.reduce((total, one) => total + square(one), 0) / within.length;
      const facts = { count: within.length, sum, stdvar, min: Math.min(...within), max: Math.max(...within) };
      for (const [fact, value] of Object.entries(facts)) {
        result.set(fact, [...(result.get(fact) ?? []), [time, String(value)]]);
      }
    }
    const series = [...result].map(([fact, values]) => ({ metric: { exporter: "e", fact }, values }));
    return { resultType: "matrix", result: series };
  };
}

/** An answer with one series per value. */
export function vector(values: readonly number[], more: object = {}): object {
  const result = values.map((value, at) => ({ metric: { at: String(at), shard: "0" }, value: [1000, String(value)] }));
  return { status: "success", data: { resultType: "vector", result }, ...more };
}

/** A range answer with one series that has its time as value. */
export function matrixOf({ start, end, step }: Form, peakSamples = 1): object {
  const values: (readonly [number, string])[] = [];
  for (let time = Number(start); time <= Number(end); time += Number(step)) values.push([time, String(time)]);
  const result = [{ metric: { shard: "0" }, values }];
  const stats = { samples: { totalQueryableSamples: values.length, peakSamples } };
  return { status: "success", data: { resultType: "matrix", result, stats } };
}

export function failure(errorType: string, error: string): object {
  return { status: "error", errorType, error };
}

/** A leaf Querier that answers as it is told. */
export class FakeLeaf {
  readonly asked: { readonly path: string; readonly request: Buffer }[] = [];
  /** Replica labels of what it sees. */
  sees: readonly string[] = ["a"];
  reply: (call: Call) => Promise<void> = (call) => call.send(bytesField(1, "from the leaf"));
  #server: GrpcServer | undefined;
  url = "";

  async start(): Promise<this> {
    const answer: Handler = async (call) => {
      this.asked.push({ path: call.path, request: call.request });
      await this.reply(call);
    };
    const info: Handler = async (call) => {
      const tsdbs = this.sees.map((replica) => {
        const labels = encodeLabels({ cluster: "main", prometheus_replica: replica, shard: "0" });
        return bytesField(6, Buffer.concat([bytesField(1, labels), varintField(3, 2n ** 63n - 1n)]));
      });
      await call.send(bytesField(3, Buffer.concat(tsdbs)));
    };
    const handlers = [...completeness.keys()].map((path) => [path, answer] as const);
    this.#server = new GrpcServer(new Map([...handlers, ["/thanos.info.Info/Info", info]]));
    const port = await listen(this.#server.server, { host: "127.0.0.1", port: 0 });
    this.url = `http://127.0.0.1:${String(port)}`;
    return this;
  }

  async stop(): Promise<void> {
    await this.#server?.close(0);
  }
}

/** What a root got: samples by series and time, warnings, stats. */
export interface Received {
  readonly points: readonly (readonly [labels: string, time: number, value: number])[];
  readonly warnings: readonly string[];
  readonly messages: number;
}

/** An adapter on a port, and a root's client of it. */
export class TestAdapter {
  #client: LeafClient | undefined;
  #adapter: Adapter | undefined;
  port = 0;

  async start(config: AdapterConfig): Promise<this> {
    this.#adapter = createAdapter(config);
    this.port = await listen(this.#adapter.server.server, { host: "127.0.0.1", port: 0 });
    this.#client = new LeafClient(`http://127.0.0.1:${String(this.port)}`);
    return this;
  }

  get client(): LeafClient {
    if (this.#client === undefined) throw new Error("not started");
    return this.#client;
  }

  metrics(): string {
    return this.#adapter?.metrics() ?? "";
  }

  async close(limit: number): Promise<void> {
    this.#adapter?.drain();
    await this.#adapter?.server.close(limit);
  }

  async stop(): Promise<void> {
    this.#client?.close();
    await this.#adapter?.server.close(0);
    this.#adapter?.stop();
  }

  async call(path: string, request: Buffer, milliseconds = 5_000, signal?: AbortSignal): Promise<readonly Buffer[]> {
    const messages: Buffer[] = [];
    const options = { deadline: Date.now() + milliseconds, ...(signal === undefined ? {} : { signal }) };
    for await (const message of this.client.call(path, request, options)) messages.push(message);
    return messages;
  }

  /** The status that a call ends with. */
  async refusal(call: Promise<unknown>): Promise<{ readonly code: number; readonly message: string }> {
    try {
      await call;
    } catch (error) {
      if (error instanceof GrpcError) return { code: error.code, message: error.message };
      throw error;
    }
    return { code: grpcStatus.ok, message: "" };
  }
}

/** Reads the answer to a query. */
export function received(messages: readonly Buffer[]): Received {
  const fields = messages.flatMap((message) => fieldsOf(message));
  const series = fields.flatMap(({ number, bytes }) =>
    number === 2 ? [bytes] : number === 4 ? fieldsOf(bytes).map((one) => one.bytes) : [],
  );
  return {
    messages: messages.length,
    warnings: fields.filter(({ number }) => number === 1).map(({ bytes }) => bytes.toString()),
    points: series.flatMap((one) => {
      const parts = fieldsOf(one);
      const labels = parts
        .filter(({ number }) => number === 1)
        .map(({ bytes }) =>
          fieldsOf(bytes)
            .map((text) => text.bytes.toString())
            .join("="),
        )
        .join(",");
      return parts
        .filter(({ number }) => number === 2)
        .map(({ bytes }) => fieldsOf(bytes))
        .map((sample) => [labels, sample[1]?.value ?? NaN, sample[0]?.value ?? NaN] as const);
    }),
  };
}

const plan = (data: object) => JSON.stringify({ type: "vector_selector", data });

/** A root's request, instant at `end` or over a range. Fields as in query.proto. */
export function queryRequest(
  times: { readonly start?: number; readonly end: number; readonly step?: number },
  {
    query = "x",
    more = [],
    data = {},
    hasPlan = true,
  }: {
    readonly query?: string;
    readonly more?: readonly Buffer[];
    readonly data?: object;
    readonly hasPlan?: boolean;
  } = {},
): Buffer {
  const isRange = times.step !== undefined;
  const common = [
    bytesField(1, query),
    varintField(isRange ? 9 : 7, 1),
    varintField(isRange ? 10 : 8, 1),
    bytesField(isRange ? 7 : 5, "prometheus_replica"),
    ...(hasPlan ? [bytesField(isRange ? 16 : 14, bytesField(1, plan(data)))] : []),
  ];
  const range = isRange
    ? [
        varintField(2, times.start ?? 0),
        varintField(3, times.end),
        varintField(4, times.step ?? 0),
        varintField(17, 64),
      ]
    : [varintField(2, times.end), varintField(15, 64)];
  return Buffer.concat([...common, ...range, ...more]);
}
