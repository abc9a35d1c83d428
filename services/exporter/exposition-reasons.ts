import { showBytes, showCharacter } from "./exposition-error";
import { braceOpen, newline, quote } from "./text-bytes";

/** Reasons that a line is refused for, from the position where its reading ended. */

/** `what` was expected at `at`. */
export function expected(what: string, body: Buffer, at: number): string {
  const found = body[at] === newline ? "the end of the line" : showCharacter(body, at);
  return `expected ${what}, found ${found}`;
}

/** No metric name begins at `at`. */
export function badStart(body: Buffer, at: number): string {
  if (body[at] === braceOpen) return "metric name before the braces is missing (quoted names are not supported)";
  return expected("a metric name", body, at);
}

/** No label name begins at `at`. */
export function badLabelName(body: Buffer, at: number): string {
  return body[at] === quote ? "quoted label names are not supported" : expected("a label name", body, at);
}

/** The timestamp that begins at `from` is none from `at` on. */
export function badTimestamp(body: Buffer, from: number, at: number): string {
  if (body[at] === newline) return "blank after the value, but no timestamp";
  const end = body.indexOf(newline, at);
  if (at === from) return `expected a timestamp in milliseconds (digits only), found ${showBytes(body, from, end)}`;
  return `unexpected ${showBytes(body, at, end)} after the timestamp`;
}
