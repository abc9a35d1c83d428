/** The root's answers to range queries, by gateway and step. */

import type { MatrixSeries, PrometheusApi } from "../../prometheus-api";
import type { Stored } from "../stored";
import type { Answered } from "./judge";

/** What was answered. Steps in ms; gateways by id, "" for the series of none. */
export interface StepAnswers {
  readonly gateways: ReadonlyMap<string, ReadonlyMap<number, Answered>>;
  readonly totals: ReadonlyMap<number, { readonly count: number; readonly sum: number }>;
  /** Warnings other than PromQL's infos, each once. */
  readonly warnings: readonly string[];
}

/** Steps of one query: far below Prometheus' 11,000, so that progress shows. */
const stepsPerQuery = 600;

interface Questions {
  readonly api: Pick<PrometheusApi, "queryRange">;
  readonly interval: number;
}

/** A range query over `steps`, some at a time; gives each piece of an answer. */
export async function askRange(
  { api, interval }: Questions,
  query: string,
  steps: readonly number[],
  onSeries: (series: MatrixSeries) => void,
): Promise<readonly string[]> {
  const warnings: string[] = [];
  for (let index = 0; index < steps.length; index += stepsPerQuery) {
    const part = steps.slice(index, index + stepsPerQuery);
    const answer = await api.queryRange(query, part[0] ?? 0, part.at(-1) ?? 0, interval / 1_000);
    if (answer.type !== "matrix") throw new Error(`${query} gave a ${answer.type} instead of a matrix`);
    warnings.push(...answer.warnings.filter((warning) => !warning.includes("PromQL info")));
    answer.series.forEach(onSeries);
  }
  return warnings;
}

interface MutableAnswer {
  count: number;
  sum: number;
  shards: string[];
}

/** Count and sum over all and by gateway, and the shards that each gateway is on. */
export async function askSteps(
  context: Questions & { readonly stored: Stored },
  steps: readonly number[],
  onProgress: (note: string) => void,
): Promise<StepAnswers> {
  const selector = `{feed_run="${context.stored.fleet.run}"}`;
  const gateways = new Map<string, Map<number, MutableAnswer>>();
  const totals = new Map<number, { count: number; sum: number }>();
  const answerOf = (id: string, at: number): MutableAnswer => {
    const byStep = gateways.get(id) ?? new Map<number, MutableAnswer>();
    gateways.set(id, byStep);
    const answer = byStep.get(at) ?? { count: 0, sum: 0, shards: [] };
    byStep.set(at, answer);
    return answer;
  };
  const totalOf = (at: number): { count: number; sum: number } => {
    const total = totals.get(at) ?? { count: 0, sum: 0 };
    totals.set(at, total);
    return total;
  };
  const questions: Readonly<Record<string, (labels: MatrixSeries["labels"], at: number, value: number) => void>> = {
    [`count(${selector})`]: (_labels, at, value) => void (totalOf(at).count = value),
    [`sum(${selector})`]: (_labels, at, value) => void (totalOf(at).sum = value),
    [`count by (gatewayID) (${selector})`]: ({ gatewayID = "" }, at, value) =>
      void (answerOf(gatewayID, at).count = value),
    [`sum by (gatewayID) (${selector})`]: ({ gatewayID = "" }, at, value) => void (answerOf(gatewayID, at).sum = value),
    [`count by (gatewayID, shard) (${selector})`]: ({ gatewayID = "", shard = "" }, at) =>
      void answerOf(gatewayID, at).shards.push(shard),
  };
  const warnings = new Set<string>();
  for (const [query, take] of Object.entries(questions)) {
    onProgress(query);
    const found = await askRange(context, query, steps, ({ labels, values }) => {
      for (const [at, value] of values) take(labels, at, value);
    });
    for (const warning of found) warnings.add(warning);
  }
  for (const byStep of gateways.values()) for (const answer of byStep.values()) answer.shards.sort();
  return { gateways, totals, warnings: [...warnings] };
}
