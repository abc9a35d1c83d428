import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toYaml } from "../../../../components/kit/yaml";
import { CaughtUp } from "../../../../services/gate/caught-up";
import { realTools } from "../../components/rules/real-tools";
import { serve, type TestServer } from "../http-helpers";

const { prometheus } = realTools;

let folder: string;
let hub: TestServer;
let port: number;
let child: ChildProcess | undefined;
let scrapes = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "caught-up-"));
  hub = await serve(
    createServer((_, response) => {
      scrapes += 1;
      response.writeHead(200, { "content-type": "text/plain; charset=UTF-8" });
      response.end(`pushed{gatewayID="g"} ${String(scrapes)} ${String(Date.now())}\n`);
    }),
  );
  const free = await serve(createServer());
  port = free.port;
  await free.close();
  const target = { static_configs: [{ targets: [`127.0.0.1:${String(hub.port)}`] }] };
  writeFileSync(
    join(folder, "prometheus.yaml"),
    toYaml({ global: { scrape_interval: "4s" }, scrape_configs: [{ job_name: "hub", ...target }] }),
  );
});
afterAll(async () => {
  child?.kill("SIGKILL");
  await hub.close();
  rmSync(folder, { recursive: true, force: true });
});

const upstream = () => `http://127.0.0.1:${String(port)}`;

/** Starts Prometheus on the folder's data and waits until it says itself that it is ready. */
async function start(): Promise<void> {
  const flags = [
    `--config.file=${join(folder, "prometheus.yaml")}`,
    `--storage.tsdb.path=${join(folder, "data")}`,
    `--web.listen-address=127.0.0.1:${String(port)}`,
  ];
  child = spawn(prometheus ?? "", flags, { stdio: "ignore" });
  for (let waited = 0; waited < 600; waited += 1) {
    const status = await fetch(`${upstream()}/-/ready`).then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 200) return;
    await sleep(50);
  }
  throw new Error("Prometheus did not become ready");
}

async function killed(): Promise<void> {
  const ended = new Promise((resolve) => child?.once("exit", resolve));
  child?.kill("SIGKILL");
  await ended;
}

describe.skipIf(prometheus === undefined)("a real Prometheus", () => {
  it("is ready at once when it is new, and after a restart once it has scraped its hub", async () => {
    const caughtUp = new CaughtUp({ upstream: upstream(), pool: "hub" });
    await start();
    expect(await caughtUp.reason()).toBeUndefined();
    while (scrapes < 2) await sleep(100);
    await killed();
    expect(await caughtUp.reason()).toBeUndefined();
    const before = scrapes;
    await start();
    const reasons: (string | undefined)[] = [];
    do {
      reasons.push(await caughtUp.reason());
      if (scrapes === before) expect(reasons.at(-1)).toBe("waiting for the first scrape of hub");
      await sleep(50);
    } while (reasons.at(-1) !== undefined);
    expect(reasons.length).toBeGreaterThan(1);
    expect(scrapes).toBeGreaterThan(before);
    expect(reasons.length).toBeLessThan(400);
  });
});
