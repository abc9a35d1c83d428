import { isIP } from "node:net";
import { z } from "zod";
import { parseDuration } from "../model/durations";
import { parseQuantity } from "../model/quantities";

/**
 * Builders for the leaves of the config schema. Every leaf carries its rule as the error text of each of its checks,
 * so that whatever is wrong with a value, the user reads the whole rule.
 */

const KUBERNETES_NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const KUBERNETES_SUBDOMAIN = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;
const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const PROMETHEUS_LABEL = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;
const DURATION = /^(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$/;
const MEMORY = /^\d+(\.\d+)?(Ki|Mi|Gi|Ti)$/;
const CPU = /^(\d+m|\d+(\.\d{1,3})?)$/;
const IMAGE = /^[a-z0-9][a-z0-9._:/-]*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|@sha256:[0-9a-f]{64})$/;

/** true or false. */
export function flag(): z.ZodBoolean {
  return z.boolean({ error: "true or false" });
}

/** A whole number in a range, both ends included. */
export function wholeNumber(minimum: number, maximum: number): z.ZodInt {
  const error = `a whole number from ${String(minimum)} to ${String(maximum)}`;
  return z.int({ error }).min(minimum, { error }).max(maximum, { error });
}

/** One of some words. */
export function oneOf<const T extends readonly [string, ...string[]]>(
  ...values: T
): z.ZodEnum<{ [K in T[number]]: K }> {
  return z.enum(values, { error: `one of ${values.map((value) => `"${value}"`).join(", ")}` });
}

/** Text that is not empty. */
export function text(what: string): z.ZodString {
  return z.string({ error: what }).min(1, { error: what });
}

/** Text of a form, with the whole rule as its error. */
export function matching(pattern: RegExp, rule: string): z.ZodString {
  return z.string({ error: rule }).regex(pattern, { error: rule });
}

/** Name of a Kubernetes object that is also a DNS label. */
export function kubernetesName(): z.ZodString {
  return matching(
    KUBERNETES_NAME,
    "a DNS label: 1 to 63 lower-case letters, digits or -, a letter or digit at both ends",
  );
}

/** Name of a Kubernetes object that may hold dots. */
export function kubernetesSubdomain(what: string): z.ZodString {
  return matching(KUBERNETES_SUBDOMAIN, `${what}: lower-case letters, digits, - or ., a letter or digit at both ends`);
}

/** Value of a Kubernetes label; `required` refuses the empty one. */
export function labelValue(required: boolean): z.ZodString {
  const rule = `${required ? "1" : "at most"} ${required ? "to 63" : "63"} letters, digits, -, _ or ., a letter or digit at both ends`;
  return required ? matching(LABEL_VALUE, rule).min(1, { error: rule }) : matching(LABEL_VALUE, rule);
}

/** Labels of Kubernetes objects, without those whose keys have a prefix of ours. */
export function labelMap(reservedPrefixes: readonly string[] = []): z.ZodRecord<z.ZodString, z.ZodString> {
  const reserved = reservedPrefixes.length === 0 ? "" : `, not one that starts with ${reservedPrefixes.join(" or ")}`;
  const rule = `a label key such as example.org/team${reserved}`;
  const key = matching(LABEL_KEY, rule).refine(
    (value) => !reservedPrefixes.some((prefix) => value.startsWith(prefix)),
    {
      error: rule,
    },
  );
  return z.record(key, labelValue(false), { error: "label keys with text values" });
}

/** Name of a label of a time series. */
export function prometheusLabel(): z.ZodString {
  return matching(PROMETHEUS_LABEL, "a label name: letters, digits and _, not starting with a digit or __");
}

/** A duration in Prometheus' notation, between two others. */
export function duration(minimum: string, maximum: string): z.ZodString {
  const rule = `a duration from ${minimum} to ${maximum}, such as 15s, 30m, 1h30m or 15d`;
  const [low, high] = [parseDuration(minimum), parseDuration(maximum)];
  return matching(DURATION, rule).refine(
    (value) => {
      const parsed = parseDuration(value);
      return parsed !== undefined && low !== undefined && high !== undefined && parsed >= low && parsed <= high;
    },
    { error: rule },
  );
}

/** Bytes as a Kubernetes quantity with a binary unit, between two others. */
export function memory(minimum: string, maximum: string): z.ZodString {
  const rule = `a size from ${minimum} to ${maximum} with the unit Ki, Mi, Gi or Ti, such as 512Mi`;
  return inRange(matching(MEMORY, rule), minimum, maximum, rule);
}

/** Cores as a Kubernetes quantity. */
export function cpu(): z.ZodString {
  const rule = "cores from 1m to 256, such as 250m or 2, in quotes when it is only digits";
  return inRange(matching(CPU, rule), "1m", "256", rule);
}

function inRange(schema: z.ZodString, minimum: string, maximum: string, rule: string): z.ZodString {
  const [low, high] = [parseQuantity(minimum) ?? 0, parseQuantity(maximum) ?? 0];
  return schema.refine((value) => low <= (parseQuantity(value) ?? -1) && (parseQuantity(value) ?? -1) <= high, {
    error: rule,
  });
}

/** A block of addresses. */
export function cidr(): z.ZodString {
  const rule = "a block of addresses such as 10.0.0.0/8 or fd00::/8";
  return matching(/^[0-9a-fA-F.:]+\/\d{1,3}$/, rule).refine(
    (value) => {
      const [address = "", bits = ""] = value.split("/");
      const version = isIP(address);
      return version !== 0 && Number(bits) <= (version === 4 ? 32 : 128);
    },
    { error: rule },
  );
}

/** A container image with a tag or a digest. */
export function image(): z.ZodString {
  const rule =
    "an image with a tag other than latest, or with a sha256 digest, such as quay.io/prometheus/prometheus:v3.14.0";
  return matching(IMAGE, rule).refine((value) => !value.endsWith(":latest"), { error: rule });
}

/** An object with exactly these keys. */
export function object<S extends z.ZodRawShape>(shape: S): z.ZodObject<S, z.core.$strict> {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? undefined : `an object with the keys ${Object.keys(shape).join(", ")}`,
  });
}

/** The schema below optional(), default() and prefault(). */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  const inner = "innerType" in schema._zod.def ? (schema._zod.def.innerType as z.core.$ZodType) : undefined;
  return inner === undefined ? schema : unwrap(inner);
}

/** The schema of a value: of a union, the object that the value's `type` names, or the first one for any object. */
export function optionFor(schema: z.core.$ZodType, value: unknown): z.core.$ZodType {
  const inner = unwrap(schema);
  if (!(inner instanceof z.ZodUnion) || typeof value !== "object" || value === null) return schema;
  const named = "type" in value ? optionsOf(inner)[String(value.type)] : undefined;
  const [first] = inner.options.filter((option) => fieldsOf(option) !== undefined);
  return named ?? first ?? schema;
}

/** The schemas of a union by their `type`; empty for any other schema. */
export function optionsOf(schema: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> {
  const inner = unwrap(schema);
  if (!(inner instanceof z.ZodDiscriminatedUnion)) return {};
  const options = inner.options.flatMap((option) => {
    const literal = fieldsOf(option)?.["type"];
    return literal instanceof z.ZodLiteral ? [[String(literal.value), option] as const] : [];
  });
  return Object.fromEntries(options);
}

/** The default of a schema, or undefined where it has none. */
export function defaultOf(schema: z.core.$ZodType): unknown {
  return "defaultValue" in schema._zod.def ? schema._zod.def.defaultValue : undefined;
}

/** Fields of an object schema, or undefined for any other. */
export function fieldsOf(schema: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> | undefined {
  const inner = unwrap(schema);
  return inner instanceof z.ZodObject ? inner.shape : undefined;
}

/** What a schema asks for, in the words of its own error message. */
export function ruleOf(schema: z.core.$ZodType): string {
  const inner = unwrap(schema);
  // No schema takes a symbol, so the answer is the error for a wrong type, which states the whole rule.
  const result = inner instanceof z.ZodType ? inner.safeParse(Symbol("no value")) : undefined;
  return result?.error?.issues[0]?.message ?? "";
}
