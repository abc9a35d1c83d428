import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, rmdirSync, lstatSync } from "node:fs";
import { join } from "node:path";
import { step, UserError } from "../../tools/terminal";
import { run } from "../process";
import { processesInside, removeNetwork } from "./network";
import { podNetwork } from "./node-files";
import { end, stop, withCommandLine } from "./processes";
import { clusterFiles, settings } from "./settings";
import { processNames } from "./up";

/** All pids in the pods' cgroup, in every hierarchy, however deep. */
function podProcesses(): readonly number[] {
  return cgroupFolders().flatMap((folder) => {
    const file = join(folder, "cgroup.procs");
    return existsSync(file)
      ? readFileSync(file, "utf8")
          .split("\n")
          .filter((line) => line !== "")
          .map(Number)
      : [];
  });
}

/** The pods' cgroup folders, deepest first. */
function cgroupFolders(): readonly string[] {
  const root = "/sys/fs/cgroup";
  if (!existsSync(root)) return [];
  const tops = [root, ...readdirSync(root).map((each) => join(root, each))].map((each) => join(each, settings.cgroup));
  const found: string[] = [];
  const visit = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) visit(join(folder, entry.name));
    }
    found.push(folder);
  };
  for (const top of tops) if (existsSync(top) && !lstatSync(top).isSymbolicLink()) visit(top);
  return found;
}

function mountsUnder(folder: string): readonly string[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => (line.split(" ")[1] ?? "").replace(/\\040/g, " "))
    .filter((path) => path.startsWith(`${folder}/`))
    .reverse();
}

/** Pods and sandboxes that this node has ever had, by what its kubelet and containerd keep on disk. */
function ownPodsAndSandboxes(): ReadonlySet<string> {
  const files = clusterFiles();
  const folders = [join(files.kubelet, "pods"), join(files.containerdRoot, "io.containerd.grpc.v1.cri", "sandboxes")];
  return new Set(folders.flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : [])));
}

/**
 * Network namespaces of our pods, from the result cache that CNI keeps per network and sandbox. The loopback network's
 * name is the same for every containerd of a machine, so its entries count when they name a pod or sandbox of ours.
 */
function podNetworkNamespaces(): readonly { readonly cacheFile: string; readonly namespace: string }[] {
  const cache = "/var/lib/cni/results";
  if (!existsSync(cache)) return [];
  const own = ownPodsAndSandboxes();
  return readdirSync(cache)
    .map((name) => ({ name, text: readFileSync(join(cache, name), "utf8") }))
    .filter(({ name, text }) => {
      const ids = [/"containerId":"([^"]+)"/.exec(text)?.[1], /"K8S_POD_UID","([^"]+)"/.exec(text)?.[1]];
      return name.startsWith(`${podNetwork}-`) || ids.some((id) => id !== undefined && own.has(id));
    })
    .map(({ name, text }) => ({
      cacheFile: join(cache, name),
      namespace: /"(?:sandbox|netns)":"(\/(?:var\/)?run\/netns\/[^"]+)"/.exec(text)?.[1] ?? "",
    }));
}

async function removePodNetworkNamespaces(): Promise<void> {
  for (const { cacheFile, namespace } of podNetworkNamespaces()) {
    if (namespace !== "") {
      await run("umount", ["-l", namespace]);
      rmSync(namespace.replace(/^\/var\/run\//, "/run/"), { force: true });
    }
    rmSync(cacheFile, { force: true });
  }
}

async function unmountAll(): Promise<void> {
  for (const path of mountsUnder(clusterFiles().root)) {
    if ((await run("umount", [path])).code !== 0) await run("umount", ["-l", path]);
  }
}

/** The kubelet links every container's log below /var/log/containers, whatever its own log folder is. */
function removeLogLinks(): void {
  const folder = "/var/log/containers";
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const link = join(folder, name);
    if (lstatSync(link).isSymbolicLink() && readlinkSync(link).startsWith(clusterFiles().root))
      rmSync(link, { force: true });
  }
}

/** What the local cluster has left on this machine; empty after `make cluster-down`. */
export async function leftovers(): Promise<readonly string[]> {
  const { root } = clusterFiles();
  return [
    ...(await processesInside()).map(
      (pid) => `process ${String(pid)} in network namespace ${settings.networkNamespace}`,
    ),
    ...withCommandLine(root).map((pid) => `process ${String(pid)} that names ${root}`),
    ...podProcesses().map((pid) => `process ${String(pid)} in cgroup ${settings.cgroup}`),
    ...mountsUnder(root).map((path) => `mount ${path}`),
    ...(existsSync(`/run/netns/${settings.networkNamespace}`)
      ? [`network namespace ${settings.networkNamespace}`]
      : []),
    ...podNetworkNamespaces().map((each) => `network namespace ${each.namespace}`),
    ...cgroupFolders().map((path) => `cgroup ${path}`),
    ...(existsSync(root) ? [`folder ${root}`] : []),
  ];
}

/** Takes the local cluster away with everything in it: processes, mounts, namespaces, interfaces, volumes, stack state. */
export async function removeCluster(): Promise<void> {
  if ((await leftovers()).length === 0) return;
  await step("taking the local cluster away", async () => {
    const { root } = clusterFiles();
    for (const name of processNames) await stop(name, name === "etcd" ? 5 : 2);
    // Pods, their shims (which outlive containerd), and the relay's children.
    await end([...podProcesses(), ...withCommandLine(root), ...(await processesInside())], 0);
    await removePodNetworkNamespaces();
    await unmountAll();
    await removeNetwork();
    for (const folder of cgroupFolders()) rmdirSync(folder);
    removeLogLinks();
    rmSync(root, { recursive: true, force: true });
    const left = await leftovers();
    if (left.length > 0) {
      throw new UserError(
        `the cluster left something behind:\n  ${left.join("\n  ")}`,
        "run `make cluster-down` again",
      );
    }
  });
}
