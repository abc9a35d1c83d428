import * as pulumi from "@pulumi/pulumi";
import { PROJECT } from "../model/names";
import { configSchema } from "./schema";
import { unwrap } from "./schema-kit";

const PREFIX = `${PROJECT}:`;

/** Keys whose values are text, so that a cluster label `12` is not taken for a number. */
const TEXT_KEYS: ReadonlySet<string> = new Set(
  Object.entries(configSchema.shape)
    .filter(([, schema]) => ["string", "enum"].includes(unwrap(schema)._zod.def.type))
    .map(([key]) => key),
);

function decode(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/**
 * The raw values of all keys of the namespace, known or not.
 *
 * Pulumi hands every value to a program as text and its `config set` writes every plain value in quotes, so a plain
 * `"3"` is Pulumi's own form of 3 here; inside objects quotes survive, and `homeShard: "3"` is refused.
 */
export function readRawConfig(): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(pulumi.runtime.allConfig())
      .filter(([key]) => key.startsWith(PREFIX))
      .map(([key, value]) => [key.slice(PREFIX.length), value] as const)
      .map(([key, value]) => [key, TEXT_KEYS.has(key) ? value : decode(value)]),
  );
}
