/**
 * What may pass to Prometheus. Paths are compared as they came, byte by byte: nothing is decoded or normalised, so no
 * spelling (`//`, `/./`, `%2e%2e`, `%2F`, another case) can reach a handler that is not listed. Routes: Prometheus 3.14
 * web/web.go and web/api/v1/api.go.
 */

/** Whether a request may pass: under which name it is counted, or why not. */
export type Verdict =
  { readonly allowed: true; readonly route: string } | { readonly allowed: false; readonly reason: string };

type Method = "GET" | "HEAD" | "POST";

const read: readonly Method[] = ["GET"];
const readOrForm: readonly Method[] = ["GET", "POST"];
const probe: readonly Method[] = ["GET", "HEAD"];

/** Exact paths and their methods. */
const exact: ReadonlyMap<string, readonly Method[]> = new Map([
  // Queries; POST carries the parameters as a form.
  ["/api/v1/query", readOrForm],
  ["/api/v1/query_range", readOrForm],
  ["/api/v1/query_exemplars", readOrForm],
  ["/api/v1/format_query", readOrForm],
  ["/api/v1/parse_query", readOrForm],
  ["/api/v1/series", readOrForm],
  ["/api/v1/labels", readOrForm],
  // What Prometheus knows of itself.
  ["/api/v1/metadata", read],
  ["/api/v1/targets", read],
  ["/api/v1/targets/metadata", read],
  ["/api/v1/rules", read],
  ["/api/v1/alerts", read],
  ["/api/v1/status/buildinfo", read],
  ["/api/v1/status/runtimeinfo", read],
  ["/api/v1/status/tsdb", read],
  ["/api/v1/status/flags", read],
  ["/api/v1/status/config", read],
  ["/federate", read],
  ["/metrics", read],
  ["/-/ready", probe],
  ["/-/healthy", probe],
  // The query page and what it asks for on its own.
  ["/", read],
  ["/query", read],
  ["/graph", read],
  ["/favicon.svg", read],
  ["/favicon.ico", read],
  ["/manifest.json", read],
  ["/api/v1/notifications", read],
  ["/api/v1/notifications/live", read],
  ["/api/v1/status/walreplay", read],
]);

/** Paths with one free segment. Names of labels that need escapes arrive as `U__...`, which are plain characters too. */
const patterns: readonly { readonly route: string; readonly pattern: RegExp; readonly methods: readonly Method[] }[] = [
  { route: "/api/v1/label/:name/values", pattern: /^\/api\/v1\/label\/[a-zA-Z_][a-zA-Z0-9_]*\/values$/, methods: read },
  { route: "/assets/:file", pattern: /^\/assets\/[a-zA-Z0-9_-]+(?:\.[a-zA-Z0-9_-]+)+$/, methods: read },
];

/** Longest request target in bytes; longer queries are sent as a form. */
export const maxTargetBytes = 32 * 1024;

/** Decides over a request line: method and request target as received. */
export function judge(method: string, target: string): Verdict {
  const cut = target.indexOf("?");
  const path = cut < 0 ? target : target.slice(0, cut);
  if (!path.startsWith("/")) return { allowed: false, reason: "the request target must be a path" };
  const known = exact.get(path);
  const matched = known ? { route: path, methods: known } : patterns.find(({ pattern }) => pattern.test(path));
  if (matched === undefined) return { allowed: false, reason: "this path is not on the gate's list" };
  if (!(matched.methods as readonly string[]).includes(method)) {
    return { allowed: false, reason: `method ${method.slice(0, 16)} is not on the gate's list for this path` };
  }
  return { allowed: true, route: matched.route };
}
