import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judge } from "../../../../services/gate/allow-list";

const forms = ["query", "query_range", "query_exemplars", "format_query", "parse_query", "series", "labels"];
const reads = [
  ...["metadata", "targets", "targets/metadata", "rules", "alerts", "label/job/values", "label/__name__/values"],
  ...["status/buildinfo", "status/runtimeinfo", "status/tsdb", "status/flags", "status/config", "status/walreplay"],
  ...["label/U__a_2e_b/values", "notifications", "notifications/live"],
].map((path) => `/api/v1/${path}`);
const pages = [
  "/",
  "/query",
  "/graph",
  "/federate",
  "/metrics",
  "/assets/index-Ab_3.js",
  "/favicon.svg",
  "/manifest.json",
];

describe("what passes", () => {
  it.each(forms)("GET and POST /api/v1/%s", (path) => {
    expect(judge("GET", `/api/v1/${path}?query=up`)).toStrictEqual({ allowed: true, route: `/api/v1/${path}` });
    expect(judge("POST", `/api/v1/${path}`)).toStrictEqual({ allowed: true, route: `/api/v1/${path}` });
  });

  it.each([...reads, ...pages])("GET %s", (path) => {
    expect(judge("GET", path).allowed).toBe(true);
    expect(judge("POST", path).allowed).toBe(false);
  });

  it.each(["/-/ready", "/-/healthy"])("GET and HEAD %s", (path) => {
    expect(judge("GET", path).allowed).toBe(true);
    expect(judge("HEAD", path).allowed).toBe(true);
  });

  it("counts label names and files under one route", () => {
    expect(judge("GET", "/api/v1/label/job/values")).toMatchObject({ route: "/api/v1/label/:name/values" });
    expect(judge("GET", "/assets/a.css")).toMatchObject({ route: "/assets/:file" });
  });
});

describe("what does not pass", () => {
  it.each([
    "/api/v1/write",
    "/api/v1/otlp/v1/metrics",
    "/api/v1/read",
    "/api/v1/admin/tsdb/delete_series",
    "/api/v1/admin/tsdb/snapshot",
    "/api/v1/admin/tsdb/clean_tombstones",
    "/api/v1/search/metric_names",
    "/-/reload",
    "/-/quit",
    "/debug/pprof/heap",
    "/debug/pprof/",
    "/consoles/x",
    "/version",
    "",
    "*",
    "http://127.0.0.1:9095/api/v1/query",
    "127.0.0.1:443",
  ])("%s", (target) => {
    for (const method of ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE"]) {
      expect(judge(method, target)).toMatchObject({ allowed: false });
    }
  });

  it.each([
    "//api/v1/query",
    "/api//v1/query",
    "/api/v1/query/",
    "/api/v1/./query",
    "/api/v1/query/../write",
    "/api/v1/%71uery",
    "/api/v1%2fquery",
    "/api/v1/query/%2e%2e/write",
    "/api/v1/query%2f..%2fwrite",
    "/api/v1/label/job%2f..%2f..%2fwrite%3f/values",
    "/api/v1/label/../values",
    "/api/v1/label/a/b/values",
    "/api/v1/label//values",
    "/api/v1/label/job/values/../../../write",
    "/assets/../api/v1/write",
    "/assets/..",
    "/assets/%2e%2e/x.js",
    "/assets/a/b.js",
    "/assets/.env",
    "/API/v1/query",
    "/api/v1/query;x=1",
    "/api/v1/query#x",
    "/api/v1/query\\..\\write",
    "/api/v1/query\0",
    "/metrics ",
    "/-/ready/../reload",
    "/\u212Ainds",
  ])("another spelling: %j", (target) => {
    expect(judge("GET", target)).toMatchObject({ allowed: false });
  });

  it("any path that, decoded and normalised, is not one of the list", () => {
    const piece = fc.constantFrom(
      ...["/", "//", ".", "..", "%2e", "%2f", "%2F", "api", "v1", "query", "write", "admin", "tsdb", "-", "reload"],
      ...["label", "values", "assets", "a.js", "metrics", "?", "#", ";", "\\", "debug", "pprof"],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
        const target = `/${pieces.join("")}`;
        const verdict = judge("GET", target);
        if (!verdict.allowed) return;
        const [path = ""] = target.split("?");
        // What passes is plain: normalising it changes nothing, so the upstream sees the path that was judged.
        expect(new URL(path, "http://x").pathname).toBe(path);
        expect(decodeURIComponent(path)).toBe(path);
        expect(path).not.toMatch(/\/\/|\.\./);
        // A file of the query page may be called anything: /assets/reloada.js.
        if (!path.startsWith("/assets/")) expect(path).not.toMatch(/write|admin|reload|debug/);
      }),
      { numRuns: 5000 },
    );
  });
});
