import { ascending } from "./text-bytes";

/** Where the labels of the line in hand are, in the order written. Used again for each line. */
export class LabelSpans {
  count = 0;
  nameStart = new Uint32Array(64);
  nameEnd = new Uint32Array(64);
  valueStart = new Uint32Array(64);
  valueEnd = new Uint32Array(64);
  /** The first four bytes of the name as a number, zeros for what it lacks: sorts most names without reading them again. */
  beginning = new Uint32Array(64);

  add(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number, beginning: number): void {
    const at = this.count;
    if (at === this.nameStart.length) this.#grow();
    this.nameStart[at] = nameStart;
    this.nameEnd[at] = nameEnd;
    this.valueStart[at] = valueStart;
    this.valueEnd[at] = valueEnd;
    this.beginning[at] = beginning;
    this.count = at + 1;
  }

  /** Whether the name of label number `left` sorts before that of label number `right`. */
  isBefore(bytes: Uint8Array, left: number, right: number): boolean {
    const { beginning, nameStart, nameEnd } = this;
    const [one, other] = [beginning[left] ?? 0, beginning[right] ?? 0];
    if (one !== other) return one < other;
    return ascending(bytes, nameStart[left] ?? 0, nameEnd[left] ?? 0, nameStart[right] ?? 0, nameEnd[right] ?? 0);
  }

  /** Whether the name added last sorts after the one before it, if there is one. */
  isLastInOrder(bytes: Uint8Array): boolean {
    return this.count < 2 || this.isBefore(bytes, this.count - 2, this.count - 1);
  }

  #grow(): void {
    for (const column of ["nameStart", "nameEnd", "valueStart", "valueEnd", "beginning"] as const) {
      const larger = new Uint32Array(this.count * 2);
      larger.set(this[column]);
      this[column] = larger;
    }
  }
}

/** The first four bytes of `bytes[start, end)` as a big-endian number, zeros for what is missing. */
export function beginningOf(bytes: Uint8Array, start: number, end: number): number {
  let number = 0;
  for (let at = start; at < start + 4; at += 1) number = (number << 8) | (at < end ? (bytes[at] ?? 0) : 0);
  return number >>> 0;
}
