import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BUNDLE_LIMIT_BYTES, checkBundleSize, servicesBundle } from "../../../components/kit/bundle";

const ROOT = join(__dirname, "..", "..", "..");

describe("bundle of our own services", () => {
  const cache = mkdtempSync(join(tmpdir(), "bundle-"));
  const before = process.env["SCALED_PROMETHEUS_CACHE"];

  beforeAll(() => {
    process.env["SCALED_PROMETHEUS_CACHE"] = cache;
  });

  afterAll(() => {
    if (before === undefined) delete process.env["SCALED_PROMETHEUS_CACHE"];
    else process.env["SCALED_PROMETHEUS_CACHE"] = before;
    rmSync(cache, { recursive: true });
  });

  test("is the same bytes every time, small enough for a ConfigMap, and cached without leftovers", async () => {
    const first = await servicesBundle(ROOT);
    const [folder = ""] = readdirSync(join(cache, "services"));
    expect(readdirSync(join(cache, "services", folder))).toStrictEqual(["services.cjs"]);
    rmSync(join(cache, "services"), { recursive: true });
    expect(await servicesBundle(ROOT)).toBe(first);
    expect(() => {
      checkBundleSize(first);
    }).not.toThrow();
    expect(first).not.toContain(ROOT);
  });

  test("is taken from the cache when its sources have not changed", async () => {
    await servicesBundle(ROOT);
    const [folder = ""] = readdirSync(join(cache, "services"));
    const path = join(cache, "services", folder, "services.cjs");
    writeFileSync(path, "// from the cache\n");
    expect(await servicesBundle(ROOT)).toBe("// from the cache\n");
    rmSync(path);
  });

  test("is JavaScript that Node accepts as a file", async () => {
    await servicesBundle(ROOT);
    const [folder = ""] = readdirSync(join(cache, "services"));
    const path = join(cache, "services", folder, "services.cjs");
    expect(() => execFileSync(process.execPath, ["--check", path])).not.toThrow();
  });

  test("too large a bundle is an error", () => {
    expect(() => {
      checkBundleSize("x".repeat(BUNDLE_LIMIT_BYTES + 1));
    }).toThrow("services bundle is 900001 bytes; a ConfigMap must stay below 900000: import less in services/");
  });
});
