import { isUtf8 } from "node:buffer";
import { expect } from "vitest";
import { ExpositionError } from "../../../../services/exporter/exposition-error";
import { receiveTime } from "./exposition-cases";
import { canonicalLines } from "./read-lines";
import { RealParser, type Reading } from "./real-parsers";

/** What the hub's parser refuses and the exporter takes: TYPE and HELP are dropped, so they can't clash any more. */
const hubAlone =
  /second (TYPE|HELP) line for metric name|TYPE reported after samples|expected float as value for '(le|quantile)' label/;

const notUtf8 = "not valid UTF-8";
/** What both parsers take and the exporter refuses, by its reason; the second in comments only. */
const exporterAlone: readonly string[] = ["zero byte in a comment", notUtf8];

interface Ours {
  readonly lines: readonly string[] | undefined;
  readonly reason: string;
}

function ours(body: Buffer): Ours {
  try {
    return { lines: canonicalLines(body), reason: "" };
  } catch (error) {
    if (error instanceof ExpositionError) return { lines: undefined, reason: error.reason };
    throw error;
  }
}

function withoutComments(body: Buffer): Buffer {
  return Buffer.from(body.toString("latin1").replace(/(^|\n)[ \t]*#[^\n]*/g, "$1"), "latin1");
}

/** Samples in one order, those without a timestamp at the receive time. */
function inOrder({ samples }: Reading): readonly string[] {
  return samples
    .map(([series, value, timestamp]) => [series, value, timestamp === "" ? String(receiveTime) : timestamp].join(" "))
    .sort();
}

/** The exporter's reader beside the real ones. */
export class ParserComparison {
  accepted = 0;
  refused = 0;
  readonly #hub = new RealParser("hub");
  readonly #prometheus = new RealParser("prometheus");

  stop(): void {
    this.#hub.stop();
    this.#prometheus.stop();
  }

  /** The whole promise for one body. */
  async compare(body: Buffer): Promise<void> {
    const [{ lines, reason }, byHub, byPrometheus] = [
      ours(body),
      await this.#hub.read(body),
      await this.#prometheus.read(body),
    ];
    if (lines === undefined) {
      this.refused += 1;
      const isTaken = byHub.error === undefined && byPrometheus.error === undefined;
      if (isTaken) expect(exporterAlone, "taken by both").toContain(reason);
      if (isTaken && reason === notUtf8) expect(isUtf8(withoutComments(body))).toBe(true);
      return;
    }
    this.accepted += 1;
    if (byHub.error !== undefined) expect(byHub.error).toMatch(hubAlone);
    expect(byPrometheus.error).toBeUndefined();
    const text = Buffer.from(lines.map((line) => `${line}\n`).join(""));
    const [hubOfOurs, prometheusOfOurs] = [await this.#hub.read(text), await this.#prometheus.read(text)];
    expect([hubOfOurs.error, prometheusOfOurs.error]).toStrictEqual([undefined, undefined]);
    expect(inOrder(hubOfOurs)).toStrictEqual(inOrder(prometheusOfOurs));
    expect(hubOfOurs.samples).toHaveLength(lines.length);
    // Without types: of histograms and summaries Prometheus 3 would write le="1.0" for a le="1" that was pushed. And
    // without blanks before a name, which Prometheus takes into the name; the exporter reads the line as the hub does.
    const plain = Buffer.from(
      body
        .toString("latin1")
        .replace(/(^|\n)[ \t]+/g, "$1")
        .replace(/(^|(?<=\n))#[^\n]*\n/g, ""),
      "latin1",
    );
    const [hubOfPlain, prometheusOfPlain] = [await this.#hub.read(plain), await this.#prometheus.read(plain)];
    expect(inOrder(hubOfPlain)).toStrictEqual(inOrder(hubOfOurs));
    expect(inOrder(prometheusOfPlain)).toStrictEqual(inOrder(hubOfOurs));
  }
}
