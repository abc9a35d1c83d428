import { ProtobufError } from "../plumbing/protobuf";
import { ProtobufReader } from "../plumbing/protobuf-reader";
import { goFloat } from "./go-float";
import { LineWriter, TextTooLongError } from "./line-writer";
import { classOf, labelRest, labelStart, nameRest, nameStart } from "./text-bytes";

/**
 * Reads what Magma's controllers push over gRPC (facebookincubator/prometheus-edge-hub, grpc/service.proto:
 * `MetricFamilies {repeated io.prometheus.client.MetricFamily families = 1}`) and writes it as lines of the text format
 * 0.0.4: the same lines as the hub itself makes of such a message (prometheus/common 0.9.1, expfmt/text_create.go), but
 * without TYPE and HELP. What the hub would drop without a word, or write as lines that spoil its scrape, is an error.
 */

/** A message that is refused as a whole. */
export class FamiliesError extends Error {
  constructor(
    /** `too-large`: the text that it stands for. */
    readonly kind: "invalid" | "too-large",
    reason: string,
  ) {
    super(reason);
    this.name = "FamiliesError";
  }
}

/** What a metric of each type must hold: number of the field in `Metric`. */
const types = new Map<number, { readonly name: string; readonly field: number }>([
  [0, { name: "counter", field: 3 }],
  [1, { name: "gauge", field: 2 }],
  [2, { name: "summary", field: 4 }],
  [3, { name: "untyped", field: 5 }],
  [4, { name: "histogram", field: 7 }],
]);

/** Later ones are as far out of bounds, and would be rounded beyond the range of the text format. */
const latestTimestamp = 9e18;
/** Labels of one metric never pass this. */
const longestLabels = 1024 * 1024;

/**
 * Converts a `MetricFamilies` message; metrics without a timestamp become lines without one.
 * @param limit Bytes that the text may have: a name stands once in the message and in every line of the text.
 * @throws FamiliesError; nothing else is ever thrown.
 */
export function textOfFamilies(message: Buffer, limit: number): Buffer {
  const writer = new FamiliesWriter(message, limit);
  try {
    return writer.write();
  } catch (error) {
    if (error instanceof ProtobufError) {
      throw new FamiliesError("invalid", `${writer.where}the message can't be read: ${error.message}`);
    }
    if (error instanceof TextTooLongError) {
      throw new FamiliesError("too-large", `${writer.where}the message is ${error.message}; send it in smaller pieces`);
    }
    throw error;
  }
}

/** Values of a summary or histogram: the sum, the count, and one line for each quantile or bucket. */
interface Distribution {
  sum: number;
  count: number;
  readonly bounds: number[];
  readonly values: number[];
}

class FamiliesWriter {
  readonly #message: Buffer;
  readonly #out: LineWriter;
  /** Labels of the metric in hand, without braces. */
  readonly #labels: LineWriter;
  #nameStart = 0;
  #nameEnd = 0;
  #timestamp = "";

  constructor(message: Buffer, limit: number) {
    this.#message = message;
    this.#out = new LineWriter(message.length + 1024, limit);
    this.#labels = new LineWriter(1024, Math.min(limit, longestLabels));
  }

  /** The family in hand, for errors. */
  get where(): string {
    return this.#nameEnd === 0 ? "" : `metric ${this.#shown(this.#nameStart, this.#nameEnd)}: `;
  }

  write(): Buffer {
    const reader = new ProtobufReader(this.#message);
    while (reader.next()) {
      if (reader.field === 1) this.#family(reader.message());
      else reader.skip();
    }
    return this.#out.text;
  }

  #family(reader: ProtobufReader): void {
    const metrics: ProtobufReader[] = [];
    // Without the field it is the first of the enum, as in Go.
    let type = 0;
    this.#nameStart = 0;
    this.#nameEnd = 0;
    while (reader.next()) {
      if (reader.field === 1) {
        reader.span();
        this.#nameStart = reader.spanStart;
        this.#nameEnd = reader.spanEnd;
      } else if (reader.field === 3) type = reader.unsigned();
      else if (reader.field === 4) metrics.push(reader.message());
      else reader.skip();
    }
    if (metrics.length === 0) return;
    this.#checkName("metric name", this.#nameStart, this.#nameEnd, nameStart, nameRest);
    for (const metric of metrics) this.#metric(metric, type);
  }

  #metric(reader: ProtobufReader, type: number): void {
    const kind = types.get(type);
    if (kind === undefined) throw this.#invalid(`unknown metric type ${String(type)}`);
    this.#labels.clear();
    this.#timestamp = "\n";
    let content: ProtobufReader | undefined;
    while (reader.next()) {
      if (reader.field === 1) this.#label(reader.message());
      else if (reader.field === 6) this.#timestamp = ` ${String(Math.min(reader.signed(), latestTimestamp))}\n`;
      else if (reader.field === kind.field) content = reader.message();
      else reader.skip();
    }
    if (content === undefined) throw this.#invalid(`is of type ${kind.name} and has no ${kind.name} in a metric`);
    if (kind.name === "summary") this.#summary(content);
    else if (kind.name === "histogram") this.#histogram(content);
    else this.#line("", "", 0, doubleOf(content));
  }

  #label(reader: ProtobufReader): void {
    const labels = this.#labels;
    const message = this.#message;
    let [nameAt, nameEnd, valueAt, valueEnd] = [0, 0, 0, 0];
    while (reader.next()) {
      if (reader.field === 1) {
        reader.span();
        nameAt = reader.spanStart;
        nameEnd = reader.spanEnd;
      } else if (reader.field === 2) {
        reader.span();
        valueAt = reader.spanStart;
        valueEnd = reader.spanEnd;
      } else reader.skip();
    }
    this.#checkName("label name", nameAt, nameEnd, labelStart, labelRest);
    if (labels.length > 0) labels.ascii(",");
    labels.bytes(message, nameAt, nameEnd);
    labels.ascii('="');
    labels.escaped(message, valueAt, valueEnd);
    labels.ascii('"');
  }

  #summary(reader: ProtobufReader): void {
    const { sum, count, bounds, values } = distributionOf(reader, quantileOf);
    bounds.forEach((bound, at) => this.#line("", "quantile", bound, values[at] ?? 0));
    this.#line("_sum", "", 0, sum);
    this.#line("_count", "", 0, count);
  }

  #histogram(reader: ProtobufReader): void {
    const { sum, count, bounds, values } = distributionOf(reader, bucketOf);
    bounds.forEach((bound, at) => this.#line("_bucket", "le", bound, values[at] ?? 0));
    if (!bounds.includes(Infinity)) this.#line("_bucket", "le", Infinity, count);
    this.#line("_sum", "", 0, sum);
    this.#line("_count", "", 0, count);
  }

  /** One sample; `bound` is the value of the label `boundLabel`, which is empty when there is none. */
  #line(suffix: string, boundLabel: string, bound: number, value: number): void {
    const out = this.#out;
    const labels = this.#labels.text;
    out.bytes(this.#message, this.#nameStart, this.#nameEnd);
    out.ascii(suffix);
    if (labels.length > 0 || boundLabel !== "") {
      out.ascii("{");
      out.bytes(labels, 0, labels.length);
      if (boundLabel !== "") out.ascii(`${labels.length > 0 ? "," : ""}${boundLabel}="${goFloat(bound)}"`);
      out.ascii("}");
    }
    out.ascii(` ${valueText(value)}${this.#timestamp}`);
  }

  /** Names go into the text as they are, so they must be names. */
  #checkName(what: string, start: number, end: number, first: number, rest: number): void {
    const message = this.#message;
    let isName = end > start && (classOf(message, start) & first) !== 0;
    for (let at = start + 1; isName && at < end; at += 1) isName = (classOf(message, at) & rest) !== 0;
    if (!isName) throw this.#invalid(`${what} ${this.#shown(start, end)} is not one`);
  }

  #shown(start: number, end: number): string {
    const text = this.#message.toString("utf8", start, Math.min(end, start + 60));
    return JSON.stringify(end - start > 60 ? `${text}...` : text);
  }

  #invalid(reason: string): FamiliesError {
    return new FamiliesError("invalid", `${this.where}${reason}`);
  }
}

function valueText(value: number): string {
  return Number.isFinite(value) ? String(value) : goFloat(value);
}

/** `Gauge`, `Counter`, `Untyped`: {double value = 1}. */
function doubleOf(reader: ProtobufReader): number {
  let value = 0;
  while (reader.next()) {
    if (reader.field === 1) value = reader.double();
    else reader.skip();
  }
  return value;
}

/** `Summary` and `Histogram`: {uint64 sample_count = 1; double sample_sum = 2; repeated ... = 3}. */
function distributionOf(
  reader: ProtobufReader,
  read: (reader: ProtobufReader) => readonly [bound: number, value: number],
): Distribution {
  const found: Distribution = { sum: 0, count: 0, bounds: [], values: [] };
  while (reader.next()) {
    if (reader.field === 1) found.count = reader.unsigned();
    else if (reader.field === 2) found.sum = reader.double();
    else if (reader.field === 3) {
      const [bound, value] = read(reader.message());
      found.bounds.push(bound);
      found.values.push(value);
    } else reader.skip();
  }
  return found;
}

/** `Quantile`: {double quantile = 1; double value = 2}. */
function quantileOf(reader: ProtobufReader): readonly [number, number] {
  let [bound, value] = [0, 0];
  while (reader.next()) {
    if (reader.field === 1) bound = reader.double();
    else if (reader.field === 2) value = reader.double();
    else reader.skip();
  }
  return [bound, value];
}

/** `Bucket`: {uint64 cumulative_count = 1; double upper_bound = 2}. */
function bucketOf(reader: ProtobufReader): readonly [number, number] {
  let [bound, value] = [0, 0];
  while (reader.next()) {
    if (reader.field === 1) value = reader.unsigned();
    else if (reader.field === 2) bound = reader.double();
    else reader.skip();
  }
  return [bound, value];
}
