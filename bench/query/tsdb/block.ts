/**
 * A block of Prometheus' TSDB, written whole: chunks, index (version 2), meta.json. Formats: tsdb/docs/format/. promtool's
 * `create-blocks-from openmetrics` makes the same from text, but takes minutes of CPU for what this does in seconds.
 */

import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Bytes, crc32c } from "./bytes";

/** Labels of a series, sorted by name, `__name__` among them. */
export type Labels = readonly (readonly [name: string, value: string])[];

/** A chunk as `encodeChunk` makes it, and the times of its first and last sample. */
export interface Chunk {
  readonly bytes: Buffer;
  readonly samples: number;
  readonly first: number;
  readonly last: number;
}

const XOR_ENCODING = 1;
const CHUNKS_MAGIC = 0x85bd40dd;
const INDEX_MAGIC = 0xbaaad700;
/** Bytes after which a chunk file is followed by the next. */
const SEGMENT_BYTES = 512 * 1024 * 1024;
const SERIES_ALIGN = 16;
/** Bytes of the index before the first section. */
const HEADER_BYTES = 5;

/** A chunk's bytes in its file, which are the same in every block that holds it: length, encoding, data, checksum. */
export function encodeChunk(data: Buffer): Buffer {
  const bytes = new Bytes(data.length + 16);
  bytes.uvarint(data.length);
  const start = bytes.length;
  bytes.u8(XOR_ENCODING);
  bytes.bytes(data);
  bytes.crc(start);
  return Buffer.from(bytes.view());
}

/** Which comes first in a block: label by label, names before values. */
export function compareLabels(left: Labels, right: Labels): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const [leftName = "", leftValue = ""] = left[index] ?? [];
    const [rightName = "", rightValue = ""] = right[index] ?? [];
    if (leftName !== rightName) return leftName < rightName ? -1 : 1;
    if (leftValue !== rightValue) return leftValue < rightValue ? -1 : 1;
  }
  return left.length - right.length;
}

const byText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

/** A block that is being written. Series come in the order of `compareLabels`. */
export class BlockWriter {
  readonly #series: { readonly labels: Labels; readonly chunks: readonly (Chunk & { readonly ref: number })[] }[] = [];
  #file: number | undefined;
  #segment = 0;
  #offset = 0;
  readonly #pending = new Bytes(1 << 22);
  #samples = 0;

  /**
   * @param folder Folder of the block itself; made.
   * @param ulid Its name.
   */
  constructor(
    private readonly folder: string,
    private readonly ulid: string,
  ) {
    mkdirSync(join(folder, "chunks"), { recursive: true });
  }

  /** Adds a series; its chunks in the order of their times. */
  add(labels: Labels, chunks: readonly Chunk[]): void {
    const placed = chunks.map((chunk) => {
      this.#samples += chunk.samples;
      return { ...chunk, bytes: EMPTY, ref: this.#put(chunk.bytes) };
    });
    this.#series.push({ labels, chunks: placed });
  }

  /** Writes index and meta.json for samples of [start, end), ms; gives the number of samples. */
  finish(start: number, end: number): number {
    this.#flush();
    if (this.#file !== undefined) closeSync(this.#file);
    writeFileSync(join(this.folder, "index"), this.#index());
    const stats = {
      numSamples: this.#samples,
      numFloatSamples: this.#samples,
      numSeries: this.#series.length,
      numChunks: this.#series.reduce((sum, { chunks }) => sum + chunks.length, 0),
    };
    const compaction = { level: 1, sources: [this.ulid] };
    const meta = { ulid: this.ulid, minTime: start, maxTime: end, stats, compaction, version: 1 };
    writeFileSync(join(this.folder, "meta.json"), JSON.stringify(meta, undefined, 2));
    return this.#samples;
  }

  /** Puts a chunk into the file of the moment; gives its reference: file and place. */
  #put(bytes: Buffer): number {
    if (this.#file === undefined || this.#offset + bytes.length > SEGMENT_BYTES) this.#nextSegment();
    const ref = (this.#segment - 1) * 0x1_0000_0000 + this.#offset;
    this.#pending.bytes(bytes);
    this.#offset += bytes.length;
    if (this.#pending.length > 1 << 22) this.#flush();
    return ref;
  }

  #nextSegment(): void {
    this.#flush();
    if (this.#file !== undefined) closeSync(this.#file);
    this.#segment += 1;
    this.#file = openSync(join(this.folder, "chunks", String(this.#segment).padStart(6, "0")), "w");
    this.#pending.u32(CHUNKS_MAGIC);
    this.#pending.u32(0x01000000);
    this.#offset = this.#pending.length;
  }

  #flush(): void {
    if (this.#file !== undefined) writeSync(this.#file, this.#pending.view());
    this.#pending.clear();
  }

  #index(): Buffer {
    const index = new Bytes(1 << 24);
    index.u32(INDEX_MAGIC);
    index.u8(2);
    const symbols = [...new Set(this.#series.flatMap(({ labels }) => labels.flat()))].sort(byText);
    section(index, () => {
      index.u32(symbols.length);
      for (const symbol of symbols) index.text(symbol);
    });
    const seriesAt = index.length;
    const postings = this.#writeSeries(index, new Map(symbols.map((symbol, number) => [symbol, number])));
    index.align(4);
    const postingsAt = index.length;
    const offsets: (readonly [name: string, value: string, offset: number])[] = [];
    for (const [name, values] of postings) {
      for (const [value, refs] of values) {
        index.align(4);
        offsets.push([name, value, index.length]);
        section(index, () => {
          index.u32(refs.length);
          for (const ref of refs) index.u32(ref);
        });
      }
    }
    const tableAt = index.length;
    section(index, () => {
      index.u32(offsets.length);
      for (const [name, value, offset] of offsets) {
        index.u8(2);
        index.text(name);
        index.text(value);
        index.uvarint(offset);
      }
    });
    const tocAt = index.length;
    // Label indices, which nobody reads any more, have no section.
    for (const position of [HEADER_BYTES, seriesAt, 0, 0, postingsAt, tableAt]) index.u64(position);
    index.crc(tocAt);
    return index.view();
  }

  /** Writes the series; gives the references of each label pair's, sorted; first those of all, under an empty pair. */
  #writeSeries(index: Bytes, symbols: ReadonlyMap<string, number>): Map<string, Map<string, number[]>> {
    const all: number[] = [];
    const byName = new Map<string, Map<string, number[]>>();
    const entry = new Bytes(1 << 12);
    for (const { labels, chunks } of this.#series) {
      entry.clear();
      entry.uvarint(labels.length);
      index.align(SERIES_ALIGN);
      const ref = index.length / SERIES_ALIGN;
      all.push(ref);
      for (const [name, value] of labels) {
        entry.uvarint(symbols.get(name) ?? 0);
        entry.uvarint(symbols.get(value) ?? 0);
        let values = byName.get(name);
        if (values === undefined) byName.set(name, (values = new Map<string, number[]>()));
        const refs = values.get(value);
        if (refs === undefined) values.set(value, [ref]);
        else refs.push(ref);
      }
      entry.uvarint(chunks.length);
      chunks.forEach((chunk, position) => {
        const before = chunks[position - 1];
        if (before === undefined) entry.varint(chunk.first);
        else entry.uvarint(chunk.first - before.last);
        entry.uvarint(chunk.last - chunk.first);
        if (before === undefined) entry.uvarint(chunk.ref);
        else entry.varint(chunk.ref - before.ref);
      });
      index.uvarint(entry.length);
      index.bytes(entry.view());
      index.u32(crc32c(entry.view()));
    }
    const sorted = new Map([["", new Map([["", all]])]]);
    for (const name of [...byName.keys()].sort(byText)) {
      sorted.set(name, new Map([...(byName.get(name) ?? [])].sort(([left], [right]) => byText(left, right))));
    }
    return sorted;
  }
}

const EMPTY = Buffer.alloc(0);

/** Length, what `write` writes, checksum. */
function section(bytes: Bytes, write: () => void): void {
  const start = bytes.length;
  bytes.u32(0);
  write();
  bytes.u32At(start, bytes.length - start - 4);
  bytes.crc(start + 4);
}
