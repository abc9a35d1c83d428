/** Asking a Prometheus-compatible API, and comparing two answers. */

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value?: readonly [number, string];
  readonly values?: readonly (readonly [number, string])[];
}

export interface ApiAnswer {
  readonly status: string;
  readonly error?: string;
  readonly warnings?: readonly string[];
  readonly infos?: readonly string[];
  readonly data?: { readonly resultType: string; readonly result: readonly Sample[] };
}

/** Seconds since the epoch; without step an instant query at `end`. */
export interface Times {
  readonly start?: number;
  readonly end: number;
  readonly step?: number;
}

export async function askApi(url: string, query: string, { start, end, step }: Times): Promise<ApiAnswer> {
  const isRange = step !== undefined;
  const body = new URLSearchParams(
    isRange ? { query, start: String(start), end: String(end), step: String(step) } : { query, time: String(end) },
  );
  const response = await fetch(`${url}/api/v1/query${isRange ? "_range" : ""}`, { method: "POST", body });
  return (await response.json()) as ApiAnswer;
}

/** Points by labels and time; values that are equal but for rounding get the same text. */
export function pointsOf({ data }: ApiAnswer): ReadonlyMap<string, string> {
  const points = new Map<string, string>();
  for (const { metric, value, values } of data?.result ?? []) {
    const labels = Object.entries(metric)
      .map(([name, text]) => `${name}=${text}`)
      .sort()
      .join(",");
    for (const [time, text] of values ?? (value === undefined ? [] : [value])) {
      points.set(`${labels}@${String(time)}`, Number.isFinite(Number(text)) ? Number(text).toPrecision(9) : text);
    }
  }
  return points;
}
