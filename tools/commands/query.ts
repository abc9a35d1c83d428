/** `query`: asks the root, and prints the answer as a table or JSON. */

import { findDeployment, withQuery } from "../deployment";
import type { Arguments, Command } from "../flags";
import type { Labels, QueryResult } from "../prometheus-api";
import { PrometheusApi, PrometheusApiError } from "../prometheus-api";
import { table } from "../table";
import { say, UserError } from "../terminal";

function seriesText(labels: Labels): string {
  const { __name__: name = "", ...rest } = labels;
  const pairs = Object.entries(rest).map(([label, value]) => `${label}="${value}"`);
  return pairs.length === 0 && name !== "" ? name : `${name}{${pairs.join(", ")}}`;
}

const time = (timestamp: number): string => new Date(timestamp).toISOString();

/** JSON has no NaN and no infinities: they become text, as in Prometheus' own API. */
function finite(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

/** An answer as lines. */
export function formatResult(result: QueryResult, limit: number): readonly string[] {
  switch (result.type) {
    case "scalar":
      return [String(result.value)];
    case "string":
      return [result.text];
    case "vector": {
      const rows = result.samples.slice(0, limit).map(({ labels, value }) => [seriesText(labels), String(value)]);
      return [...table(["series", "value"], rows), ...more(result.samples.length, limit)];
    }
    case "matrix": {
      const points = result.series.flatMap(({ labels, values }) =>
        values.map(([timestamp, value]) => [seriesText(labels), time(timestamp), String(value)]),
      );
      return [...table(["series", "time", "value"], points.slice(0, limit)), ...more(points.length, limit)];
    }
  }
}

function more(count: number, limit: number): readonly string[] {
  return count > limit ? [`... ${String(count - limit)} more (--limit, or --json for all)`] : [`${String(count)} rows`];
}

async function run(args: Arguments): Promise<number> {
  const query = args.positionals[1] ?? process.env.Q ?? "";
  if (query === "") throw new UserError("no query given", `make query Q='count({__name__=~".+"})'`);
  const now = Date.now();
  const limit = args.integer("limit", 200, 1, 10_000_000);
  const ask = async (url: string): Promise<number> => {
    const api = new PrometheusApi(url);
    const at = args.text("time");
    const result = args.has("range")
      ? await api.queryRange(
          query,
          args.time(args.text("start") ?? "-1h", now),
          args.time(args.text("end") ?? "now", now),
          args.seconds("step", 60, 0.001, 86_400),
        )
      : await api.query(query, at === undefined ? undefined : args.time(at, now));
    const text = args.has("json") ? JSON.stringify(result, finite) : formatResult(result, limit).join("\n");
    process.stdout.write(`${text}\n`);
    for (const warning of result.warnings) say(`warning: ${warning}`);
    return 0;
  };
  try {
    const url = args.text("url");
    return url === undefined
      ? await withQuery(await findDeployment(args.stack), ask)
      : await ask(url.replace(/\/+$/, ""));
  } catch (error) {
    if (error instanceof PrometheusApiError) throw new UserError(error.message);
    throw error;
  }
}

export const queryCommand: Command = {
  name: "query",
  summary: "ask the root a PromQL question",
  usage: "[STACK] QUERY [flags]",
  flags: {
    time: {
      value: "time",
      description: "when to evaluate: ISO 8601, seconds since 1970, or e.g. -10m",
      default: "now",
    },
    range: { description: "a range query" },
    start: { value: "time", description: "with --range: first step", default: "-1h" },
    end: { value: "time", description: "with --range: last step", default: "now" },
    step: { value: "duration", description: "with --range: distance of the steps", default: "60" },
    limit: { value: "n", description: "rows of the table", default: "200" },
    json: { description: "print JSON, without a limit" },
    url: { value: "url", description: "ask here instead of through a port-forward to the stack's root" },
  },
  run,
};
