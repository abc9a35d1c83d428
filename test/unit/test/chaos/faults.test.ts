import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readingsOf, risen } from "../../../e2e/chaos/exposition";
import { dropRule } from "../../../e2e/chaos/faults";
import { selectorOf } from "../../../e2e/chaos/pods";
import { containerIdOf, isInContainer, processesOf, signalAll } from "../../../e2e/chaos/processes";
import { chosenFaults, faultNames } from "../../../faults";

const id = "1d4683ac68c59af3b2296ebeed7f71d940348e39f2aa4d22783da131a1c1d963";
const other = id.replaceAll("1", "2");

describe("the processes of a container", () => {
  let proc = "";

  beforeEach(() => {
    proc = mkdtempSync(join(tmpdir(), "proc-"));
  });

  afterEach(() => {
    rmSync(proc, { recursive: true });
  });

  function add(pid: string, cgroup: string): void {
    mkdirSync(join(proc, pid));
    writeFileSync(join(proc, pid, "cgroup"), cgroup);
  }

  test("are those of its cgroup, in version 1 and 2 and under either driver, and nobody else's", () => {
    add("300", `9:pids:/scaled-prometheus/kubepods/burstable/pod6265f3dd/${id}\n0::/scaled-prometheus/x\n`);
    add("20", `0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-${id}.scope\n`);
    add("21", `0::/scaled-prometheus/kubepods/burstable/pod6265f3dd/${other}\n`);
    add("1", "0::/init.scope\n");
    mkdirSync(join(proc, "40"));
    mkdirSync(join(proc, "self"));
    expect(processesOf(id, proc)).toEqual([20, 300]);
  });

  test("are asked for by a whole id only: a part of one might be somebody else's", () => {
    expect(containerIdOf(`containerd://${id}`)).toBe(id);
    for (const text of ["", id, "containerd://", `containerd://${id.slice(1)}`]) {
      expect(() => containerIdOf(text)).toThrow("no id of a running container");
    }
    expect(() => isInContainer("0::/", "")).toThrow("no id of a container");
  });

  test("stop and go on by signals; those that have ended don't matter", async () => {
    const child = spawn("sleep", ["60"], { stdio: "ignore" });
    const { pid = 0 } = child;
    const state = (): string => /^State:\s+(\S)/m.exec(readFileSync(`/proc/${String(pid)}/status`, "utf8"))?.[1] ?? "";
    const ended = new Promise<string | null>((resolve) => child.on("close", (_code, signal) => resolve(signal)));
    try {
      signalAll([pid], "SIGSTOP");
      await expect.poll(state).toBe("T");
      signalAll([pid], "SIGCONT");
      await expect.poll(state).toBe("S");
    } finally {
      signalAll([pid], "SIGKILL");
    }
    expect(await ended).toBe("SIGKILL");
    expect(() => signalAll([pid], "SIGKILL")).not.toThrow();
  });
});

test("a cut drops what goes to one address, in the pod's own network namespace, and is undone by the same rule", () => {
  const made = dropRule(42, "-I", "10.96.0.7");
  expect(made.slice(0, 3)).toEqual(["nsenter", "--net=/proc/42/ns/net", "iptables"]);
  expect(made.join(" ")).toContain("-I OUTPUT -d 10.96.0.7/32 -j DROP");
  expect(dropRule(42, "-D", "10.96.0.7")).toEqual(made.map((word) => (word === "-I" ? "-D" : word)));
});

test("parts are found by the labels that the program gives them", () => {
  expect(selectorOf({ component: "exporter" })).toBe("app.kubernetes.io/name=exporter");
  expect(selectorOf({ component: "hub", shard: 1, replica: "b" })).toBe(
    "app.kubernetes.io/name=hub,scaled-prometheus/shard=1,scaled-prometheus/replica=b",
  );
});

describe("what a fault has raised", () => {
  const readings = (values: Readonly<Record<string, string>>) =>
    new Map(Object.entries(values).map(([pod, text]) => [pod, readingsOf(text)] as const));

  test("is the growth of counters over all pods; new pods and new processes count from 0", () => {
    const before = readings({ a: '# TYPE x counter\nx{reason="full"} 3\ny 1\n', b: "x 10\n", gone: "x 100\n" });
    const after = readings({ a: 'x{reason="full"} 5\ny 9\n', b: "x 1\n", c: "x 4\n" });
    expect(risen(before, after, /^x/)).toBe(2 + 1 + 4);
    expect(risen(before, after, /^x\{.*full/)).toBe(2);
    expect(risen(after, after, /./)).toBe(0);
  });
});

describe("make chaos", () => {
  test("runs the short faults in the short form, all in the long one, and those that ONLY names", () => {
    const short = chosenFaults("", "short").map(({ name }) => name);
    expect(short).toEqual(["hub-killed", "hubs-killed", "hub-hung", "exporters-restarted"]);
    expect(chosenFaults("", "long")).toEqual(faultNames);
    expect(chosenFaults("hub-full, hub-hung", "short").map(({ name }) => name)).toEqual(["hub-hung", "hub-full"]);
  });

  test("refuses an unknown fault and lists them", () => {
    expect(() => chosenFaults("hub-ful", "long")).toThrow(/ONLY=hub-ful: there is no such fault[\s\S]*hub-full/);
  });
});
