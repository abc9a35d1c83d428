import { existsSync } from "node:fs";
import { mustRun, run } from "../process";
import { settings } from "./settings";

function inside(command: readonly string[]): readonly string[] {
  return [`--net=/run/netns/${settings.networkNamespace}`, ...command];
}

/** Makes the network namespace: loopback and a bridge that carries the node's address; no link to the outside. */
export async function createNetwork(): Promise<void> {
  if (!existsSync(`/run/netns/${settings.networkNamespace}`)) {
    await mustRun("ip", ["netns", "add", settings.networkNamespace]);
  }
  const ip = (...args: readonly string[]): Promise<unknown> => run("nsenter", inside(["ip", ...args]));
  await ip("link", "set", "lo", "up");
  await ip("link", "add", settings.bridge, "type", "bridge");
  await ip("addr", "add", `${settings.nodeAddress}/24`, "dev", settings.bridge);
  await ip("link", "set", settings.bridge, "up");
  // kube-proxy and the API server want a default route; this one leads nowhere.
  await ip("route", "replace", "default", "via", settings.nodeAddress, "dev", settings.bridge);
  await mustRun("nsenter", inside(["sysctl", "-qw", "net.ipv4.ip_forward=1"]));
  await run("nsenter", inside(["sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=1"]));
}

/** Process ids inside the network namespace. */
export async function processesInside(): Promise<readonly number[]> {
  const listed = await run("ip", ["netns", "pids", settings.networkNamespace]);
  return listed.code === 0
    ? listed.stdout
        .split("\n")
        .filter((line) => line !== "")
        .map(Number)
    : [];
}

/** Removes the namespace; with it go its bridge, veth pairs and packet rules. */
export async function removeNetwork(): Promise<void> {
  if (existsSync(`/run/netns/${settings.networkNamespace}`)) {
    await mustRun("ip", ["netns", "del", settings.networkNamespace]);
  }
}
