/** A write-ahead log of Prometheus' TSDB, uncompressed. Formats: tsdb/docs/format/wal.md, tsdb/wlog/wlog.go. */

import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Labels } from "./block";
import { Bytes, crc32c } from "./bytes";

const PAGE_BYTES = 32 * 1024;
const SEGMENT_BYTES = 128 * 1024 * 1024;
const HEADER_BYTES = 7;
/** A record that is whole, or a part of one. */
const [FULL, FIRST, MIDDLE, LAST] = [1, 2, 3, 4] as const;
const [SERIES, SAMPLES] = [1, 2] as const;

/** A log that is being written. */
export class WalWriter {
  #file: number;
  #segment = 0;
  #written = 0;
  readonly #page = new Bytes(PAGE_BYTES);
  readonly #record = new Bytes();
  #bytes = 0;

  /** @param folder Folder `wal` of a Prometheus' data; made. */
  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#file = this.#open();
  }

  /** A new series under a number of its own, from 1. */
  series(ref: number, labels: Labels): void {
    const record = this.#record;
    record.clear();
    record.u8(SERIES);
    record.u64(ref);
    record.uvarint(labels.length);
    for (const [name, value] of labels) {
      record.text(name);
      record.text(value);
    }
    this.#log();
  }

  /** Samples of one scrape: series' numbers and values, all at one time (ms). */
  samples(time: number, refs: readonly number[], values: readonly number[]): void {
    const [base] = refs;
    if (base === undefined) return;
    const record = this.#record;
    record.clear();
    record.u8(SAMPLES);
    record.u64(base);
    record.u64(time);
    for (let index = 0; index < refs.length; index++) {
      record.varint((refs[index] ?? 0) - base);
      record.varint(0);
      record.f64(values[index] ?? 0);
    }
    this.#log();
  }

  /** Writes the last page; gives the bytes of all segments. */
  finish(): number {
    if (this.#page.length > 0) this.#flushPage();
    closeSync(this.#file);
    return this.#bytes;
  }

  #open(): number {
    return openSync(join(this.folder, String(this.#segment).padStart(8, "0")), "w");
  }

  /** Puts the record into as many pages as it takes; records do not cross segments. */
  #log(): void {
    const record = this.#record.view();
    const pagesLeft = (SEGMENT_BYTES - this.#written) / PAGE_BYTES;
    if (record.length + this.#page.length + HEADER_BYTES > (PAGE_BYTES - HEADER_BYTES) * (pagesLeft - 1))
      this.#nextSegment();
    let at = 0;
    do {
      if (PAGE_BYTES - this.#page.length < HEADER_BYTES + 1) this.#flushPage();
      const end = Math.min(record.length, at + PAGE_BYTES - this.#page.length - HEADER_BYTES);
      const type = at === 0 ? (end === record.length ? FULL : FIRST) : end === record.length ? LAST : MIDDLE;
      this.#page.u8(type);
      this.#page.u16(end - at);
      this.#page.u32(crc32c(record, at, end));
      this.#page.bytes(record.subarray(at, end));
      at = end;
    } while (at < record.length);
  }

  #nextSegment(): void {
    if (this.#page.length > 0) this.#flushPage();
    closeSync(this.#file);
    this.#segment += 1;
    this.#written = 0;
    this.#file = this.#open();
  }

  /** Pages are full: what is left of one is zeroes. */
  #flushPage(): void {
    this.#page.align(PAGE_BYTES);
    writeSync(this.#file, this.#page.view());
    this.#written += PAGE_BYTES;
    this.#bytes += PAGE_BYTES;
    this.#page.clear();
  }
}
