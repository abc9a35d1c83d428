import { blank, dot, minus, newline, nine, plus, tab, zero } from "./text-bytes";

/**
 * Sample values as text. Accepts exactly what both parsers accept, which is the same in both: the pre-Go-1.13 forms of
 * Go's strconv.ParseFloat (each `parseFloat` refuses `p`, `P` and `_`, and without an exponent `p` a hexadecimal float
 * is no float: common 0.9.1 expfmt/text_parse.go, prometheus 3.14 model/textparse/promparse.go). A value beyond
 * float64 is an error there ("value out of range"), one too small is 0.
 */

/** ASCII letters differ from their upper case by this bit. */
const lowerCase = 0x20;
const letterE = 0x65;

/** Longest run of digits before an exponent that can't pass the largest float64 (1.797e308). */
const safeDigits = 300;

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= nine;
}

/**
 * Position after the value that starts at `start`, or -1 when no accepted value starts there. The value must be
 * followed by a blank, a tab, a newline or the end of `bytes`.
 */
export function endOfFloat(bytes: Uint8Array, start: number): number {
  let at = start;
  if (bytes[at] === plus || bytes[at] === minus) at += 1;
  const digitsAt = at;
  while (isDigit(bytes[at])) at += 1;
  let digits = at - digitsAt;
  if (bytes[at] === dot) {
    at += 1;
    const fractionAt = at;
    while (isDigit(bytes[at])) at += 1;
    digits += at - fractionAt;
  }
  if (digits === 0) return endOfWord(bytes, start);
  let needsRangeCheck = digits > safeDigits;
  if (((bytes[at] ?? 0) | lowerCase) === letterE) {
    at += 1;
    if (bytes[at] === plus || bytes[at] === minus) at += 1;
    const exponentAt = at;
    while (isDigit(bytes[at])) at += 1;
    if (at === exponentAt) return -1;
    needsRangeCheck = true;
  }
  if (!endsToken(bytes[at])) return -1;
  if (needsRangeCheck && !Number.isFinite(Number(asciiText(bytes, start, at)))) return -1;
  return at;
}

/** Why `endOfFloat` said no, for the person who sent the value. */
export function floatProblem(bytes: Uint8Array, start: number): string {
  let end = start;
  while (!endsToken(bytes[end])) end += 1;
  const token = Buffer.from(bytes.buffer, bytes.byteOffset + start, Math.min(end - start, 60)).toString("utf8");
  if (token === "") return "expected a value, found the end of the line";
  if (/^[+-]?[0-9.]+([eE][+-]?[0-9]+)?$/.test(token) && !Number.isNaN(Number(token))) {
    return `value ${JSON.stringify(token)} is beyond the range of a 64 bit float`;
  }
  return `expected a decimal number, NaN, +Inf or -Inf as value, found ${JSON.stringify(token)}`;
}

/** The number that an accepted value text stands for. */
export function floatOf(text: string): number {
  const word = text.toLowerCase().replace(/^[+-]/, "");
  if (word === "nan") return NaN;
  if (word === "inf" || word === "infinity") return text.startsWith("-") ? -Infinity : Infinity;
  return Number(text);
}

/** `nan` without sign; `inf` and `infinity` with or without; any case. */
function endOfWord(bytes: Uint8Array, start: number): number {
  let end = start;
  while (end - start < 10 && !endsToken(bytes[end])) end += 1;
  if (!endsToken(bytes[end])) return -1;
  const word = asciiText(bytes, start, end).toLowerCase();
  return /^(nan|[+-]?inf|[+-]?infinity)$/.test(word) ? end : -1;
}

function endsToken(byte: number | undefined): boolean {
  return byte === undefined || byte === blank || byte === newline || byte === tab;
}

function asciiText(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");
}
