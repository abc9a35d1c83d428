/**
 * Whether a PromQL expression is a range vector as a whole: a selector or subquery with its range in square brackets, in
 * parentheses or with `offset` and `@` behind it. An expression that is none of PromQL may be taken for one.
 *
 * No operator takes range vectors, so a range that no parenthesis is around is the whole expression's.
 */
export function isRangeVector(query: string): boolean {
  let rest = withoutLiterals(query).trim();
  for (let inner = unwrapped(rest); inner !== undefined; inner = unwrapped(rest)) rest = inner.trim();
  let depth = 0;
  for (const each of rest) {
    if (each === "(") depth += 1;
    if (each === ")") depth -= 1;
    if (each === "[" && depth === 0) return true;
  }
  return false;
}

/** A query with its strings emptied and its comments gone: what is left has brackets of the language only. */
function withoutLiterals(query: string): string {
  return query.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|#[^\n]*/gs, (literal) =>
    literal.startsWith("#") ? " " : '""',
  );
}

/** What is in the one pair of parentheses around a text; undefined when there is none. */
function unwrapped(text: string): string | undefined {
  if (!text.startsWith("(") || !text.endsWith(")")) return undefined;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "(") depth += 1;
    if (text[at] === ")") depth -= 1;
    if (depth === 0) return at === text.length - 1 ? text.slice(1, -1) : undefined;
  }
  return undefined;
}
