/** A small typed client of Prometheus' HTTP API. Every reply is checked; an error tells what was asked and why it failed. */

import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

/** Labels of a series, the metric's name under `__name__`. */
export type Labels = Readonly<Record<string, string>>;

/** One value of an instant vector; `timestamp` in milliseconds. */
export interface VectorSample {
  readonly labels: Labels;
  readonly timestamp: number;
  readonly value: number;
}

/** One series of a matrix; timestamps in milliseconds. */
export interface MatrixSeries {
  readonly labels: Labels;
  readonly values: readonly (readonly [timestamp: number, value: number])[];
}

/** An answer: a vector, a matrix or a scalar, and what the server warned of. */
export type QueryResult = { readonly warnings: readonly string[] } & (
  | { readonly type: "vector"; readonly samples: readonly VectorSample[] }
  | { readonly type: "matrix"; readonly series: readonly MatrixSeries[] }
  | { readonly type: "scalar"; readonly timestamp: number; readonly value: number }
  | { readonly type: "string"; readonly text: string }
);

/** A query that failed. `status` is 0 when no answer came. */
export class PrometheusApiError extends Error {
  constructor(
    readonly query: string,
    readonly status: number,
    readonly errorType: string,
    readonly reason: string,
  ) {
    const shown = query.length > 200 ? `${query.slice(0, 200)}...` : query;
    const how = status === 0 ? errorType : `HTTP ${String(status)}, ${errorType}`;
    super(`query ${shown} failed (${how}): ${reason}`);
    this.name = "PrometheusApiError";
  }
}

const pointSchema = z.tuple([z.number(), z.string()]);
const labelsSchema = z.record(z.string(), z.string());
const dataSchema = z.discriminatedUnion("resultType", [
  z.object({
    resultType: z.literal("vector"),
    result: z.array(z.object({ metric: labelsSchema, value: pointSchema })),
  }),
  z.object({
    resultType: z.literal("matrix"),
    result: z.array(z.object({ metric: labelsSchema, values: z.array(pointSchema) })),
  }),
  z.object({ resultType: z.literal("scalar"), result: pointSchema }),
  z.object({ resultType: z.literal("string"), result: pointSchema }),
]);
const replySchema = z.discriminatedUnion("status", [
  z.object({ status: z.literal("success"), data: dataSchema, warnings: z.array(z.string()).nullish() }),
  z.object({ status: z.literal("error"), errorType: z.string(), error: z.string() }),
]);

/** A sample value as the API writes it. */
export function parseValue(text: string): number {
  if (text === "+Inf") return Infinity;
  if (text === "-Inf") return -Infinity;
  return Number(text);
}

const milliseconds = (seconds: number): number => Math.round(seconds * 1_000);
const seconds = (timestamp: number): string => (timestamp / 1_000).toFixed(3);

function convert(data: z.infer<typeof dataSchema>, warnings: readonly string[]): QueryResult {
  switch (data.resultType) {
    case "vector": {
      const samples = data.result.map(({ metric, value: [time, text] }) => ({
        labels: metric,
        timestamp: milliseconds(time),
        value: parseValue(text),
      }));
      return { type: "vector", samples, warnings };
    }
    case "matrix": {
      const series = data.result.map(({ metric, values }) => ({
        labels: metric,
        values: values.map(([time, text]) => [milliseconds(time), parseValue(text)] as const),
      }));
      return { type: "matrix", series, warnings };
    }
    case "scalar":
      return { type: "scalar", timestamp: milliseconds(data.result[0]), value: parseValue(data.result[1]), warnings };
    case "string":
      return { type: "string", text: data.result[1], warnings };
  }
}

/** How the client behaves. */
export interface PrometheusApiOptions {
  /** Milliseconds until an answer must be there; default 130,000 (Prometheus' own query timeout is 2 minutes). */
  readonly timeoutMilliseconds?: number;
  /** Attempts when the connection fails (the port-forward restarts); HTTP errors are never repeated. Default 5. */
  readonly connectionAttempts?: number;
  /** Milliseconds between such attempts; default 1,000. */
  readonly retryMilliseconds?: number;
}

/** Asks one server, given by its address without `/api/v1`. */
export class PrometheusApi {
  constructor(
    readonly url: string,
    private readonly options: PrometheusApiOptions = {},
  ) {}

  /** An instant query at `time` (ms; default: the server's now). */
  query(query: string, time?: number): Promise<QueryResult> {
    return this.ask("/api/v1/query", query, time === undefined ? {} : { time: seconds(time) });
  }

  /** A range query; `start` and `end` in ms, `step` in seconds. */
  queryRange(query: string, start: number, end: number, step: number): Promise<QueryResult> {
    return this.ask("/api/v1/query_range", query, { start: seconds(start), end: seconds(end), step: String(step) });
  }

  /** An instant query whose answer must be a vector. */
  async vector(
    query: string,
    time?: number,
  ): Promise<{ readonly samples: readonly VectorSample[]; readonly warnings: readonly string[] }> {
    const result = await this.query(query, time);
    if (result.type === "vector") return result;
    throw new PrometheusApiError(query, 200, "unexpected answer", `a ${result.type} instead of a vector`);
  }

  /** An instant query that gives one number; an empty answer counts as `empty`. */
  async number(query: string, time?: number, empty = 0): Promise<number> {
    const { samples } = await this.vector(query, time);
    if (samples.length > 1) {
      throw new PrometheusApiError(query, 200, "unexpected answer", `${String(samples.length)} values instead of one`);
    }
    return samples[0]?.value ?? empty;
  }

  private async ask(path: string, query: string, parameters: Readonly<Record<string, string>>): Promise<QueryResult> {
    const { status, text } = await this.send(path, query, new URLSearchParams({ query, ...parameters }));
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch {
      throw new PrometheusApiError(query, status, "no JSON", text.trim().slice(0, 500));
    }
    const reply = replySchema.safeParse(json);
    if (!reply.success) throw new PrometheusApiError(query, status, "unexpected reply", z.prettifyError(reply.error));
    if (reply.data.status === "error") {
      throw new PrometheusApiError(query, status, reply.data.errorType, reply.data.error);
    }
    return convert(reply.data.data, reply.data.warnings ?? []);
  }

  private async send(path: string, query: string, body: URLSearchParams): Promise<{ status: number; text: string }> {
    const { timeoutMilliseconds = 130_000, connectionAttempts = 5, retryMilliseconds = 1_000 } = this.options;
    for (let attempt = 1; ; attempt++) {
      try {
        const signal = AbortSignal.timeout(timeoutMilliseconds);
        const response = await fetch(`${this.url}${path}`, { method: "POST", body, signal });
        return { status: response.status, text: await response.text() };
      } catch (error) {
        const timedOut = error instanceof Error && error.name === "TimeoutError";
        if (timedOut) throw new PrometheusApiError(query, 0, "no answer", `after ${String(timeoutMilliseconds)} ms`);
        if (attempt >= connectionAttempts) throw new PrometheusApiError(query, 0, "no connection", causeOf(error));
        await sleep(retryMilliseconds);
      }
    }
  }
}

/** `fetch failed` alone says nothing: the cause does. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
