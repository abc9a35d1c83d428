import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Consumers } from "../../../../services/config-manager/consumers";
import { Puller } from "../../../../services/config-manager/puller";
import { parseRuleSet, readRuleSet, settledRuleSet, versionOf } from "../../../../services/config-manager/rule-set";
import { RuleStore, withGroupLabels } from "../../../../services/config-manager/rule-store";
import { RulesServer } from "../../../../services/config-manager/rules-server";
import { seed } from "../../../../services/config-manager/seed-command";
import { Refused, rulerTarget, type Target } from "../../../../services/config-manager/targets";
import { send, serve, type TestServer } from "../http-helpers";

let folder = "";
let rules = "";
let opened: TestServer[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "config-manager-"));
  rules = join(folder, "rules");
  mkdirSync(rules);
  opened = [];
});
afterEach(async () => {
  await Promise.all(opened.map((server) => server.close()));
  rmSync(folder, { recursive: true, force: true });
});

const put = (name: string, text: string): void => writeFileSync(join(rules, name), text);

/** A program that refuses files with "bad" in them. */
class FakeProgram implements Target {
  ready = true;
  reachable = true;
  runs: Readonly<Record<string, string>> = {};
  asked = 0;

  isReady(): Promise<boolean> {
    return Promise.resolve(this.ready);
  }

  expectChange(): Promise<(files: Readonly<Record<string, string>>) => Promise<void>> {
    return Promise.resolve((files) => {
      this.asked += 1;
      if (!this.reachable) return Promise.reject(new Error("connection refused"));
      if (Object.values(files).some((text) => text.includes("bad"))) return Promise.reject(new Refused("it is bad"));
      this.runs = files;
      return Promise.resolve();
    });
  }
}

interface Part {
  readonly puller: Puller;
  readonly program: FakeProgram;
  readonly store: RuleStore;
}

async function pipeline(names: readonly string[], reloadTimeout = 300) {
  const consumers = new Consumers(names);
  const server = new RulesServer({ read: () => settledRuleSet(rules, 1), consumers, reloadTimeout });
  const pulls = await serve(server.pullServer());
  const reload = await serve(server.reloadServer());
  opened.push(pulls, reload);
  const part = (name: string): Part => {
    const program = new FakeProgram();
    const store = new RuleStore(join(folder, name));
    const puller = new Puller({ name, url: `${pulls.url}/rules`, store, target: program, labels: {} });
    return { puller, program, store };
  };
  return { server, pulls, reload, part };
}

describe("a set of rules", () => {
  test("holds the rule files only, and its version changes with a name or a text", () => {
    put("t1_rules.yml", "a");
    put("notes.txt", "x");
    put(".hidden_rules.yml", "x");
    mkdirSync(join(rules, "lost+found"));
    const first = readRuleSet(rules);
    expect(first.files).toStrictEqual({ "t1_rules.yml": "a" });
    put("t2_rules.yml", "a");
    expect(readRuleSet(rules).version).not.toBe(first.version);
  });

  test.each([
    ["cut off", (text: string) => text.slice(0, -20)],
    ["altered", (text: string) => text.replace("expr", "other")],
    ["with a name that leads elsewhere", () => JSON.stringify({ version: "x", files: { "../a_rules.yml": "" } })],
    ["of another kind", () => "[]"],
  ])("is refused %s", (_what, broken) => {
    const files = { "t1_rules.yml": "expr: 1" };
    const text = JSON.stringify({ version: versionOf(files), files });
    expect(parseRuleSet(text).files).toStrictEqual(files);
    expect(() => parseRuleSet(broken(text))).toThrow();
  });

  test("gets labels for all its rules, in the form that prometheus-configmanager writes", () => {
    const written = 'groups:\n    - name: t1\n      rules:\n        - record: x\n          expr: "1"\n';
    expect(withGroupLabels(written, { cluster: "main", shard: "0" })).toBe(
      'groups:\n    - name: t1\n      labels: {"cluster": "main", "shard": "0"}\n      rules:\n        - record: x\n          expr: "1"\n',
    );
    expect(withGroupLabels(written, {})).toBe(written);
    expect(withGroupLabels("{}", { a: "b" })).toBe("{}");
  });
});

describe("the reload", () => {
  test("answers 200 when every consumer runs with what is on disk, and never before", async () => {
    const { server, reload, part } = await pipeline(["ruler-0", "ruler-1"], 5_000);
    const [first, second] = [part("ruler-0"), part("ruler-1")];
    put("t1_rules.yml", "groups: []");
    await server.refresh();
    await Promise.all([first.puller.look(), second.puller.look()]);
    put("t1_rules.yml", "groups: [1]");
    let status = 0;
    const answered = send(reload.url, "POST", "/-/reload").then((answer) => (status = answer.status));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await first.puller.look();
    expect(status).toBe(0);
    await second.puller.look();
    await answered;
    expect(status).toBe(200);
    expect(second.program.runs).toStrictEqual({ "t1_rules.yml": "groups: [1]" });
  });

  test("answers 500 in bounded time with the names of those that have not, and why", async () => {
    const { server, reload, part } = await pipeline(["ruler-0", "ruler-1", "ruler-2"]);
    const [first, second] = [part("ruler-0"), part("ruler-1")];
    await server.refresh();
    await first.puller.look();
    second.program.reachable = false;
    put("t1_rules.yml", "groups: []");
    const answered = send(reload.url, "POST", "/-/reload");
    await new Promise((resolve) => setTimeout(resolve, 50));
    await Promise.all([first.puller.look(), second.puller.look()]);
    const { status, text } = await answered;
    expect(status).toBe(500);
    expect(text).not.toContain("ruler-0");
    expect(text).toMatch(/^ruler-1 has not taken the rules within 300 ms; it asked \d+ s ago$/m);
    expect(text).toMatch(/^ruler-2 has never asked for the rules$/m);
  });

  test("does not wait for a consumer that refuses, and tells its reason", async () => {
    const { server, reload, part } = await pipeline(["ruler-0"], 60_000);
    const { puller } = part("ruler-0");
    await server.refresh();
    put("t1_rules.yml", "bad");
    const answered = send(reload.url, "POST", "/-/reload");
    await new Promise((resolve) => setTimeout(resolve, 50));
    await puller.look();
    expect(await answered).toMatchObject({
      status: 500,
      text: "ruler-0 refused the rules: t1_rules.yml: it is bad\n",
    });
  });

  test("is fulfilled by a later version too", async () => {
    const consumers = new Consumers(["a"]);
    consumers.publish("1");
    consumers.publish("2");
    consumers.report("a", { active: "2" });
    expect(await consumers.settled("1", 10)).toStrictEqual([]);
    consumers.publish("1");
    expect(await consumers.settled("1", 10)).toHaveLength(1);
  });

  test("strangers get no rules", async () => {
    const { pulls, reload } = await pipeline(["ruler-0"]);
    expect((await send(pulls.url, "GET", "/rules?consumer=me")).status).toBe(403);
    expect((await send(pulls.url, "POST", "/rules?consumer=ruler-0")).status).toBe(404);
    // Not even a URL.
    expect((await send(pulls.url, "GET", "//")).status).toBe(404);
    expect((await send(reload.url, "GET", "/-/reload")).status).toBe(404);
  });
});

describe("the puller", () => {
  test("takes back only the files that are refused, and keeps what they were", async () => {
    const { server, part } = await pipeline(["ruler-0"]);
    const { puller, program, store } = part("ruler-0");
    put("a_rules.yml", "a1");
    put("b_rules.yml", "b1");
    put("gone_rules.yml", "x");
    await server.refresh();
    await puller.look();
    rmSync(join(rules, "gone_rules.yml"));
    put("a_rules.yml", "bad");
    put("b_rules.yml", "b2");
    put("c_rules.yml", "c1");
    put("d_rules.yml", "bad too");
    await server.refresh();
    await puller.look();
    const good = { "a_rules.yml": "a1", "b_rules.yml": "b2", "c_rules.yml": "c1" };
    expect(program.runs).toStrictEqual(good);
    expect(store.read()).toStrictEqual(good);
    const asked = program.asked;
    await puller.look();
    expect(program.asked, "the same rules again").toBe(asked);
    put("a_rules.yml", "a2");
    put("d_rules.yml", "d1");
    await server.refresh();
    await puller.look();
    expect(program.runs["a_rules.yml"]).toBe("a2");
    expect(puller.metrics.render()).toContain("rules_puller_up_to_date 1");
  });

  test("keeps the last good copy while rules-server is away, or the program beside does not answer", async () => {
    const { server, pulls, part } = await pipeline(["ruler-0"]);
    const { puller, program, store } = part("ruler-0");
    put("a_rules.yml", "a1");
    await server.refresh();
    program.ready = false;
    await puller.look();
    expect(store.read(), "under a program that can't say no").toStrictEqual({});
    program.ready = true;
    await puller.look();
    put("a_rules.yml", "a2");
    await server.refresh();
    program.reachable = false;
    await puller.look();
    expect(store.read()).toStrictEqual({ "a_rules.yml": "a1" });
    await pulls.close();
    await puller.look();
    expect(store.read()).toStrictEqual({ "a_rules.yml": "a1" });
    expect(puller.metrics.render()).toContain("rules_puller_up_to_date 0");
    // A new pod finds it on the volume.
    expect(new RuleStore(join(folder, "ruler-0")).read()).toStrictEqual({ "a_rules.yml": "a1" });
  });

  test("a Ruler's 500 is a refusal, anything else may pass", async () => {
    let status = 200;
    const ruler = await serve(createServer((_, response) => response.writeHead(status).end("bad rule\n")));
    opened.push(ruler);
    const target = rulerTarget(ruler.url);
    const reloaded = async () => (await target.expectChange())({});
    await reloaded();
    expect(await target.isReady()).toBe(true);
    status = 500;
    await expect(reloaded()).rejects.toThrow(new Refused("bad rule"));
    status = 503;
    await expect(reloaded()).rejects.not.toBeInstanceOf(Refused);
    expect(await target.isReady()).toBe(false);
  });
});

describe("the seed", () => {
  test("is copied where there is nothing, and never again", () => {
    const [from, to] = [join(folder, "seed.yaml"), join(folder, "config", "alertmanager.yml")];
    writeFileSync(from, "one", { mode: 0o440 });
    expect(seed(from, to)).toBe(true);
    expect(statSync(to).mode & 0o777 & 0o600).toBe(0o600);
    writeFileSync(to, "changed over the API");
    expect(seed(from, to)).toBe(false);
    expect(readFileSync(to, "utf8")).toBe("changed over the API");
    expect(existsSync(`${to}.new`)).toBe(false);
  });
});
