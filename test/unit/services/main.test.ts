import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Bundled } from "./bundled";

let services: Bundled;

beforeAll(() => {
  services = new Bundled();
});
afterAll(() => {
  services.remove();
});

function run(...args: readonly string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [services.path, ...args], { encoding: "utf8" });
  return { code: status, out: stdout, err: stderr };
}

describe("services", () => {
  it("is a small bundle that needs node's built-ins only", () => {
    const text = readFileSync(services.path, "utf8");
    expect(text.length).toBeLessThan(450_000);
    const needed = [...text.matchAll(/\brequire\("([^"]+)"\)/g)].map((match) => match[1] ?? "");
    expect(needed.filter((name) => !isBuiltin(name))).toStrictEqual([]);
    expect(needed).toContain("node:http");
  });

  it("shows every program and flag with --help", () => {
    const { code, out } = run("--help");
    expect(code).toBe(0);
    expect(out).toContain("--config ");
    expect(out).toContain("--upstream ");
    expect(out).toContain("adapter: answers a root Querier for one shard");
    expect(run("exporter", "--help")).toMatchObject({ code: 0, out: expect.stringContaining("--listen") as string });
    expect(run("gate", "-h")).toMatchObject({ code: 0, out: expect.stringContaining("--upstream") as string });
  });

  it.each([
    [
      [],
      "error: no program given (adapter, config-seed, exporter, gate, placement, root-gate, rules-puller, rules-server, rules-sync, shipper-meta)\n",
    ],
    [
      ["toString"],
      "error: unknown program toString (adapter, config-seed, exporter, gate, placement, root-gate, rules-puller, rules-server, rules-sync, shipper-meta)\n",
    ],
    [["adapter"], "error: --config is missing: configuration file (JSON, model/adapter-config.ts); read once\n"],
    [["adapter", "--config", "/no/such"], "error: --config: /no/such: can't be read: ENOENT"],
    [["exporter"], "error: --config is missing: configuration file (JSON, model/exporter-config.ts); read once\n"],
    [["exporter", "--config", "/no/such"], "error: --config: /no/such: can't be read: ENOENT"],
    [
      ["gate", "--upstream", "https://x"],
      "error: --upstream: https://x: must be a base URL like http://127.0.0.1:9095",
    ],
    [["gate", "--listen", "9090"], "error: --listen: 9090: must be host:port\n"],
    [["gate", "--listen", ":70000"], "error: --listen: :70000: must be host:port\n"],
    [["gate", "--drain-delay-milliseconds", "-1"], "error: "],
    [["gate", "--nope"], "error: Unknown option '--nope'"],
  ] as const)("%j: one readable line and exit code 2", (args, message) => {
    const { code, err } = run(...args);
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(err).not.toContain("    at ");
  });

  it("names everything that is wrong with a configuration file", () => {
    const config = join(services.folder, "bad.json");
    writeFileSync(config, '{"version": "", "shards": []}');
    const { code, err } = run("exporter", "--config", config);
    expect(code).toBe(2);
    expect(err).toContain("exporter configuration has 16 problem(s)");
    expect(err).toContain("shards: []: must be a list of 1 to 64 entries");
    expect(run("adapter", "--config", config)).toMatchObject({
      code: 2,
      err: expect.stringContaining("error: adapter configuration has ") as string,
    });
  });
});
