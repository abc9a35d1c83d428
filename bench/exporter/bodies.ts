/**
 * The bodies that are pushed: Magma's fleet, some gateways in each. Orders of labels and escapes differ from line to line
 * and from variant to variant; values and timestamps are written anew for every push.
 */

import { shardOrder, type RingShard } from "../../model/ring";
import { defaultFleet, makeFleet } from "../../tools/feed/fleet";
import { renderPush } from "../../tools/feed/render";
import { hashOf, lineHash, viewOf, type Tally } from "./checksum";

/** How many lines have their labels in another order than the exporter writes them. */
export type LabelOrder = "sorted" | "mixed" | "shuffled";

/** One body, to be stamped and sent again and again. */
export interface Body {
  readonly bytes: Buffer;
  readonly samples: number;
  /** Position of the value's last byte, of the timestamp's first byte and of the newline, line by line. */
  readonly valueLast: Uint32Array;
  readonly timestampAt: Uint32Array;
  readonly restAt: Uint32Array;
  /** Hash of the canonical series and its shard, line by line. */
  readonly seriesHash: Int32Array;
  readonly shard: Uint8Array;
}

/** Digits of a timestamp in milliseconds. */
const timestampDigits = 13;
const zero = 0x30;
const nine = 0x39;
/** Every so many lines have a label with all three escapes, every so many gateways a key with one. */
const escapedEvery = { lines: 10, gateways: 20 } as const;

/**
 * Bodies of one variant: every gateway once.
 * @param only The first so many gateways; default: all.
 */
export function makeBodies(
  variant: number,
  gatewaysEach: number,
  order: LabelOrder,
  shards: number,
  only?: number,
): readonly Body[] {
  const fleet = makeFleet(defaultFleet, "bench");
  const gateways = fleet.gateways.slice(0, only);
  const ring = Array.from({ length: shards }, (_, index): RingShard => ({ index, name: `shard-${String(index)}` }));
  const now = Date.now();
  const bodies: Body[] = [];
  for (let first = 0; first < gateways.length; first += gatewaysEach) {
    const some = gateways.slice(first, first + gatewaysEach).map((gateway) => {
      const hasEscape = gateway.id !== "" && gateway.index % escapedEvery.gateways === 0;
      const key = hasEscape ? `${gateway.id}"x` : gateway.id;
      const shard = shardOrder({ homeShard: 0, shards: ring }, key === "" ? undefined : key)[0]?.index ?? 0;
      const text = renderPush(fleet, gateway, now).body;
      return { shard, text: hasEscape ? text.replaceAll(`"${gateway.id}"`, `"${gateway.id}\\"x"`) : text };
    });
    bodies.push(makeBody(some, variant, order));
  }
  return bodies;
}

interface Line {
  readonly text: string;
  readonly canonical: string;
  readonly shard: number;
}

function makeBody(pushes: readonly { shard: number; text: string }[], variant: number, order: LabelOrder): Body {
  const lines = byFamily(pushes).map(({ shard, line }, at) => written(line, shard, at, variant, order));
  const bytes = Buffer.from(`${lines.map(({ text }) => text).join("\n")}\n`);
  const samples = lines.filter(({ canonical }) => canonical !== "");
  const column = (): Uint32Array => new Uint32Array(samples.length);
  const body = {
    bytes,
    samples: samples.length,
    valueLast: column(),
    timestampAt: column(),
    restAt: column(),
    seriesHash: new Int32Array(samples.length),
    shard: Uint8Array.from(samples.map(({ shard }) => shard)),
  };
  let end = 0;
  let at = 0;
  for (const { canonical } of lines) {
    end = bytes.indexOf("\n", end) + 1;
    if (canonical === "") continue;
    const series = Buffer.from(canonical);
    body.seriesHash[at] = hashOf(viewOf(series), 0, series.length);
    body.timestampAt[at] = end - 1 - timestampDigits;
    body.valueLast[at] = end - 3 - timestampDigits;
    body.restAt[at] = bytes.lastIndexOf(" ", end - 3 - timestampDigits);
    at += 1;
  }
  return body;
}

/** Lines of all pushes with each family in one place and one TYPE line for it, as writers must group them. */
function byFamily(pushes: readonly { shard: number; text: string }[]): readonly { shard: number; line: string }[] {
  const families = new Map<string, { shard: number; line: string }[]>();
  for (const { shard, text } of pushes) {
    let family: { shard: number; line: string }[] = [];
    for (const line of text.split("\n")) {
      if (line === "") continue;
      if (line.startsWith("#")) {
        family = families.get(line) ?? [];
        if (family.length === 0) family.push({ shard, line });
        families.set(line, family);
      } else family.push({ shard, line });
    }
  }
  return [...families.values()].flat();
}

/** One line of the body; `canonical` is its series as the exporter must write it, empty for comments. */
function written(line: string, shard: number, at: number, variant: number, order: LabelOrder): Line {
  const parts = /^([^{]+)\{(.*)\}( .*)$/.exec(line);
  if (line.startsWith("#") || parts === null) return { text: line, canonical: "", shard };
  const [, name = "", inside = "", rest = ""] = parts;
  const labels = inside.split(/,(?=[a-zA-Z_]+=")/);
  if ((at + variant) % escapedEvery.lines === 0) labels.push(`path="C:\\\\lib ${String(variant)}\\n\\"x\\""`);
  const sorted = [...labels].sort((left, right) => (labelName(left) < labelName(right) ? -1 : 1));
  const isShuffled = order === "shuffled" || (order === "mixed" && (at + variant) % 2 === 0);
  const turn = isShuffled && sorted.length > 1 ? 1 + ((at * 7 + variant) % (sorted.length - 1)) : 0;
  const turned = [...sorted.slice(turn), ...sorted.slice(0, turn)];
  return { text: `${name}{${turned.join(",")}}${rest}`, canonical: `${name}{${sorted.join(",")}}`, shard };
}

function labelName(label: string): string {
  return label.slice(0, label.indexOf("="));
}

/** Writes another value and `timestamp` into every line, and adds what each shard must get to `expected`. */
export function stamp(body: Body, round: number, timestamp: number, expected: readonly Tally[]): void {
  const { bytes, valueLast, timestampAt, restAt, seriesHash, shard } = body;
  const view = viewOf(bytes);
  // Under tsx a name of another module is looked up at every use.
  const [hash, combine] = [hashOf, lineHash];
  const digits = Buffer.from(String(timestamp).padStart(timestampDigits, "0"));
  for (let line = 0; line < body.samples; line += 1) {
    const valueAt = valueLast[line] ?? 0;
    const last = bytes[valueAt] ?? 0;
    if (last >= zero && last <= nine) bytes[valueAt] = zero + ((round + line) % 10);
    const from = timestampAt[line] ?? 0;
    for (let digit = 0; digit < timestampDigits; digit += 1) bytes[from + digit] = digits[digit] ?? 0;
    const tally = expected[shard[line] ?? 0];
    if (tally === undefined) continue;
    const rest = hash(view, restAt[line] ?? 0, from + timestampDigits);
    tally.checksum = (tally.checksum + combine(seriesHash[line] ?? 0, rest)) | 0;
    tally.lines += 1;
  }
}
