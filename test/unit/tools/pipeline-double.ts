/**
 * A pipeline in one loopback server: takes pushes, and answers the checker's queries from what it has taken in, by
 * arithmetic of its own. Tests spoil its samples to see what the checker notices.
 */

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";

interface StoredSeries {
  readonly labels: Readonly<Record<string, string>>;
  readonly points: Map<number, number>;
}

export type PushAnswer = (
  attempt: number,
  body: string,
) => { readonly status: number; readonly text: string } | "hang up" | undefined;

const linePattern = /^([a-zA-Z_:][\w:]*)\{(.*)\} (\S+) (\d+)$/;

function parseLabels(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name ?? "", value ?? ""]));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

/** Sums by group. */
function group(entries: readonly (readonly [string, number])[]): ReadonlyMap<string, number> {
  const groups = new Map<string, number>();
  for (const [key, value] of entries) groups.set(key, (groups.get(key) ?? 0) + value);
  return groups;
}

export class PipelineDouble {
  readonly series = new Map<string, StoredSeries>();
  /** Series answered a second time, by key, as by another shard. */
  readonly twice = new Set<string>();
  readonly queries: string[] = [];
  pushes = 0;
  connections = 0;
  warnings: readonly string[] = [];
  /** Decides about a push before it is stored; undefined stores it and answers 200. */
  onPush: PushAnswer = () => undefined;
  private readonly server: Server = createServer((request, response) => void this.serve(request, response));

  async start(): Promise<string> {
    this.server.on("connection", () => (this.connections += 1));
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    const address = this.server.address();
    return `http://127.0.0.1:${String(typeof address === "object" ? address?.port : 0)}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    if (request.url === "/metrics") {
      this.push(body, response);
      return;
    }
    const parameters = new URLSearchParams(body);
    const query = parameters.get("query") ?? "";
    this.queries.push(query);
    const data = this.evaluate(query, Math.round(Number(parameters.get("time")) * 1_000));
    const status = data === undefined ? 422 : 200;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(
      JSON.stringify(
        data === undefined
          ? { status: "error", errorType: "execution", error: `the double can't evaluate ${query}` }
          : { status: "success", data, warnings: this.warnings },
      ),
    );
  }

  private push(body: string, response: ServerResponse): void {
    this.pushes += 1;
    const answer = this.onPush(this.pushes, body);
    if (answer === "hang up") {
      response.destroy();
      return;
    }
    if (answer === undefined || answer.status === 400) this.store(body, answer?.text ?? "");
    response.writeHead(answer?.status ?? 200);
    response.end(answer?.text ?? "");
  }

  private store(body: string, rejection: string): void {
    const rejected = new Set([...rejection.matchAll(/"line":(\d+)/g)].map(([, line]) => Number(line)));
    for (const [index, line] of body.split("\n").entries()) {
      const match = linePattern.exec(line);
      if (match === null || rejected.has(index + 1)) continue;
      const [, name = "", labels = "", value, timestamp] = match;
      const key = `${name}{${labels}}`;
      const entry = this.series.get(key) ?? {
        labels: { __name__: name, ...parseLabels(labels), cluster: "main", shard: "0" },
        points: new Map<number, number>(),
      };
      this.series.set(key, entry);
      entry.points.set(Number(timestamp), Number(value));
    }
  }

  private window(start: number, end: number): readonly { entry: StoredSeries; points: [number, number][] }[] {
    return [...this.series]
      .flatMap(([key, entry]) =>
        this.twice.has(key) ? [entry, { ...entry, labels: { ...entry.labels, shard: "1" } }] : [entry],
      )
      .map((entry) => {
        const points = [...entry.points].filter(([time]) => time > start && time <= end);
        return { entry, points: points.sort((left, right) => left[0] - right[0]) };
      })
      .filter(({ points }) => points.length > 0);
  }

  private evaluate(query: string, at: number): unknown {
    const vector = (label: string | undefined, groups: ReadonlyMap<string, number>): unknown => ({
      resultType: "vector",
      result: [...groups].map(([key, value]) => ({
        metric: label === undefined || key === "" ? {} : { [label]: key },
        value: [at / 1_000, String(value)],
      })),
    });
    const instant = this.window(at - 300_000, at);
    const selected = /^\{feed_run="([^"]*)",gatewayID=~"([^"]*)"\}\[(\d+)ms\]$/.exec(query);
    if (selected !== null) {
      const wanted = new RegExp(`^(?:${selected[2] ?? ""})$`);
      const matrix = this.window(at - Number(selected[3]), at)
        .filter(({ entry }) => wanted.test(entry.labels["gatewayID"] ?? ""))
        .map(({ entry, points }) => ({
          metric: entry.labels,
          values: points.map(([time, value]) => [time / 1_000, String(value)]),
        }));
      return { resultType: "matrix", result: matrix };
    }
    if (query.startsWith("count(count without"))
      return vector(undefined, new Map([["", new Set(instant.map(({ entry }) => entry.points)).size]]));
    if (query.startsWith("count({")) return vector(undefined, new Map([["", instant.length]]));
    const simple = /^(count|sum) by \((\w+)\) \(\{/.exec(query);
    if (simple !== null) {
      const label = simple[2] ?? "";
      const value = (points: readonly [number, number][]): number =>
        simple[1] === "count" ? 1 : (points.at(-1)?.[1] ?? 0);
      return vector(label, group(instant.map(({ entry, points }) => [entry.labels[label] ?? "", value(points)])));
    }
    return this.overWindow(query, at, vector);
  }

  private overWindow(
    query: string,
    at: number,
    vector: (label: string | undefined, groups: ReadonlyMap<string, number>) => unknown,
  ): unknown {
    const over = /sum by \((\w+)\) \((rate|increase)\((\w+)\{[^}]*\}\[(\d+)ms\]\)\)/.exec(query);
    if (over === null) return undefined;
    const [, label = "", func, metric, range = "0"] = over;
    const increased = this.window(at - Number(range), at)
      .filter(({ entry, points }) => entry.labels["__name__"] === metric && points.length > 1)
      .map(({ entry, points }) => [entry.labels[label] ?? "", extrapolated(points, at, Number(range))] as const);
    const groups = group(increased);
    const quantile = /^histogram_quantile\(([\d.]+),/.exec(query);
    if (quantile !== null) return vector(undefined, new Map([["", interpolate(Number(quantile[1]), groups)]]));
    const divisor = func === "rate" ? Number(range) / 1_000 : 1;
    return vector(label, new Map([...groups].map(([key, value]) => [key, value / divisor])));
  }
}

/** Increase as Prometheus documents it, written apart from the tools' own. */
function extrapolated(points: readonly (readonly [number, number])[], end: number, range: number): number {
  const times = points.map(([time]) => time / 1_000);
  const values = points.map(([, value]) => value);
  const gains = values
    .slice(1)
    .map((value, index) => (value < (values[index] ?? 0) ? value : value - (values[index] ?? 0)));
  const gain = gains.reduce((sum, one) => sum + one, 0);
  const [first = 0] = times;
  const last = times.at(-1) ?? 0;
  const spacing = (last - first) / gains.length;
  const edge = (gap: number): number => (gap < spacing * 1.1 ? gap : spacing / 2);
  const untilZero = gain > 0 ? ((last - first) * (values[0] ?? 0)) / gain : Infinity;
  const length = last - first + Math.min(edge(first - (end - range) / 1_000), untilZero) + edge(end / 1_000 - last);
  return (gain * length) / (last - first);
}

function interpolate(q: number, groups: ReadonlyMap<string, number>): number {
  const buckets = [...groups]
    .map(([le, count]) => ({ bound: le === "+Inf" ? Infinity : Number(le), count }))
    .sort((left, right) => left.bound - right.bound);
  const rank = q * (buckets.at(-1)?.count ?? 0);
  const index = buckets.findIndex(({ count }) => count >= rank);
  const here = buckets[index];
  if (here === undefined || here.bound === Infinity) return buckets.at(-2)?.bound ?? NaN;
  const below = buckets[index - 1] ?? { bound: 0, count: 0 };
  return below.bound + ((here.bound - below.bound) * (rank - below.count)) / (here.count - below.count);
}
