import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const folder = join(__dirname, "../../../../services/exporter/go");

function go(...args: readonly string[]): { readonly status: number | null; readonly output: string } {
  // The standard library is all it needs: nothing may be fetched.
  const env = { ...process.env, GOFLAGS: "-mod=mod", GOPROXY: "off" };
  const { status, stdout, stderr } = spawnSync("go", args, { cwd: folder, env, encoding: "utf8" });
  return { status, output: `${stdout}${stderr}` };
}

const isThere = go("version").status === 0;
const isRequired = process.env["REQUIRE_CHECKERS"] === "1";

/** The second implementation of RING.md. Without Go it is passed over, except where every checker is required. */
describe.skipIf(!isThere && !isRequired)("services/exporter/go", () => {
  it.each([["vet"], ["test"]])("go %s passes", (command) => {
    const { status, output } = go(command, "./...");
    expect(output).not.toContain("FAIL");
    expect(status, output).toBe(0);
  });
});
