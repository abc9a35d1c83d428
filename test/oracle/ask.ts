import type { FullAnswer } from "./compare";
import type { QueryCase } from "./query-case";

/** Asks the query API. What is no JSON is an error with its text: Thanos' frontend does not escape quotes in its errors. */
export async function ask(url: string, { query, times, more }: QueryCase): Promise<FullAnswer> {
  const { start, end, step } = times;
  const isRange = step !== undefined;
  const when: Readonly<Record<string, string>> = isRange
    ? { start: String(start), end: String(end), step: String(step) }
    : { time: String(end) };
  const body = new URLSearchParams({ query, ...when, ...more });
  const response = await fetch(`${url}/api/v1/query${isRange ? "_range" : ""}`, { method: "POST", body });
  const text = await response.text();
  try {
    return JSON.parse(text) as FullAnswer;
  } catch {
    return { status: "error", error: text };
  }
}
