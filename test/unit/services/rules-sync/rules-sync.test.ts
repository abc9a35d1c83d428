import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { postReload, Reloader } from "../../../../services/rules-sync/reloader";
import { SyncMetrics } from "../../../../services/rules-sync/sync-metrics";
import { contentOf } from "../../../../services/rules-sync/watched";
import { Bundled } from "../bundled";
import { serve, type TestServer } from "../http-helpers";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rules-sync-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Writes files the way kubelet mounts a ConfigMap: plain names lead through one link that is turned at once. */
function mount(version: string, files: Readonly<Record<string, string>>): void {
  const data = `..${version}`;
  mkdirSync(join(folder, data));
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, data, name), text);
    rmSync(join(folder, name), { force: true });
    symlinkSync(join("..data", name), join(folder, name));
  }
  symlinkSync(data, join(folder, "..new"));
  renameSync(join(folder, "..new"), join(folder, "..data"));
}

describe("what is watched", () => {
  test("changes with a name or a content, and with nothing else", () => {
    mount("1", { "a.yaml": "x" });
    const first = contentOf([folder]);
    expect(contentOf([folder])).toBe(first);
    mount("2", { "a.yaml": "y" });
    const second = contentOf([folder]);
    expect(second).not.toBe(first);
    mount("3", { "a.yaml": "x" });
    expect(contentOf([folder])).toBe(first);
    writeFileSync(join(folder, "b.yaml"), "");
    expect(contentOf([folder])).not.toBe(first);
  });

  test("of several folders all count; a missing one is an error", () => {
    const other = join(folder, "other");
    mkdirSync(other);
    const before = contentOf([folder, other]);
    writeFileSync(join(other, "a"), "");
    expect(contentOf([folder, other])).not.toBe(before);
    expect(() => contentOf([join(folder, "missing")])).toThrow("ENOENT");
  });
});

describe("the reloader", () => {
  test("reloads at the first look, then only on change, and again until it is accepted", async () => {
    let content = "1";
    let refuses = false;
    const reloaded: string[] = [];
    const metrics = new SyncMetrics();
    const reloader = new Reloader({
      content: () => content,
      reload: () => {
        reloaded.push(content);
        return refuses ? Promise.reject(new Error("bad rule")) : Promise.resolve();
      },
      metrics,
    });
    expect(await reloader.check()).toBe(true);
    expect(await reloader.check()).toBe(true);
    expect(reloaded).toStrictEqual(["1"]);
    content = "2";
    refuses = true;
    expect(await reloader.check()).toBe(false);
    expect(metrics.all.render()).toContain("rules_sync_up_to_date 0\n");
    refuses = false;
    expect(await reloader.check()).toBe(true);
    expect(reloaded).toStrictEqual(["1", "2", "2"]);
    const rendered = metrics.all.render();
    expect(rendered).toContain('rules_sync_reloads_total{result="success"} 2\n');
    expect(rendered).toContain('rules_sync_reloads_total{result="failure"} 1\n');
    expect(rendered).toContain("rules_sync_up_to_date 1\n");
  });

  test("what can't be read is a failure, not an end", async () => {
    const reloader = new Reloader({
      content: () => contentOf([join(folder, "missing")]),
      reload: () => Promise.resolve(),
      metrics: new SyncMetrics(),
    });
    expect(await reloader.check()).toBe(false);
  });
});

describe("POST /-/reload", () => {
  let server: TestServer;
  let status = 200;
  beforeEach(async () => {
    status = 200;
    server = await serve(
      createServer((request, response) => {
        response.writeHead(request.method === "POST" && request.url === "/-/reload" ? status : 404);
        if (status !== 0) response.end("loading rules: bad rule\n");
      }),
    );
  });
  afterEach(() => server.close());

  test("200 is success; anything else is an error with the program's reason", async () => {
    await expect(postReload(`${server.url}/-/reload`, 5_000)).resolves.toBeUndefined();
    status = 500;
    await expect(postReload(`${server.url}/-/reload`, 5_000)).rejects.toThrow("500: loading rules: bad rule");
    await expect(postReload(`${server.url}/other`, 5_000)).rejects.toThrow("404");
    await server.close();
    await expect(postReload(`${server.url}/-/reload`, 5_000)).rejects.toThrow("ECONNREFUSED");
  });

  test("a program that does not answer is given up", async () => {
    const silent = await serve(createServer(() => undefined));
    await expect(postReload(`${silent.url}/-/reload`, 100)).rejects.toThrow("no answer within 100 ms");
    await silent.close();
  });
});

describe("the subcommand", () => {
  let services: Bundled;
  beforeAll(() => {
    services = new Bundled();
  });
  afterAll(() => {
    services.remove();
  });
  const start = (...args: readonly string[]): ChildProcess =>
    spawn(process.execPath, [services.path, "rules-sync", ...args], { stdio: ["ignore", "ignore", "pipe"] });

  test("reloads when a file changes and ends on SIGTERM", async () => {
    let reloads = 0;
    const server = await serve(
      createServer((_, response) => {
        reloads += 1;
        response.end();
      }),
    );
    const until = async (count: number) => {
      for (let look = 0; look < 200 && reloads < count; look++) await new Promise((resolve) => setTimeout(resolve, 50));
      expect(reloads).toBe(count);
    };
    writeFileSync(join(folder, "a.yaml"), "1");
    const child = start(
      ...[
        "--watch",
        folder,
        "--reload",
        `${server.url}/-/reload`,
        "--ops",
        "127.0.0.1:0",
        "--interval-milliseconds",
        "50",
      ],
    );
    const ended = new Promise((resolve) => child.once("exit", resolve));
    await until(1);
    writeFileSync(join(folder, "a.yaml"), "2");
    await until(2);
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
    await server.close();
  });

  test.each([
    [["--reload", "http://127.0.0.1:1/-/reload"], "--watch is missing"],
    [["--watch", ",", "--reload", "http://127.0.0.1:1/-/reload"], "--watch: names no folder"],
    [["--watch", "/x", "--reload", "127.0.0.1:1"], "--reload: 127.0.0.1:1: must be a URL"],
  ])("%j is refused", async (args, message) => {
    const child = start(...args);
    let text = "";
    child.stderr?.on("data", (chunk: Buffer) => (text += chunk.toString()));
    expect(await new Promise((resolve) => child.once("exit", resolve))).toBe(2);
    expect(text).toContain(message);
  });
});
