import { PIPELINE_LABELS } from "../../model/names";
import { wrongAtLeaf } from "../adapter/leaf-limits";
import type { Replaced } from "../plumbing/forward";
import { firstOf, refused, type Read, type Refusal } from "./parameters";
import { isRangeVector } from "./range-vector";

export type QueryKind = "instant" | "range";

const kinds: ReadonlyMap<string, QueryKind> = new Map([
  ["/api/v1/query", "instant"],
  ["/api/v1/query_range", "range"],
]);

/** Whether a request asks for a query, and which; `%71uery` is `query` to the root too. */
export function queryKind(path: string): QueryKind | undefined {
  try {
    return kinds.get(decodeURIComponent(path));
  } catch {
    return undefined;
  }
}

/**
 * Has the root answer instant queries of range vectors by Prometheus' engine, whatever engine the client
 * names. The Thanos engine of a distributed root sends them to the shards and takes each series' first sample for an instant
 * vector (thanos v0.42.4 pkg/query/remote_engine.go, Exec: `promql.Vector`). Prometheus' engine reads the samples of all
 * shards through their leaves, and a shard that does not answer is an error. What leaves would answer wrongly is refused:
 * there is no query to look at in what that engine asks them.
 * @returns the request as it goes to the root, or why it does not.
 */
export function queryRequest(read: Read, kind: QueryKind): Replaced | { readonly refusal: Refusal } {
  const { target, body, url, form } = read;
  const query = firstOf(read, "query") ?? "";
  const isForced = kind === "instant" && isRangeVector(query);
  if (isForced || firstOf(read, "engine") === "prometheus") {
    const wrong = wrongAtLeaf(query, PIPELINE_LABELS.replica);
    if (wrong !== undefined)
      return refused(422, `Prometheus' engine reads through the leaves: ${wrong.text}`, "execution");
  }
  if (!isForced) return { target, body };
  url.searchParams.set("engine", "prometheus");
  if (!form.has("engine")) return { target: url.pathname + url.search, body };
  form.set("engine", "prometheus");
  return { target: url.pathname + url.search, body: Buffer.from(form.toString()) };
}
