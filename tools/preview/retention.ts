/** What a shorter retention takes away: Prometheus deletes it soon after it has read its new configuration. */

import { load } from "js-yaml";
import { z } from "zod";
import { parseDuration } from "../../model/durations";

const mapSchema = z.looseObject({ data: z.record(z.string(), z.unknown()) });
const configSchema = z.looseObject({
  storage: z.looseObject({ tsdb: z.looseObject({ retention: z.looseObject({ time: z.string() }) }) }),
});

/** `retention.time` in the ConfigMap of a Prometheus. */
function timeOf(inputs: unknown): string | undefined {
  const map = mapSchema.safeParse(inputs);
  for (const text of Object.values(map.success ? map.data.data : {})) {
    if (typeof text !== "string" || !text.includes("retention")) continue;
    const config = configSchema.safeParse(safelyLoaded(text));
    if (config.success) return config.data.storage.tsdb.retention.time;
  }
  return undefined;
}

function safelyLoaded(text: string): unknown {
  try {
    return load(text);
  } catch {
    return undefined;
  }
}

/** A retention that gets shorter. */
export interface ShorterRetention {
  readonly before: string;
  readonly after: string;
}

/** The retention before and after, when a ConfigMap makes it shorter. */
export function shorterRetention(before: unknown, after: unknown): ShorterRetention | undefined {
  const [old, current] = [timeOf(before), timeOf(after)];
  if (old === undefined || current === undefined) return undefined;
  const [oldTime, currentTime] = [parseDuration(old), parseDuration(current)];
  if (oldTime === undefined || currentTime === undefined || currentTime >= oldTime) return undefined;
  return { before: old, after: current };
}
