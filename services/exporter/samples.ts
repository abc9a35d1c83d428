/** The samples of one push, one column per property, so that a million of them are a few arrays and not a million objects. */
export interface Samples {
  /** Holds the canonical lines: the body as received, then the lines that had to be rewritten. */
  readonly text: Buffer;
  readonly count: number;
  /** Line of the body that each sample came from, counted from 1. */
  readonly line: Uint32Array;
  /** Canonical line `name{a="x",b="y"} value timestamp\n`: text[start, end). */
  readonly start: Uint32Array;
  readonly end: Uint32Array;
  /** End of the series part of the line; the value starts one byte later. */
  readonly seriesEnd: Uint32Array;
  /** Hash of the bytes of the series part. */
  readonly seriesHash: Int32Array;
  /** Value of the shard label as written (with escapes): text[keyStart, keyEnd); empty when the label is absent. */
  readonly keyStart: Uint32Array;
  readonly keyEnd: Uint32Array;
  /** Milliseconds since the epoch. Beyond 2^53 it is rounded, which is out of bounds anyway. */
  readonly timestamp: Float64Array;
}

/** Bytes that a sample line hardly ever goes below; only decides the first size of the columns. */
const shortLineBytes = 48;

/** Columns that grow by doubling while a body is read. */
export class SampleColumns {
  count = 0;
  capacity: number;
  line: Uint32Array;
  start: Uint32Array;
  end: Uint32Array;
  seriesEnd: Uint32Array;
  seriesHash: Int32Array;
  keyStart: Uint32Array;
  keyEnd: Uint32Array;
  timestamp: Float64Array;

  constructor(bodyBytes: number) {
    this.capacity = Math.floor(bodyBytes / shortLineBytes) + 16;
    this.line = new Uint32Array(this.capacity);
    this.start = new Uint32Array(this.capacity);
    this.end = new Uint32Array(this.capacity);
    this.seriesEnd = new Uint32Array(this.capacity);
    this.seriesHash = new Int32Array(this.capacity);
    this.keyStart = new Uint32Array(this.capacity);
    this.keyEnd = new Uint32Array(this.capacity);
    this.timestamp = new Float64Array(this.capacity);
  }

  /** Makes room for one more sample. */
  reserve(): void {
    if (this.count < this.capacity) return;
    this.capacity *= 2;
    this.line = grown(this.line, new Uint32Array(this.capacity));
    this.start = grown(this.start, new Uint32Array(this.capacity));
    this.end = grown(this.end, new Uint32Array(this.capacity));
    this.seriesEnd = grown(this.seriesEnd, new Uint32Array(this.capacity));
    this.seriesHash = grown(this.seriesHash, new Int32Array(this.capacity));
    this.keyStart = grown(this.keyStart, new Uint32Array(this.capacity));
    this.keyEnd = grown(this.keyEnd, new Uint32Array(this.capacity));
    this.timestamp = grown(this.timestamp, new Float64Array(this.capacity));
  }

  /** The columns as they are, over `text`; `count` says how much of them is filled. */
  finish(text: Buffer): Samples {
    const { count, line, start, end, seriesEnd, seriesHash, keyStart, keyEnd, timestamp } = this;
    return { text, count, line, start, end, seriesEnd, seriesHash, keyStart, keyEnd, timestamp };
  }
}

function grown<T extends Uint32Array | Int32Array | Float64Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}
