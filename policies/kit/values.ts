import { load } from "js-yaml";

/** Readers of plain values of unknown shape: a wrong shape reads as absent, so that the rule says what is missing. */

/** Pulumi's stand-ins for values that a preview does not know yet (@pulumi/policy proxy.js). */
const UNKNOWN: ReadonlySet<unknown> = new Set([
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** Whether a value is one that a preview does not know yet: no rule may judge it. */
export function isUnknown(value: unknown): boolean {
  return UNKNOWN.has(value);
}

/** The fields of an object; none for anything else. */
export function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** The items of a list; none for anything else. */
export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A list, or a single value as a list of one: how policy documents write both. */
export function oneOrMany(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

/** The value at a path of keys and positions. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (found, key) => (typeof key === "number" ? items(found)[key] : fields(found)[key]),
    value,
  );
}

/** A text; undefined for anything else. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The texts in a list. */
export function texts(value: unknown): readonly string[] {
  return items(value).filter((item) => typeof item === "string");
}

/** An object of texts by name, such as labels. */
export function textFields(value: unknown): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [key, each] of Object.entries(fields(value))) if (typeof each === "string") found[key] = each;
  return found;
}

/** What a JSON text says; an object is taken as it is, and undefined stands for anything unreadable or unknown. */
export function json(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return undefined;
  }
}

const parsed = new Map<string, unknown>();

function parse(value: string): unknown {
  try {
    return load(value);
  } catch {
    return undefined;
  }
}

/** What a YAML text says; undefined for what is none. Many policies read the same files, so each is parsed once. */
export function yaml(value: string): unknown {
  if (!parsed.has(value)) parsed.set(value, parse(value));
  return parsed.get(value);
}
