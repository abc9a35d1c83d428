import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { toolPath } from "../../../../local/toolchain/build";
import { workloadTools } from "../../../../local/toolchain/table";

const folder = join(__dirname, "../../../../services/exporter/go");
const hub = toolPath(workloadTools.hub);
const isHubBuilt = existsSync(hub);

function go(...args: readonly string[]): { readonly status: number | null; readonly output: string } {
  // The standard library is all it needs: nothing may be fetched.
  const env = { ...process.env, GOPROXY: "off", GOFLAGS: "", EDGE_HUB: isHubBuilt ? hub : "" };
  const { status, stdout, stderr } = spawnSync("go", args, { cwd: folder, env, encoding: "utf8" });
  return { status, output: `${stdout}${stderr}` };
}

const isThere = go("version").status === 0;
const isRequired = process.env["REQUIRE_CHECKERS"] === "1";

/** The second implementation of RING.md. Without Go it is passed over, except where every checker is required. */
describe.skipIf(!isThere && !isRequired)("services/exporter/go", () => {
  it.each([["vet"], ["test", "-count=1"]])("go %s passes", (...command) => {
    const { status, output } = go(...command, "./...");
    expect(output).not.toContain("FAIL");
    expect(status, output).toBe(0);
  });

  it.skipIf(!isHubBuilt && !isRequired)("the example controller's pusher stores on real hubs", () => {
    const { status, output } = go("test", "-count=1", "-v", "-run", "TestPushToRealHubs", "./pusher");
    expect(status, output).toBe(0);
    expect(output).toContain("--- PASS: TestPushToRealHubs");
  });
});
