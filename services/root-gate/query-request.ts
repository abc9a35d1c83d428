import type { IncomingMessage } from "node:http";
import { PIPELINE_LABELS } from "../../model/names";
import { wrongAtLeaf } from "../adapter/leaf-limits";
import { isRangeVector } from "./range-vector";

/** Longest form, in bytes; Go's net/http reads as much. */
const longestForm = 10 * 1024 * 1024;

/** Base of request targets, which have no host of their own. */
const base = "http://root";

/** A request as it goes to the root, or why it does not. */
export type QueryRequest =
  | { readonly target: string; readonly body: Buffer }
  | { readonly refusal: { readonly status: number; readonly errorType: string; readonly error: string } };

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
 * Reads a query and has the root answer instant queries of range vectors by Prometheus' engine, whatever engine the client
 * names. The Thanos engine of a distributed root sends them to the shards and takes each series' first sample for an instant
 * vector (thanos v0.42.4 pkg/query/remote_engine.go, Exec: `promql.Vector`). Prometheus' engine reads the samples of all
 * shards through their leaves, and a shard that does not answer is an error. What leaves would answer wrongly is refused:
 * there is no query to look at in what that engine asks them.
 */
export async function readQuery(request: IncomingMessage, kind: QueryKind): Promise<QueryRequest> {
  const target = request.url ?? "";
  const type = (request.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  // The root would read one too, where nobody has looked at it.
  if (type.startsWith("multipart/")) {
    return refused(415, `content type ${type}: send the form as application/x-www-form-urlencoded`);
  }
  const body = request.method === "POST" ? await readForm(request) : Buffer.alloc(0);
  if (body === undefined) return refused(413, `the form is longer than ${String(longestForm)} bytes`);
  const form = new URLSearchParams(type === "application/x-www-form-urlencoded" ? body.toString() : "");
  const url = new URL(target, base);
  // As in Go: the form's value counts before the address's.
  const query = form.get("query") ?? url.searchParams.get("query") ?? "";
  const isForced = kind === "instant" && isRangeVector(query);
  if (isForced || (form.get("engine") ?? url.searchParams.get("engine")) === "prometheus") {
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

function refused(status: number, error: string, errorType = "bad_data"): QueryRequest {
  return { refusal: { status, errorType, error } };
}

/** The whole body; undefined when it is too long. Rejects when the client goes away meanwhile. */
async function readForm(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    length += (chunk as Buffer).length;
    if (length > longestForm) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
