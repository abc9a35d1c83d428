import { z } from "zod";
import { DEFAULT_IMAGES, inRegistry, IMAGE_NAMES, type Images } from "../model/images";
import { PROJECT } from "../model/names";
import type { ClusterConnection } from "../model/cluster";
import { crossFieldViolations, type Violation } from "./config-rules";
import { awsViolations, connectionOf } from "./config-rules-aws";
import { configSchema, type ParsedConfig } from "./schema";
import { defaultOf, fieldsOf, optionFor, unwrap } from "./schema-kit";
import { nearest } from "./suggest";

/** The whole config of a stack, checked, with every default. */
export interface Config extends Omit<ParsedConfig, "highAvailability" | "retention" | "images" | "cluster"> {
  /** Whether each shard has a replica b. */
  readonly highAvailability: boolean;
  readonly cluster: ClusterConnection;
  /** How long samples are kept, in Prometheus' notation. */
  readonly retention: ParsedConfig["retention"] & { readonly sharded: string };
  readonly images: Images & { readonly pullSecrets: readonly string[] };
}

/** Everything that is wrong with a config, in one readable message. */
export class ConfigError extends Error {
  constructor(readonly violations: readonly Violation[]) {
    const count = violations.length;
    super(
      [
        `the stack's config has ${String(count)} ${count === 1 ? "problem" : "problems"}:`,
        ...violations.map(describe),
      ].join("\n\n") + "\n",
    );
    this.name = "ConfigError";
  }
}

/** Paths whose values may be secrets. */
const SECRET = /^alertmanager\.config$/;

function describe(violation: Violation): string {
  const { path, value, rule, fix } = violation;
  return `  ${PROJECT}:${path} is ${shown(path, value)}\n    rule: ${rule}\n    fix:  ${fix}`;
}

/** The value, unless it may be a secret or hold one. */
function shown(path: string, value: unknown): string {
  if (SECRET.test(path)) return "not shown";
  const within = path.startsWith("objectStorage") && value !== undefined;
  const isSecret =
    /^objectStorage$|secret|password|credential|key$/i.test(path) || (typeof value === "object" && value !== null);
  return within && isSecret ? "(not shown: it may hold a secret)" : show(value);
}

function show(value: unknown): string {
  const text = value === undefined ? "missing" : JSON.stringify(value);
  return text.length > 100 ? `${text.slice(0, 97)}...` : text;
}

/**
 * Checks the raw values of all keys of the namespace and fills in the defaults.
 * @throws ConfigError with every violation at once.
 */
export function parseConfig(raw: Readonly<Record<string, unknown>>): Config {
  const shape = configSchema.shape;
  const violations: Violation[] = [];
  const parsed: Record<string, unknown> = {};
  // Key by key, so that rules over several keys still run on those that are right when another one is wrong.
  for (const [key, schema] of Object.entries(shape)) {
    const result = schema.safeParse(raw[key]);
    if (result.success) parsed[key] = result.data;
    else violations.push(...result.error.issues.flatMap((issue) => fromIssue(schema, key, raw[key], issue)));
  }
  for (const key of Object.keys(raw)) {
    if (!Object.hasOwn(shape, key)) violations.push(unknownKey([], key, raw[key], Object.keys(shape)));
  }
  violations.push(...crossFieldViolations(parsed), ...awsViolations(parsed, known(raw)));
  if (violations.length > 0) throw new ConfigError(withoutRepeats(violations));
  return withDependentDefaults(parsed as ParsedConfig);
}

function withDependentDefaults(parsed: ParsedConfig): Config {
  const { registry, pullSecrets, ...overrides } = parsed.images;
  const images = Object.fromEntries(
    IMAGE_NAMES.map((name) => {
      const fallback = DEFAULT_IMAGES[name];
      return [name, overrides[name] ?? (registry === undefined ? fallback : inRegistry(fallback, registry))];
    }),
  ) as Record<(typeof IMAGE_NAMES)[number], string>;
  const { retention } = parsed;
  return {
    ...parsed,
    highAvailability: parsed.highAvailability ?? parsed.createThanos,
    cluster: connectionOf(parsed.cluster),
    retention: { ...retention, sharded: retention.sharded ?? retention.single },
    images: { ...images, pullSecrets },
  };
}

/** The keys that the schema has. */
function known(raw: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(raw).filter(([key]) => Object.hasOwn(configSchema.shape, key)));
}

/** Several checks of one value may fail, and all of them name the whole rule. */
function withoutRepeats(violations: readonly Violation[]): Violation[] {
  return violations.filter(
    ({ path, rule }, index) => violations.findIndex((other) => other.path === path && other.rule === rule) === index,
  );
}

type Issue = z.core.$ZodIssue;

function fromIssue(schema: z.core.$ZodType, key: string, raw: unknown, issue: Issue): Violation[] {
  const value = valueAt(raw, issue.path);
  const node = schemaAt(schema, issue.path, raw);
  const path = pathText([key, ...issue.path]);
  if (issue.code === "unrecognized_keys") {
    const known = Object.keys((node === undefined ? undefined : fieldsOf(node)) ?? {});
    return issue.keys.map((name) => unknownKey([key, ...issue.path], name, valueAt(value, [name]), known));
  }
  const rule = issue.code === "invalid_key" ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  return [{ path, value, rule, fix: fixFor(node, value) }];
}

function fixFor(node: z.core.$ZodType | undefined, value: unknown): string {
  if (node === undefined) return "take the key out";
  if (value === undefined) return "set it";
  if (node instanceof z.ZodLiteral) return "correct the value";
  if (typeof value === "string" && isValid(node, decoded(value))) {
    return `write ${value} without quotes`;
  }
  if ((typeof value === "number" || typeof value === "boolean") && isValid(node, String(value))) {
    return `put it in quotes: "${String(value)}"`;
  }
  const fallback = defaultOf(node);
  if (fallback === undefined || typeof fallback === "object") return "correct the value, or take the key out";
  return `correct the value, or take the key out for the default ${show(fallback)}`;
}

function isValid(schema: z.core.$ZodType, value: unknown): boolean {
  return value !== undefined && schema instanceof z.ZodType && schema.safeParse(value).success;
}

/** The number or truth value that a text spells. */
function decoded(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

function unknownKey(
  parents: readonly PropertyKey[],
  name: string,
  value: unknown,
  known: readonly string[],
): Violation {
  const suggestion = nearest(name, known);
  const where = parents.length === 0 ? `the namespace ${PROJECT}` : pathText(parents);
  return {
    path: pathText([...parents, name]),
    value,
    rule: `${where} has no such key; it has ${known.join(", ")}`,
    fix: suggestion === undefined ? "take the key out" : `did you mean "${suggestion}"?`,
  };
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === "number" ? `${text}[${String(part)}]` : text === "" ? String(part) : `${text}.${String(part)}`,
    "",
  );
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (found, part) =>
      typeof found === "object" && found !== null ? (found as Record<PropertyKey, unknown>)[part] : undefined,
    value,
  );
}

function schemaAt(schema: z.core.$ZodType, path: readonly PropertyKey[], raw: unknown): z.core.$ZodType | undefined {
  let node: z.core.$ZodType | undefined = optionFor(schema, raw);
  for (const [index, part] of path.entries()) {
    const def: z.core.$ZodTypeDef | undefined = node === undefined ? undefined : unwrap(node)._zod.def;
    if (def === undefined || node === undefined) return undefined;
    if ("element" in def) node = def.element as z.core.$ZodType;
    else if ("valueType" in def) node = def.valueType as z.core.$ZodType;
    else node = fieldsOf(node)?.[String(part)];
    if (node !== undefined) node = optionFor(node, valueAt(raw, path.slice(0, index + 1)));
  }
  return node;
}
