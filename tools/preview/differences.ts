/** What differs between two versions of a resource, in the words of its config: `containers[gate].image: a -> b`. */

/** One value that differs; undefined: there is none on that side. */
export interface Difference {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** What Pulumi writes for a value that is known only after an `up`. */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Characters of one value that are shown. */
const LONGEST = 100;

/** Lines of one text that are compared; a longer one, such as a program, is only said to differ. */
const MOST_LINES = 2_000;

type Values = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  if (value === UNKNOWN) return "(known after up)";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 3)}...` : line;
}

const shown = (value: unknown): string | undefined => (value === undefined ? undefined : show(value));

/** Objects of a list by their `name`, or undefined when one has none. */
function named(list: readonly unknown[]): ReadonlyMap<string, unknown> | undefined {
  const found = new Map<string, unknown>();
  for (const each of list) {
    if (!isObject(each) || typeof each["name"] !== "string") return undefined;
    found.set(each["name"], each);
  }
  return found.size === list.length ? found : undefined;
}

/** What of `left` is not in `right`, counting repetitions. */
function without(left: readonly string[], right: readonly string[]): readonly string[] {
  const rest = [...right];
  return left.filter((each) => {
    const at = rest.indexOf(each);
    if (at >= 0) rest.splice(at, 1);
    return at < 0;
  });
}

/** Name of a flag, or key of a line of YAML: what makes an old and a new line one change. */
function keyOf(text: string): string {
  return /^\s*(?:- )?(-{0,2}[\w.-]+)\s*[=:]/.exec(text)?.[1] ?? text;
}

/** Lines or flags that went, came, or changed their value. */
function lineDifferences(path: string, before: readonly string[], after: readonly string[]): readonly Difference[] {
  const [gone, come] = [without(before, after), [...without(after, before)]];
  const changed = gone.map((line) => {
    const at = come.findIndex((other) => keyOf(other) === keyOf(line));
    const successor = at < 0 ? undefined : come.splice(at, 1)[0];
    return { path, before: show(line), after: shown(successor) };
  });
  return [...changed, ...come.map((line) => ({ path, before: undefined, after: show(line) }))];
}

/** The object in a text that is JSON. */
function json(text: string): Values | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function textDifferences(path: string, before: string, after: string): readonly Difference[] {
  const [old, current] = [json(before), json(after)];
  if (old !== undefined && current !== undefined) return differencesOf(old, current, path);
  const [left, right] = [before.split("\n"), after.split("\n")];
  if (left.length > MOST_LINES || right.length > MOST_LINES || Math.max(before.length, after.length) > 200_000) {
    return [{ path, before: "(a long text)", after: "(another)" }];
  }
  return lineDifferences(path, left, right);
}

function listDifferences(path: string, before: readonly unknown[], after: readonly unknown[]): readonly Difference[] {
  const isText = (value: unknown): value is string => typeof value === "string";
  if (before.every(isText) && after.every(isText)) return lineDifferences(path, before, after);
  const [left, right] = [named(before), named(after)];
  if (left !== undefined && right !== undefined) {
    const names = [...new Set([...left.keys(), ...right.keys()])];
    return names.flatMap((name) => differencesOf(left.get(name), right.get(name), `${path}[${name}]`));
  }
  const length = Math.max(before.length, after.length);
  return Array.from({ length }, (_, index) =>
    differencesOf(before[index], after[index], `${path}[${String(index)}]`),
  ).flat();
}

/** All differences between two versions of a resource's inputs. */
export function differencesOf(before: unknown, after: unknown, path = ""): readonly Difference[] {
  if (Object.is(before, after)) return [];
  if (Array.isArray(before) && Array.isArray(after)) return listDifferences(path, before, after);
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return keys
      .filter((key) => !key.startsWith("__"))
      .flatMap((key) => differencesOf(before[key], after[key], path === "" ? key : `${path}.${key}`));
  }
  if (typeof before === "string" && typeof after === "string" && /[\n{]/.test(before + after)) {
    return textDifferences(path, before, after);
  }
  return [{ path, before: shown(before), after: shown(after) }];
}

/** `path: before -> after` */
export function describeDifference({ path, before, after }: Difference): string {
  if (before === undefined) return `${path}: + ${after ?? ""}`;
  if (after === undefined) return `${path}: - ${before}`;
  return `${path}: ${before} -> ${after}`;
}
