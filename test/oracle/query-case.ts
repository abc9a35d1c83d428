import type { Times } from "../unit/services/adapter/answers";

/** A query, when it is asked, and where it comes from. */
export interface QueryCase {
  readonly origin: string;
  readonly query: string;
  readonly times: Times;
  /** More parameters of the API. */
  readonly more?: Readonly<Record<string, string>>;
}

/** The same query as the frontend asks it: it aligns the range with the step, as Grafana does. */
export function aligned({ times, ...rest }: QueryCase): QueryCase {
  const { start, end, step } = times;
  if (step === undefined || start === undefined) return { ...rest, times };
  const down = (time: number) => Math.floor(time / step) * step;
  return { ...rest, times: { start: down(start), end: down(end), step } };
}
