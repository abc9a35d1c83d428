import { isUtf8 } from "node:buffer";
import { newline } from "./text-bytes";

/** A body that is refused as a whole: nothing of it is stored. */
export class ExpositionError extends Error {
  constructor(
    /** Line of the body, counted from 1. */
    readonly line: number,
    readonly reason: string,
  ) {
    super(`line ${String(line)}: ${reason}`);
    this.name = "ExpositionError";
  }
}

/** A piece of the body, quoted for an error message and cut after 60 bytes. */
export function showBytes(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString("utf8", start, Math.min(end, start + 60));
  return JSON.stringify(end - start > 60 ? `${text}...` : text);
}

/** Number of the first line that is not UTF-8. A newline is never part of a longer character, so lines can be checked alone. */
export function firstInvalidLine(body: Buffer): number {
  let line = 1;
  for (let at = 0; ; line += 1) {
    const end = body.indexOf(newline, at);
    if (end < 0 || !isUtf8(body.subarray(at, end))) return line;
    at = end + 1;
  }
}

/** The character at `at` of a body that is UTF-8, quoted. */
export function showCharacter(body: Buffer, at: number): string {
  return JSON.stringify(
    body
      .toString("utf8", at, at + 4)
      .slice(0, 2)
      .replace(/^(.).*$/su, "$1"),
  );
}
