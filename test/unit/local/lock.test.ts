import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { withLock } from "../../../local/toolchain/lock";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lock-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe("the build lock", () => {
  it("lets one build run at a time", async () => {
    const file = join(folder, "build.lock");
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 20));
      inside -= 1;
    };
    await Promise.all([withLock(file, work), withLock(file, work), withLock(file, work)]);
    expect(most).toBe(1);
    expect(existsSync(file)).toBe(false);
  });

  it("is taken over from a process that died", async () => {
    const file = join(folder, "build.lock");
    // Process ids end far below this number (kernel.pid_max is at most 4,194,304).
    writeFileSync(file, "99999999");
    expect(await withLock(file, () => Promise.resolve("built"))).toBe("built");
  });

  it("is free again after a build that failed", async () => {
    const file = join(folder, "build.lock");
    await expect(withLock(file, () => Promise.reject(new Error("no disk")))).rejects.toThrow("no disk");
    expect(existsSync(file)).toBe(false);
  });
});
