import type { SeriesQuery } from "../plumbing/series-text";
import { allOf, firstOf, type Read } from "./parameters";

/** What the shards may be asked by themselves; with any other parameter the root is asked. */
const known: ReadonlySet<string> = new Set(["match[]", "start", "end", "limit", "dedup", "partial_response"]);

/** Seconds since the epoch; what else may stand there is for the root. */
const seconds = /^[0-9]{1,11}(?:\.[0-9]{1,9})?$/;
const wholeNumber = /^[0-9]{1,9}$/;

/**
 * What a request for `/api/v1/series` asks of the shards.
 * @returns undefined when only the root knows what it means, or what is wrong with it.
 */
export function seriesQuery(read: Read): SeriesQuery | undefined {
  const { form, url, target, body } = read;
  if ([...form.keys(), ...url.searchParams.keys()].some((name) => !known.has(name))) return undefined;
  // Go reads no parameters at all where one holds a semicolon.
  if (target.includes(";") || body.includes(";")) return undefined;
  const [dedup = "true", partial = "false"] = ["dedup", "partial_response"].map((name) => firstOf(read, name));
  // Without it replicas are told apart. An answer of all shards is complete, whether a partial one would do or not.
  if (dedup !== "true" || (partial !== "true" && partial !== "false")) return undefined;
  const matches = allOf(read, "match[]");
  const [start = "", end = "", limit = "0"] = ["start", "end", "limit"].map((name) => firstOf(read, name));
  if (matches.length === 0 || !seconds.test(start) || !seconds.test(end) || !wholeNumber.test(limit)) return undefined;
  const [oldest, newest] = [Math.round(Number(start) * 1000), Math.round(Number(end) * 1000)];
  return oldest > newest ? undefined : { matches, oldest, newest, limit: Number(limit) };
}
