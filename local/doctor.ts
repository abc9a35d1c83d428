import { existsSync, statfsSync } from "node:fs";
import { homedir, totalmem } from "node:os";
import { say } from "../tools/terminal";
import { clusterIsUp } from "./cluster/up";
import { missingPackages } from "./packages";
import { run } from "./process";
import { toolPath, toolVersion } from "./toolchain/build";
import { clientsToBuild, foundOnPath } from "./toolchain/clients";
import { checkerTools, clientTools, nodeTools, workloadTools } from "./toolchain/table";
import { targetOf } from "./target";

interface Finding {
  readonly what: string;
  readonly state: "ok" | "missing" | "later";
  readonly note: string;
}

async function goFinding(): Promise<Finding> {
  const printed = await run("go", ["version"]).catch(() => undefined);
  const match = printed === undefined ? null : /go(\d+)\.(\d+)/.exec(printed.stdout);
  const good = match !== null && (Number(match[1]) > 1 || Number(match[2]) >= 26);
  const note =
    match === null ? "needed to build the tools: install Go 1.26 or later" : `${match[0]}; at least 1.26 is needed`;
  return { what: "Go", state: good ? "ok" : "missing", note };
}

function nodeFinding(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const good = major > 20 || (major === 20 && minor >= 19);
  return {
    what: "Node.js",
    state: good ? "ok" : "missing",
    note: `${process.versions.node}; at least 20.19 is needed`,
  };
}

async function toolFindings(local: boolean): Promise<readonly Finding[]> {
  const toBuild = new Set((await clientsToBuild(true)).map((tool) => tool.name));
  const all = [...clientTools, ...checkerTools, ...(local ? [...nodeTools, ...Object.values(workloadTools)] : [])];
  const findings: Finding[] = [];
  for (const tool of all) {
    const onPath = await foundOnPath(tool.name);
    const isClient = [...clientTools, ...checkerTools].includes(tool);
    if (isClient && !toBuild.has(tool.name)) findings.push({ what: tool.name, state: "ok", note: "from PATH" });
    else if (existsSync(toolPath(tool))) findings.push({ what: tool.name, state: "ok", note: toolPath(tool) });
    else {
      const seen = onPath === undefined ? "" : `; ${onPath.version} on PATH is too old`;
      findings.push({ what: tool.name, state: "later", note: `${toolVersion(tool)} is built at first use${seen}` });
    }
  }
  return findings;
}

function machineFindings(): readonly Finding[] {
  const packages = missingPackages();
  const free = statfsSync(homedir());
  const gigabytes = Math.round((free.bavail * free.bsize) / 1e9);
  const memory = Math.round(totalmem() / 1e9);
  return [
    {
      what: "Linux and root",
      state: process.platform === "linux" && process.getuid?.() === 0 ? "ok" : "missing",
      note: "needed by the local cluster only; else set the variable KUBECONFIG",
    },
    {
      what: "Debian packages",
      state: packages.length === 0 ? "ok" : "later",
      note: packages.length === 0 ? "all there" : `apt-get installs at first use: ${packages.join(" ")}`,
    },
    {
      what: "disk",
      state: gigabytes >= 25 ? "ok" : "missing",
      note: `${String(gigabytes)} GB free; a first build needs 25`,
    },
    {
      what: "memory",
      state: memory >= 6 ? "ok" : "missing",
      note: `${String(memory)} GB; the dev stack and its node need 6`,
    },
  ];
}

/** Prints what is missing on this machine and how to get it; exit code 1 when something is. */
export async function doctor(): Promise<number> {
  const target = targetOf(undefined);
  say(`target: ${target.local ? "the local cluster" : "a cluster that runs already"} (${target.reason})`);
  const findings = [
    await goFinding(),
    nodeFinding(),
    ...(target.local ? machineFindings() : []),
    ...(await toolFindings(target.local)),
  ];
  for (const { what, state, note } of findings) say(`  ${state.padEnd(8)} ${what.padEnd(28)} ${note}`);
  if (target.local)
    say(`  ${(await clusterIsUp()) ? "running " : "stopped "} the local cluster; \`make cluster\` starts it`);
  return findings.some((each) => each.state === "missing") ? 1 : 0;
}
