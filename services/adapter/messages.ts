import { bytesField, fieldsOf, varintField } from "../plumbing/protobuf";
import type { Matcher, Needs } from "./needs";

/** The messages of Thanos 0.42.4 that the adapter reads and writes (pkg/api/query/querypb, pkg/info/infopb). */

/** What a root asks: `QueryRequest` and `QueryRangeRequest` in one, times in seconds. */
export interface QueryRequest {
  readonly query: string;
  /** JSON of the logical plan; undefined when the client sent none. */
  readonly plan: string | undefined;
  /** Instant queries: start and end are the same, step is 0. */
  readonly isRange: boolean;
  readonly start: number;
  readonly end: number;
  readonly step: number;
  /** 0: none was given. */
  readonly timeout: number;
  /** 0: none was given. */
  readonly lookback: number;
  readonly replicaLabels: readonly string[];
  readonly deduplicates: boolean;
  /** Series of the answer in one message; 0 and 1: each in a message of its own. */
  readonly batchSize: number;
  /** Asks for part of the stores or of the series only, which Prometheus knows nothing about. */
  readonly isRestricted: boolean;
}

/** Field numbers that differ between the two requests. */
const numbers = {
  instant: { timeout: 3, replicaLabels: 5, storeMatchers: 6, dedup: 7, partial: 8, skipChunks: 10, shard: 11 },
  range: { timeout: 5, replicaLabels: 7, storeMatchers: 8, dedup: 9, partial: 10, skipChunks: 12, shard: 13 },
} as const;
const others = {
  instant: { lookback: 12, plan: 14, batch: 15, start: 2, end: 2, step: -1 },
  range: { lookback: 14, plan: 16, batch: 17, start: 2, end: 3, step: 4 },
} as const;

/**
 * Reads a request of the Query API.
 * @param now Seconds since the epoch, for an instant query without a time.
 * @throws ProtobufError
 */
export function decodeQuery(message: Buffer, isRange: boolean, now: number): QueryRequest {
  const kind = isRange ? "range" : "instant";
  const of = { ...numbers[kind], ...others[kind] };
  const fields = fieldsOf(message);
  // The last one counts, as proto3 has it.
  const last = (number: number) => fields.findLast((field) => field.number === number);
  const value = (number: number): number => last(number)?.value ?? 0;
  const plan = fieldsOf(last(of.plan)?.bytes ?? Buffer.alloc(0)).findLast((field) => field.number === 1);
  const start = isRange ? value(of.start) : value(of.start) || now;
  return {
    query: last(1)?.bytes.toString() ?? "",
    plan: plan?.bytes.toString(),
    isRange,
    start,
    end: isRange ? value(of.end) : start,
    step: value(of.step),
    timeout: value(of.timeout),
    lookback: value(of.lookback),
    replicaLabels: fields.filter((field) => field.number === of.replicaLabels).map((field) => field.bytes.toString()),
    deduplicates: value(of.dedup) !== 0,
    batchSize: value(of.batch),
    isRestricted:
      value(of.skipChunks) !== 0 ||
      fields.some((field) => field.number === of.storeMatchers || field.number === of.shard),
  };
}

/**
 * Of each method of a leaf, the fields that make a partial answer an error: `partial_response_disabled`,
 * `partial_response_strategy = ABORT`, `enablePartialResponse = false`. Put behind a request, they overrule what is in
 * it: of a field that comes twice the last counts. Methods that are not here are not served.
 */
export const completeness: ReadonlyMap<string, Buffer> = new Map(
  (
    [
      ["/thanos.Query/Query", [[8, 0]]],
      ["/thanos.Query/QueryRange", [[10, 0]]],
      [
        "/thanos.Store/Series",
        [
          [6, 1],
          [7, 1],
        ],
      ],
      [
        "/thanos.Store/LabelNames",
        [
          [1, 1],
          [2, 1],
        ],
      ],
      [
        "/thanos.Store/LabelValues",
        [
          [2, 1],
          [3, 1],
        ],
      ],
      ["/thanos.Rules/Rules", [[2, 1]]],
      ["/thanos.Targets/Targets", [[2, 1]]],
      ["/thanos.Metadata/MetricMetadata", [[3, 1]]],
      ["/thanos.Exemplars/Exemplars", [[4, 1]]],
      ["/thanos.Status/TSDBStatistics", [[3, 1]]],
    ] as const
  ).map(([method, fields]) => [method, Buffer.concat(fields.map(([number, value]) => varintField(number, value)))]),
);

/** `LabelValuesRequest` for one name of the series that match, between two times in milliseconds. */
export function encodeNameRequest(
  matchers: readonly Matcher[],
  { oldest, newest }: Pick<Needs, "oldest" | "newest">,
): Buffer {
  return Buffer.concat([
    bytesField(1, "__name__"),
    varintField(4, Math.floor(oldest)),
    varintField(5, Math.ceil(newest)),
    ...matchers.map(({ type, name, value }) =>
      bytesField(7, Buffer.concat([varintField(1, type), bytesField(2, name), bytesField(3, value)])),
    ),
    varintField(9, 1),
  ]);
}

/** `Warnings` of an answer. */
export function encodeWarning(text: string): Buffer {
  return bytesField(1, text);
}

/** The text of an answer's message that holds warnings, else undefined. */
export function warningOf(message: Buffer): string | undefined {
  if (message[0] !== 0x0a) return undefined;
  return fieldsOf(message)
    .findLast((field) => field.number === 1)
    ?.bytes.toString();
}

/**
 * An answer to `LabelNames` with each name once and without the replica label, which no sample has: a sidecar writes its
 * external labels beside the same labels of its series (Thanos 0.42.4 pkg/store/prometheus.go), and nobody tidies up.
 */
export function tidyLabelNames(replicaLabel: string, answer: Buffer): Buffer {
  const seen = new Set<string>();
  const fields = fieldsOf(answer).filter(({ number, bytes }) => {
    const name = bytes.toString();
    if (number !== 1) return true;
    if (seen.has(name) || name === replicaLabel) return false;
    seen.add(name);
    return true;
  });
  return Buffer.concat(fields.map(({ number, bytes }) => bytesField(number, bytes)));
}

/** `QueryStats` of an answer. */
export function encodeStats(samples: number, peak: number): Buffer {
  return bytesField(3, Buffer.concat([varintField(1, samples), varintField(2, peak)]));
}

/** Labels of a series, sorted by name, as the `labels` fields of a `TimeSeries`. */
export function encodeLabels(metric: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(metric);
  // Prometheus sorts them, but names that look like array indexes come first from JSON.parse.
  if (entries.some(([name], at) => at > 0 && name < (entries[at - 1]?.[0] ?? ""))) {
    entries.sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
  }
  return Buffer.concat(
    entries.map(([name, value]) => bytesField(1, Buffer.concat([bytesField(1, name), bytesField(2, value)]))),
  );
}

/** A TSDB behind an endpoint, as its `Info` tells. */
export interface TsdbInfo {
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly minTime: number;
  readonly maxTime: number;
}

const maxInt64 = 2n ** 63n - 1n;

/** `InfoResponse` of an endpoint that has every API and one TSDB from the epoch to the end of time. */
export function encodeInfo(labels: Readonly<Record<string, string>>): Buffer {
  const labelSet = encodeLabels(labels);
  const always = (first: number) => [varintField(first, 0), varintField(first + 1, maxInt64)];
  const tsdb = Buffer.concat([bytesField(1, labelSet), ...always(2)]);
  const store = Buffer.concat([...always(1), varintField(3, 1), varintField(5, 1), bytesField(6, tsdb)]);
  const empty = Buffer.alloc(0);
  return Buffer.concat([
    bytesField(1, labelSet),
    bytesField(2, "query"),
    bytesField(3, store),
    bytesField(4, empty),
    bytesField(5, empty),
    bytesField(6, empty),
    bytesField(7, Buffer.concat(always(1))),
    bytesField(8, empty),
    bytesField(9, empty),
  ]);
}

/**
 * The TSDBs in an `InfoResponse`.
 * @throws ProtobufError
 */
export function decodeInfo(message: Buffer): readonly TsdbInfo[] {
  const store = fieldsOf(message).find((field) => field.number === 3);
  if (store === undefined) return [];
  return fieldsOf(store.bytes)
    .filter((field) => field.number === 6)
    .map(({ bytes }) => {
      const fields = fieldsOf(bytes);
      const time = (number: number): number => fields.find((field) => field.number === number)?.value ?? 0;
      const pairs = fieldsOf(fields.find((field) => field.number === 1)?.bytes ?? Buffer.alloc(0)).map((label) => {
        const text = (number: number) =>
          fieldsOf(label.bytes)
            .find((field) => field.number === number)
            ?.bytes.toString() ?? "";
        return [text(1), text(2)] as const;
      });
      return { labels: Object.fromEntries(pairs), minTime: time(2), maxTime: time(3) };
    });
}
