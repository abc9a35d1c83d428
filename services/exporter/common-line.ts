import { samePiece } from "./hash";
import { endOfFloat } from "./float-text";
import type { LabelSpans } from "./label-spans";
import {
  backslash,
  blank,
  braceClose,
  braceOpen,
  byteClasses,
  comma,
  dot,
  equals,
  labelRest,
  labelStart,
  letterN,
  minus,
  nameRest,
  nameStart,
  newline,
  nine,
  plainInValue,
  quote,
  zero,
} from "./text-bytes";

const reservedLabel = Buffer.from("__name__");
/** Digits of a timestamp that a double holds exactly whatever they are; longer ones are read the careful way. */
const exactDigits = 15;
/** Digits of a value that can't pass the largest float64; longer ones are read the careful way. */
const shortValue = 300;

/**
 * Reads the one layout that nearly every client writes, `name{label="value",...} value timestamp\n` or the same without
 * labels, with no byte too many. Anything else, broken lines included, it leaves to `BodyReader`, which reads every layout
 * and knows the reasons: so a line is accepted here only if it is accepted there, with the same outcome (tested).
 *
 * It is the inner loop of the exporter: everything stays in local variables, and nothing is allocated.
 */
export class CommonLine {
  /** Set by `read`: end of the name and of the labels, and where value and timestamp are, as positions in the body. */
  nameEnd = 0;
  seriesEnd = 0;
  valueEnd = 0;
  /** Set by `read`: inside of the shard label's quotes; empty when it is absent. */
  keyStart = 0;
  keyEnd = 0;
  /** Set by `read`: label names ascend, and none is empty, so that the line is canonical but for its timestamp's zeros. */
  isOrdered = true;
  /** Set by `read`: milliseconds. */
  timestamp = 0;

  readonly #body: Buffer;
  readonly #view: DataView;
  readonly #shardLabel: Buffer;
  readonly #spans: LabelSpans;

  /** @param spans Gets the labels of the line. */
  constructor(body: Buffer, shardLabel: Buffer, spans: LabelSpans) {
    this.#body = body;
    this.#view = new DataView(body.buffer, body.byteOffset, body.length);
    this.#shardLabel = shardLabel;
    this.#spans = spans;
  }

  /**
   * Reads the line at `start`.
   * @returns the position of its newline, or -1 when it has another layout. A newline must follow in the body.
   */
  read(start: number): number {
    const body = this.#body;
    if (((byteClasses[body[start] ?? 0] ?? 0) & nameStart) === 0) return -1;
    let at = start + 1;
    while (((byteClasses[body[at] ?? 0] ?? 0) & nameRest) !== 0) at += 1;
    this.nameEnd = at;
    this.keyStart = 0;
    this.keyEnd = 0;
    this.isOrdered = true;
    this.#spans.count = 0;
    if (body[at] === braceOpen) {
      at = this.#labels(at + 1);
      if (at < 0) return -1;
    }
    this.seriesEnd = at;
    if (body[at] !== blank) return -1;
    at = endOfNumber(body, at + 1);
    this.valueEnd = at;
    if (at < 0 || body[at] !== blank) return -1;
    at += 1;
    const timestampAt = at;
    let timestamp = 0;
    for (let digit = (body[at] ?? 0) - zero; digit >= 0 && digit <= 9; digit = (body[at] ?? 0) - zero) {
      timestamp = timestamp * 10 + digit;
      at += 1;
    }
    this.timestamp = timestamp;
    return body[at] === newline && at > timestampAt && at - timestampAt <= exactDigits ? at : -1;
  }

  /** Reads labels from after the `{`; returns the position after the `}`, or -1. */
  #labels(from: number): number {
    const body = this.#body;
    const view = this.#view;
    const shardLabel = this.#shardLabel;
    const spans = this.#spans;
    const shardLabelLength = shardLabel.length;
    let previous = 0;
    for (let nameAt = from; ;) {
      if (((byteClasses[body[nameAt] ?? 0] ?? 0) & labelStart) === 0) return -1;
      let at = nameAt + 1;
      while (((byteClasses[body[at] ?? 0] ?? 0) & labelRest) !== 0) at += 1;
      const nameEnd = at;
      if (body[at] !== equals || body[at + 1] !== quote) return -1;
      at += 2;
      const valueAt = at;
      for (;;) {
        while (((byteClasses[body[at] ?? 0] ?? 0) & plainInValue) !== 0) at += 1;
        const byte = body[at];
        if (byte === quote) break;
        if (byte !== backslash) return -1;
        const escaped = body[at + 1];
        if (escaped !== quote && escaped !== backslash && escaped !== letterN) return -1;
        at += 2;
      }
      const length = nameEnd - nameAt;
      if (length === shardLabelLength && samePiece(body, nameAt, nameEnd, shardLabel, 0, shardLabelLength)) {
        this.keyStart = valueAt;
        this.keyEnd = at;
      } else if (length === 8 && samePiece(body, nameAt, nameEnd, reservedLabel, 0, 8)) {
        return -1;
      }
      // The quotes have been seen, so at least four bytes follow.
      const four = view.getUint32(nameAt);
      const beginning = length >= 4 ? four : (four & (-1 << (32 - length * 8))) >>> 0;
      spans.add(nameAt, nameEnd, valueAt, at, beginning);
      if (at === valueAt) this.isOrdered = false;
      if (beginning <= previous && (beginning < previous || !spans.isLastInOrder(body))) this.isOrdered = false;
      previous = beginning;
      const next = body[at + 1];
      if (next === braceClose) return at + 2;
      if (next !== comma) return -1;
      nameAt = at + 2;
    }
  }
}

/** Position after a plain decimal number, or after whatever else is a value; -1 when none is there. */
function endOfNumber(body: Buffer, from: number): number {
  let at = body[from] === minus ? from + 1 : from;
  const digitsAt = at;
  let byte = body[at] ?? 0;
  while (byte >= zero && byte <= nine) byte = body[++at] ?? 0;
  if (byte === dot) {
    do byte = body[++at] ?? 0;
    while (byte >= zero && byte <= nine);
  }
  const length = at - digitsAt;
  const hasDigit = length > 1 || (length === 1 && body[digitsAt] !== dot);
  return byte === blank && hasDigit && length < shortValue ? at : endOfFloat(body, from);
}
