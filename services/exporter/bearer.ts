import { createHash, timingSafeEqual } from "node:crypto";

/** Tokens that may push, as hashes: they are compared in a time that does not depend on them. */
export type Tokens = readonly Buffer[];

function hashed(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/**
 * Reads a token file: one token a line, so that old and new are both good while clients change over.
 * @throws Error with the rule; never with a token.
 */
export function parseTokens(text: string): Tokens {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (lines.length === 0) throw new Error("holds no token; write one or more, one a line");
  const wrong = lines.findIndex((line) => !/^[A-Za-z0-9._~+/-]{16,512}=*$/.test(line));
  if (wrong >= 0) {
    const rule = "a token has 16 to 512 letters, digits or -._~+/ (RFC 6750), and = at the end";
    throw new Error(`token ${String(wrong + 1)} can't be used: ${rule}`);
  }
  return lines.map(hashed);
}

/** Whether an `Authorization` header has one of the tokens. */
export function isBearer(header: string | undefined, tokens: Tokens): boolean {
  const [, token] = /^bearer +(\S+) *$/i.exec(header ?? "") ?? [];
  if (token === undefined) return false;
  const given = hashed(token);
  return tokens.reduce((found, one) => timingSafeEqual(one, given) || found, false);
}
