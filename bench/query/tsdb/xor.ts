/** Samples of one series as Prometheus' XOR chunk (tsdb/chunkenc/xor.go, format: tsdb/docs/format/chunks.md). */

/** Most samples of a chunk, as Prometheus itself cuts them. */
export const CHUNK_SAMPLES = 120;

/** More than a chunk of that many samples can need: at most 68 bits for a time and 77 for a value. */
const buffer = Buffer.alloc(16 + CHUNK_SAMPLES * 19);
let position = 0;

/** Appends the `count` lowest bits of `value`, 1 to 32. */
function writeBits(value: number, count: number): void {
  let left = count;
  while (left > 0) {
    const free = 8 - (position & 7);
    const taken = free < left ? free : left;
    const bits = (value >>> (left - taken)) & ((1 << taken) - 1);
    const at = position >> 3;
    buffer[at] = (buffer[at] ?? 0) | (bits << (free - taken));
    position += taken;
    left -= taken;
  }
}

function writeUvarint(value: number): void {
  let rest = value;
  while (rest > 127) {
    writeBits((rest % 128) | 0x80, 8);
    rest = Math.floor(rest / 128);
  }
  writeBits(rest, 8);
}

const isWithin = (value: number, bits: number): boolean => value >= -(2 ** (bits - 1) - 1) && value <= 2 ** (bits - 1);

/** How much the step from sample to sample changed. */
function writeStepChange(change: number): void {
  if (change === 0) {
    writeBits(0, 1);
  } else if (isWithin(change, 14)) {
    writeBits(0b10, 2);
    writeBits(change, 14);
  } else if (isWithin(change, 17)) {
    writeBits(0b110, 3);
    writeBits(change, 17);
  } else if (isWithin(change, 20)) {
    writeBits(0b1110, 4);
    writeBits(change, 20);
  } else {
    writeBits(0b1111, 4);
    writeBits(Math.floor(change / 0x1_0000_0000), 32);
    writeBits(change, 32);
  }
}

const double = new Float64Array(1);
/** Low and high half of `double`: the order of every processor that Node runs on. */
const halves = new Uint32Array(double.buffer);
let lastLow = 0;
let lastHigh = 0;
let leading = -1;
let trailing = 0;

/** Writes the bits from the `leading`th to before the last `trailing` of a number of two halves; `leading` is below 32. */
function writeMiddle(high: number, low: number): void {
  if (trailing >= 32) {
    writeBits(high >>> (trailing - 32), 64 - leading - trailing);
    return;
  }
  writeBits(high, 32 - leading);
  writeBits(low >>> trailing, 32 - trailing);
}

function writeValueChange(value: number): void {
  double[0] = value;
  const [low = 0, high = 0] = halves;
  const [changedLow, changedHigh] = [low ^ lastLow, high ^ lastHigh];
  lastLow = low;
  lastHigh = high;
  if (changedLow === 0 && changedHigh === 0) {
    writeBits(0, 1);
    return;
  }
  const newLeading = Math.min(31, Math.clz32(changedHigh));
  const lowest = changedLow === 0 ? changedHigh : changedLow;
  const newTrailing = 31 - Math.clz32(lowest & -lowest) + (changedLow === 0 ? 32 : 0);
  if (leading >= 0 && newLeading >= leading && newTrailing >= trailing) {
    writeBits(0b10, 2);
  } else {
    leading = newLeading;
    trailing = newTrailing;
    writeBits(0b11, 2);
    writeBits(leading, 5);
    // 64 does not fit and is written as 0, which is never needed.
    writeBits((64 - leading - trailing) & 63, 6);
  }
  writeMiddle(changedHigh, changedLow);
}

/** A chunk of samples `from` to before `to`, at most `CHUNK_SAMPLES`; times are whole milliseconds, ascending. */
export function xorChunk(times: readonly number[], values: readonly number[], from: number, to: number): Buffer {
  buffer.fill(0);
  position = 0;
  leading = -1;
  trailing = 0;
  writeBits(to - from, 16);
  let time = times[from] ?? 0;
  writeUvarint(time < 0 ? -2 * time - 1 : 2 * time);
  double[0] = values[from] ?? 0;
  lastLow = halves[0] ?? 0;
  lastHigh = halves[1] ?? 0;
  writeBits(lastHigh, 32);
  writeBits(lastLow, 32);
  let step = 0;
  for (let index = from + 1; index < to; index++) {
    const next = times[index] ?? 0;
    if (index === from + 1) writeUvarint(next - time);
    else writeStepChange(next - time - step);
    step = next - time;
    time = next;
    writeValueChange(values[index] ?? 0);
  }
  return Buffer.from(buffer.subarray(0, (position + 7) >> 3));
}
