import { ExpositionError, showBytes } from "./exposition-error";
import { backslash, isBlank, letterN, newline, skipBlanks } from "./text-bytes";

/**
 * Comment, HELP and TYPE lines. They are dropped, so only their form is checked: what either parser would refuse as
 * broken is refused. What a line says is not: a second TYPE or HELP for a name, or one after its samples, is an error
 * to common 0.9.1 and none to Prometheus, but since nothing is passed on, nothing can clash.
 */

/** Lower case only: common 0.9.1 takes any case, Prometheus' promparse.go does not. */
const types: ReadonlySet<string> = new Set(["counter", "gauge", "histogram", "summary", "untyped"]);

/**
 * Checks the comment whose `#` is at `hash`.
 * @returns position of the first byte of the next line.
 * @throws ExpositionError when the line is broken or has no newline (common 0.9.1: "unexpected end of input stream").
 */
export function skipComment(bytes: Buffer, hash: number, line: number): number {
  const end = bytes.indexOf(newline, hash);
  if (end < 0) throw new ExpositionError(line, "the last line does not end with a newline");
  // Not `indexOf(0, hash)`: it would read to the end of the body for every comment.
  for (let at = hash; at < end; at += 1) {
    // promlex.l ends the whole input at a zero byte in a comment: what follows would be lost without a word.
    if (bytes[at] === 0) throw new ExpositionError(line, "zero byte in a comment");
  }
  // `#HELP` without a blank is HELP for common 0.9.1 and a plain comment for Prometheus: the stricter reading is taken.
  const keywordAt = skipBlanks(bytes, hash + 1);
  const keywordEnd = endOfToken(bytes, keywordAt);
  const keyword = keywordEnd - keywordAt === 4 ? bytes.toString("latin1", keywordAt, keywordEnd) : "";
  if ((keyword === "HELP" || keyword === "TYPE") && keywordEnd < end) {
    checkMetadata(bytes, keyword, keywordEnd, end, line);
  }
  return end + 1;
}

function checkMetadata(bytes: Buffer, keyword: "HELP" | "TYPE", from: number, end: number, line: number): void {
  const nameAt = skipBlanks(bytes, from);
  const name = /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(bytes.toString("latin1", nameAt, end))?.[0] ?? "";
  if (name === "") throw new ExpositionError(line, `expected a metric name after ${keyword}`);
  const nameEnd = nameAt + name.length;
  if (nameEnd < end && !isBlank(bytes, nameEnd)) {
    throw new ExpositionError(line, `invalid metric name in the ${keyword} line`);
  }
  if (keyword === "HELP") {
    checkEscapes(bytes, nameEnd, end, line);
    return;
  }
  // Prometheus cuts exactly one byte between name and type, so a second blank belongs to the type.
  const typeAt = Math.min(nameEnd + 1, end);
  if (!types.has(bytes.toString("latin1", typeAt, end))) {
    throw new ExpositionError(line, `unknown metric type ${showBytes(bytes, typeAt, end)}`);
  }
}

/** common 0.9.1 knows `\\` and `\n` in HELP and refuses every other escape. */
function checkEscapes(bytes: Buffer, from: number, end: number, line: number): void {
  for (let at = from; at < end; at += 1) {
    if (bytes[at] !== backslash) continue;
    at += 1;
    if (at >= end || (bytes[at] !== backslash && bytes[at] !== letterN)) {
      throw new ExpositionError(line, "invalid escape sequence in the HELP line");
    }
  }
}

function endOfToken(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && !isBlank(bytes, at) && bytes[at] !== newline) at += 1;
  return at;
}
