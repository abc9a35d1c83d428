import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import type { PortForwardOptions } from "../../../tools/port-forward";
import { PortForward } from "../../../tools/port-forward";

let directory = "";
let open: PortForward[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "forward-"));
  process.env["FAKE_LOG"] = join(directory, "log");
});

afterEach(async () => {
  for (const forward of open) await forward.close();
  open = [];
  delete process.env["FAKE_LOG"];
  delete process.env["FAKE_FAIL_ONCE"];
  delete process.env["FAKE_NEVER"];
  rmSync(directory, { recursive: true });
});

async function forwardTo(more: Partial<PortForwardOptions> = {}): Promise<PortForward> {
  const forward = await PortForward.open({
    target: { context: "here", namespace: "there" },
    resource: "svc/query",
    remotePort: 9090,
    program: join(__dirname, "fake-kubectl.cjs"),
    pauseMilliseconds: [10, 50],
    ...more,
  });
  open.push(forward);
  return forward;
}

const entrySchema = z.object({ pid: z.number(), args: z.array(z.string()) });

function starts(): readonly z.infer<typeof entrySchema>[] {
  const path = join(directory, "log");
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").trimEnd().split("\n");
  return lines.map((line) => entrySchema.parse(JSON.parse(line)));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within 20 s: ${what}`);
    await sleep(20);
  }
}

const answers = (forward: PortForward): Promise<boolean> =>
  fetch(forward.url).then(
    (response) => response.ok,
    () => false,
  );

describe("a port-forward", () => {
  test("is ready when the tunnel stands, on a loopback port of its own", async () => {
    const forward = await forwardTo();
    expect(forward.state).toBe("ready");
    expect(await (await fetch(forward.url)).text()).toMatch(/^pod \d+$/);
    expect(starts()[0]?.args).toEqual([
      ...["--context", "here", "--namespace", "there"],
      ...["port-forward", "--address", "127.0.0.1", "svc/query", `${String(forward.port)}:9090`],
    ]);
  });

  test("starts again on the same port when kubectl ends", async () => {
    const forward = await forwardTo();
    await fetch(`${forward.url}/die`).catch(() => undefined);
    await until("a new tunnel", async () => forward.restarts === 1 && (await answers(forward)));
    expect(starts()).toHaveLength(2);
    expect(starts()[1]?.args.at(-1)).toBe(`${String(forward.port)}:9090`);
  });

  test("starts again when kubectl stays but has lost its pod", async () => {
    const forward = await forwardTo();
    await fetch(`${forward.url}/lost`).catch(() => undefined);
    await until("a new tunnel", async () => forward.restarts === 1 && (await answers(forward)));
    await until("the old process gone", () => !isRunning(starts()[0]?.pid ?? 0));
  });

  test("keeps trying while the pod is not there yet", async () => {
    const marker = join(directory, "fail-once");
    writeFileSync(marker, "");
    process.env["FAKE_FAIL_ONCE"] = marker;
    const forward = await forwardTo();
    expect(forward.restarts).toBe(1);
    expect(await answers(forward)).toBe(true);
  });

  test("gives up after its time with kubectl's words, leaving nothing behind", async () => {
    process.env["FAKE_NEVER"] = "1";
    await expect(forwardTo({ readyMilliseconds: 1_500 })).rejects.toThrow(
      /no port-forward to svc\/query within 1.5 s: .*services "query" not found/,
    );
    await until("no process", () => starts().every(({ pid }) => !isRunning(pid)));
  });

  test("says so when the program is missing", async () => {
    await expect(forwardTo({ program: "/no/such/kubectl", readyMilliseconds: 300 })).rejects.toThrow(/not found/);
  });

  test("closes: the process is gone, nothing restarts, waiting is an error", async () => {
    const forward = await forwardTo();
    await forward.close();
    await sleep(100);
    expect(starts()).toHaveLength(1);
    await until("no process", () => !isRunning(starts()[0]?.pid ?? 0));
    expect(forward.state).toBe("closed");
    await expect(forward.waitReady(100)).rejects.toThrow(/is closed/);
  });

  test("kubectl ends with us, even when we are killed", async () => {
    const root = join(__dirname, "..", "..", "..");
    const options = {
      target: {},
      resource: "svc/query",
      remotePort: 9090,
      program: join(__dirname, "fake-kubectl.cjs"),
    };
    const script = `require("./tools/port-forward").PortForward.open(${JSON.stringify(options)}).then(() => console.log("ready"))`;
    const child = spawn("node", ["--require", "tsx/cjs", "--eval", script], { cwd: root });
    await new Promise<void>((resolve) => child.stdout.on("data", () => resolve()));
    const [{ pid } = { pid: 0 }] = starts();
    expect(isRunning(pid)).toBe(true);
    child.kill("SIGKILL");
    await until("no process", () => !isRunning(pid));
  });
});
