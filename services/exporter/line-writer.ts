import { backslash, letterN, newline, quote } from "./text-bytes";

/** More text than the writer may make. */
export class TextTooLongError extends Error {
  constructor(readonly limit: number) {
    super(`more than ${String(limit)} bytes as text`);
    this.name = "TextTooLongError";
  }
}

/** Puts text together in one buffer that grows by doubling. */
export class LineWriter {
  #text: Buffer;
  #length = 0;
  readonly #limit: number;

  /** `size`: bytes to begin with; `limit`: bytes that it never passes. */
  constructor(size: number, limit: number) {
    this.#text = Buffer.allocUnsafe(Math.min(size, limit));
    this.#limit = limit;
  }

  get length(): number {
    return this.#length;
  }

  /** What was written; valid until the next write. */
  get text(): Buffer {
    return this.#text.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  ascii(text: string): void {
    this.#reserve(text.length);
    this.#length += this.#text.write(text, this.#length, "latin1");
  }

  /** Copies `bytes[start, end)`. */
  bytes(bytes: Buffer, start: number, end: number): void {
    this.#reserve(end - start);
    this.#length += bytes.copy(this.#text, this.#length, start, end);
  }

  /** Copies a label value with the escapes of the text format. */
  escaped(bytes: Buffer, start: number, end: number): void {
    this.#reserve((end - start) * 2);
    const text = this.#text;
    let at = this.#length;
    for (let from = start; from < end; from += 1) {
      const byte = bytes[from] ?? 0;
      if (byte === backslash || byte === quote || byte === newline) text[at++] = backslash;
      text[at++] = byte === newline ? letterN : byte;
    }
    this.#length = at;
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#text.length) return;
    if (needed > this.#limit) throw new TextTooLongError(this.#limit);
    const larger = Buffer.allocUnsafe(Math.min(this.#limit, Math.max(needed, this.#text.length * 2)));
    this.#text.copy(larger, 0, 0, this.#length);
    this.#text = larger;
  }
}
