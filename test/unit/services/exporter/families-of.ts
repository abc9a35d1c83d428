import { bytesField, varintField } from "../../../../services/plumbing/protobuf";

/** Messages of `io.prometheus.client` for tests, one function a message, every field optional as in proto2. */

type Fields = readonly (Buffer | undefined)[];

function message(...fields: Fields): Buffer {
  return Buffer.concat(fields.filter((field) => field !== undefined));
}

/** A double field. */
export function doubleField(number: number, value: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = number * 8 + 1;
  bytes.writeDoubleLE(value, 1);
  return bytes;
}

export type LabelsOf = Readonly<Record<string, string>>;

/** `Metric` with whatever it holds. */
export function metric(labels: LabelsOf, timestamp: number | undefined, content: Buffer): Buffer {
  const pairs = Object.entries(labels).map(([name, value]) =>
    bytesField(1, message(bytesField(1, name), bytesField(2, value))),
  );
  return message(...pairs, content, timestamp === undefined ? undefined : varintField(6, BigInt(timestamp)));
}

/** Numbers of `MetricType`. */
export const types = { counter: 0, gauge: 1, summary: 2, untyped: 3, histogram: 4 } as const;
/** Numbers of the fields of `Metric`. */
const contents = { counter: 3, gauge: 2, summary: 4, untyped: 5, histogram: 7 } as const;

/** Content of a gauge, counter or untyped metric. */
export function plain(type: "counter" | "gauge" | "untyped", value: number | undefined): Buffer {
  return bytesField(contents[type], value === undefined ? "" : doubleField(1, value));
}

/** Content of a summary or histogram: bounds with their values. */
export function distribution(
  type: "summary" | "histogram",
  count: number,
  sum: number,
  parts: readonly (readonly [bound: number, value: number])[],
): Buffer {
  const each = parts.map(([bound, value]) =>
    bytesField(
      3,
      type === "summary"
        ? message(doubleField(1, bound), doubleField(2, value))
        : message(varintField(1, value), doubleField(2, bound)),
    ),
  );
  return bytesField(contents[type], message(varintField(1, count), doubleField(2, sum), ...each));
}

/** `MetricFamily`; without a type it is a counter, as in proto2. */
export function family(name: string, type: number | undefined, metrics: readonly Buffer[]): Buffer {
  return message(
    bytesField(1, name),
    bytesField(2, "help"),
    type === undefined ? undefined : varintField(3, type),
    ...metrics.map((one) => bytesField(4, one)),
  );
}

/** `MetricFamilies`. */
export function families(...list: readonly Buffer[]): Buffer {
  return message(...list.map((one) => bytesField(1, one)));
}

/** A message with one gauge a label set. */
export function gauges(name: string, timestamp: number | undefined, labels: readonly LabelsOf[]): Buffer {
  return families(
    family(
      name,
      types.gauge,
      labels.map((each, at) => metric(each, timestamp, plain("gauge", at))),
    ),
  );
}
