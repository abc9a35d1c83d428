import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { load } from "js-yaml";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { alertmanagerApi } from "../../stand-ins/configmanager/alertmanager-api";
import { ruleApi } from "../../stand-ins/configmanager/rule-api";
import { send, serve, type TestServer } from "../services/http-helpers";

/**
 * What prometheus-configmanager v1.0.4 documents and tests of its API v1, as a contract, held by the stand-in.
 */

let folder = "";
let reloads: string[] = [];
let reloadStatus = 200;
let reloadServer: TestServer;
let server: TestServer;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "contract-"));
  reloads = [];
  reloadStatus = 200;
  reloadServer = await serve(
    createServer((request, response) => {
      reloads.push(`${request.method ?? ""} ${request.url ?? ""}`);
      response.writeHead(reloadStatus).end("no");
    }),
  );
});

afterEach(async () => {
  await server.close();
  await reloadServer.close();
  rmSync(folder, { recursive: true, force: true });
});

const json = async (method: string, path: string, body?: unknown) => {
  const options = body === undefined ? {} : { body: JSON.stringify(body) };
  const { status, text } = await send(server.url, method, path, options);
  return { status, body: /^[[{]/.test(text) ? (JSON.parse(text) as unknown) : text };
};

const reloadAddress = (): string => `127.0.0.1:${String(reloadServer.port)}`;

describe("the rule API", () => {
  const start = async (restrictQueries = false) => {
    const options = {
      rulesDir: folder,
      prometheusURL: reloadAddress(),
      multitenantLabel: "networkID",
      restrictQueries,
    };
    server = await serve(ruleApi(options));
  };
  const fileOf = (tenant: string): unknown => load(readFileSync(join(folder, `${tenant}_rules.yml`), "utf8"));
  const alert = { alert: "Down", expr: "up == 0", for: "5m", labels: { severity: "page" }, annotations: { a: "b" } };

  test("answers at / and tells its tenancy", async () => {
    await start(true);
    expect(await json("GET", "/")).toMatchObject({ status: 200 });
    expect(await json("GET", "/v1/tenancy")).toStrictEqual({
      status: 200,
      body: { restrictor_label: "networkID", restrict_queries: true },
    });
  });

  test("a new rule stands in the tenant's file, one group of its name, with the tenant's label forced, and is reloaded", async () => {
    await start();
    expect(await json("GET", "/v1/t1/alert")).toStrictEqual({ status: 200, body: [] });
    const labels = { severity: "page", networkID: "somebody-else" };
    expect(await json("POST", "/v1/t1/alert", { ...alert, labels })).toMatchObject({ status: 200, body: "" });
    expect(reloads).toStrictEqual(["POST /-/reload"]);
    const rule = { ...alert, labels: { severity: "page", networkID: "t1" } };
    expect(fileOf("t1")).toStrictEqual({ groups: [{ name: "t1", rules: [rule] }] });
    expect(readFileSync(join(folder, "t1_rules.yml"), "utf8")).toMatch(/^groups:\n +- name: t1\n/);
    expect(await json("GET", "/v1/t1/alert")).toStrictEqual({ status: 200, body: [rule] });
    expect(await json("GET", "/v1/t1/alert?alert_name=Down")).toStrictEqual({ status: 200, body: [rule] });
    expect(await json("GET", "/v1/t1/alert?alert_name=Up")).toMatchObject({ status: 500 });
    expect(readdirSync(folder)).toStrictEqual(["t1_rules.yml"]);
  });

  test("an existing name is refused with 400, and so is what is invalid; nothing is written", async () => {
    await start();
    await json("POST", "/v1/t1/alert", alert);
    const before = fileOf("t1");
    for (const body of [
      alert,
      { alert: "A", expr: "sum(" },
      { alert: "A" },
      { expr: "up" },
      { alert: "A", record: "b", expr: "up" },
      { alert: "A", expr: "up", for: "soon" },
      { alert: "A", expr: "up", labels: { "no-label": "x" } },
      { record: "no-name", expr: "up" },
      { alert: "A", expr: "up @ 1600000000" },
    ]) {
      const { status, body: answer } = await json("POST", "/v1/t1/alert", body);
      expect(status, JSON.stringify(body)).toBe(400);
      expect(answer).toHaveProperty("message");
    }
    expect(fileOf("t1")).toStrictEqual(before);
  });

  test("trap: after a failed reload the rule stays, and a second try is refused", async () => {
    await start();
    reloadStatus = 503;
    const { status, body } = await json("POST", "/v1/t1/alert", alert);
    expect(status).toBe(500);
    expect(JSON.stringify(body)).toContain("error reloading prometheus (status 503)");
    expect(existsSync(join(folder, "t1_rules.yml"))).toBe(true);
    reloadStatus = 200;
    expect(await json("POST", "/v1/t1/alert", alert)).toMatchObject({ status: 400 });
    expect(await json("PUT", "/v1/t1/alert/Down", alert)).toMatchObject({ status: 204 });
  });

  test("only 200 is a successful reload", async () => {
    await start();
    reloadStatus = 204;
    expect(await json("POST", "/v1/t1/alert", alert)).toMatchObject({ status: 500 });
  });

  test("rules are changed and deleted by name", async () => {
    await start();
    await json("POST", "/v1/t1/alert", alert);
    expect(await json("PUT", "/v1/t1/alert/Up", alert)).toMatchObject({ status: 400 });
    expect(await json("PUT", "/v1/t1/alert/Down", { alert: "Down", expr: "up < 1" })).toMatchObject({ status: 204 });
    expect(fileOf("t1")).toMatchObject({ groups: [{ rules: [{ alert: "Down", expr: "up < 1" }] }] });
    expect(await json("DELETE", "/v1/t1/alert/Up")).toMatchObject({ status: 500 });
    expect(await json("DELETE", "/v1/t1/alert/Down")).toMatchObject({ status: 204 });
    expect(fileOf("t1")).toStrictEqual({ groups: [{ name: "t1", rules: [] }] });
  });

  test("in bulk, rules are created and updated", async () => {
    await start();
    await json("POST", "/v1/t1/alert", alert);
    const { status, body } = await json("POST", "/v1/t1/alert/bulk", [alert, { alert: "New", expr: "up" }]);
    expect(status).toBe(200);
    expect(body).toStrictEqual({ Errors: {}, Statuses: { Down: "updated", New: "created" } });
  });

  test("trap: a tenant has one recording rule, because only alerts have names for it", async () => {
    await start();
    expect(await json("POST", "/v1/t1/alert", { record: "a:b", expr: "up" })).toMatchObject({ status: 200 });
    expect(await json("POST", "/v1/t1/alert", { record: "c:d", expr: "up" })).toMatchObject({ status: 400 });
  });

  test("trap: fields that it does not know are lost", async () => {
    await start();
    writeFileSync(
      join(folder, "t1_rules.yml"),
      "groups:\n- name: t1\n  limit: 5\n  rules:\n  - {alert: Old, expr: up, keep_firing_for: 5m}\n",
    );
    await json("POST", "/v1/t1/alert", alert);
    expect(JSON.stringify(fileOf("t1"))).not.toMatch(/keep_firing_for|limit/);
  });

  test.each([
    ["up == 0", 'up{networkID="t1"} == 0'],
    ['sum by (a) (rate(x{a="b"}[5m])) / y', 'sum by(a) (rate(x{a="b",networkID="t1"}[5m])) / y{networkID="t1"}'],
    ['{networkID="t2",__name__="x"}', '{networkID="t1",__name__="x"}'],
    ['x{networkID!="t2"}', 'x{networkID!="t1"}'],
  ])("with restricted queries %s sees the tenant's own series only", async (expr, expected) => {
    await start(true);
    await json("POST", "/v1/t1/alert", { alert: "A", expr });
    const { groups } = fileOf("t1") as { groups: { rules: { expr: string }[] }[] };
    // Upstream writes expressions anew, with other spaces.
    const plain = (text: string | undefined) => text?.replaceAll(/\s/g, "");
    expect(plain(groups[0]?.rules[0]?.expr)).toBe(plain(expected));
  });
});

describe("the API for Alertmanager's configuration", () => {
  const conf = (): string => join(folder, "alertmanager.yml");
  const content = (): unknown => load(readFileSync(conf(), "utf8"));
  const receiver = { name: "ops", webhook_configs: [{ url: "http://example.org/hook" }] };
  const route = { receiver: "t1_tenant_base_route", routes: [{ receiver: "ops", match: { severity: "page" } }] };

  beforeEach(async () => {
    writeFileSync(conf(), "route:\n  receiver: none\nreceivers:\n- name: none\ntime_intervals: []\n");
    const options = {
      conf: conf(),
      alertmanagerURL: reloadAddress(),
      multitenantLabel: "networkID",
      deleteRoutes: true,
    };
    server = await serve(alertmanagerApi(options));
  });

  test("answers at / and tells its tenancy", async () => {
    expect(await json("GET", "/")).toMatchObject({ status: 200 });
    expect(await json("GET", "/v1/tenancy")).toMatchObject({ body: { restrictor_label: "networkID" } });
  });

  test("a tenant's receiver and route stand under the tenant's name, behind the tenant's label", async () => {
    expect(await json("POST", "/v1/t1/receiver", receiver)).toMatchObject({ status: 200 });
    expect(await json("POST", "/v1/t1/route", route)).toMatchObject({ status: 200 });
    expect(content()).toStrictEqual({
      route: {
        receiver: "none",
        routes: [
          {
            receiver: "t1_tenant_base_route",
            match: { networkID: "t1" },
            routes: [{ receiver: "t1_ops", match: { severity: "page" } }],
          },
        ],
      },
      receivers: [{ name: "none" }, { ...receiver, name: "t1_ops" }, { name: "t1_tenant_base_route" }],
      templates: [],
    });
    expect(reloads).toStrictEqual(["POST /-/reload", "POST /-/reload"]);
    expect(await json("GET", "/v1/tenants")).toMatchObject({ body: ["t1"] });
    expect(await json("GET", "/v1/t1/receiver")).toMatchObject({ body: [receiver] });
    expect(await json("GET", "/v1/t2/receiver")).toMatchObject({ body: [] });
    expect(await json("GET", "/v1/t1/route")).toMatchObject({ body: { ...route, match: { networkID: "t1" } } });
    expect(await json("POST", "/v1/t1/route", route)).toMatchObject({ status: 200 });
  });

  test("what would not load is refused with 400 and not written", async () => {
    await json("POST", "/v1/t1/receiver", receiver);
    const before = content();
    expect(await json("POST", "/v1/t1/receiver", receiver)).toMatchObject({ status: 400 });
    expect(await json("POST", "/v1/t2/route", route)).toMatchObject({ status: 400 });
    const nowhere = { receiver: "t1_tenant_base_route", routes: [{ receiver: "nobody" }] };
    expect(await json("POST", "/v1/t1/route", nowhere)).toMatchObject({ status: 400 });
    expect(content()).toStrictEqual(before);
  });

  test("a receiver is changed, and goes with the routes to it", async () => {
    await json("POST", "/v1/t1/receiver", receiver);
    await json("POST", "/v1/t1/route", route);
    expect(await json("PUT", "/v1/t1/receiver/ops", { name: "ops" })).toMatchObject({ status: 200 });
    expect(await json("GET", "/v1/t1/receiver/ops")).toMatchObject({ body: { name: "ops" } });
    expect(await json("DELETE", "/v1/t1/receiver/ops")).toMatchObject({ status: 200 });
    expect(JSON.stringify(content())).not.toContain("t1_ops");
    expect(await json("DELETE", "/v1/t1/receiver/ops")).toMatchObject({ status: 400 });
  });

  test("global settings are changed; trap: a failed reload answers 500 and the change stays", async () => {
    reloadStatus = 500;
    expect(await json("POST", "/v1/global", { resolve_timeout: "1m" })).toMatchObject({ status: 500 });
    expect(await json("GET", "/v1/global")).toMatchObject({ status: 200, body: { resolve_timeout: "1m" } });
  });
});
