import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dump } from "js-yaml";
import { pkiFile } from "./pki";
import { clusterFiles, settings } from "./settings";

/** Name of the image that holds a pod's namespaces open; built here, so it needs no registry. */
export const pauseImage = "scaled-prometheus.local/pause:1";

function containerdConfig(): string {
  const files = clusterFiles();
  const quoted = (text: string): string => JSON.stringify(text);
  // TOML; containerd 1.6 wants version 2.
  return [
    "version = 2",
    `root = ${quoted(files.containerdRoot)}`,
    `state = ${quoted(files.containerdState)}`,
    "oom_score = 0",
    `disabled_plugins = [${["btrfs", "zfs", "aufs", "devmapper"].map((each) => quoted(`io.containerd.snapshotter.v1.${each}`)).join(", ")}]`,
    "[grpc]",
    `  address = ${quoted(files.containerdSocket)}`,
    '[plugins."io.containerd.grpc.v1.cri"]',
    `  sandbox_image = ${quoted(pauseImage)}`,
    // The machine may lack the right to lower an OOM score, and it may have no AppArmor.
    "  restrict_oom_score_adj = true",
    "  disable_apparmor = true",
    '  [plugins."io.containerd.grpc.v1.cri".cni]',
    '    bin_dir = "/usr/lib/cni"',
    `    conf_dir = ${quoted(files.cni)}`,
    '  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]',
    '    runtime_type = "io.containerd.runc.v2"',
    "",
  ].join("\n");
}

/** Name of the pod network; CNI's result cache of this network tells which namespaces of pods are ours. */
export const podNetwork = "scaled-prometheus";

function podNetworkConfig(): string {
  return JSON.stringify({
    cniVersion: "1.0.0",
    name: podNetwork,
    plugins: [
      {
        type: "bridge",
        bridge: "cni0",
        isGateway: true,
        ipMasq: false,
        hairpinMode: true,
        ipam: {
          type: "host-local",
          ranges: [[{ subnet: settings.podCidr }]],
          routes: [{ dst: "0.0.0.0/0" }],
          dataDir: join(clusterFiles().run, "ipam"),
        },
      },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  });
}

function kubeletConfig(): object {
  const files = clusterFiles();
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: pkiFile("ca.crt") },
    },
    authorization: { mode: "Webhook" },
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${settings.cgroup}`,
    failCgroupV1: false,
    clusterDNS: [settings.dnsAddress],
    clusterDomain: "cluster.local",
    containerRuntimeEndpoint: `unix://${files.containerdSocket}`,
    oomScoreAdj: 0,
    failSwapOn: false,
    tlsCertFile: pkiFile("kubelet.crt"),
    tlsPrivateKeyFile: pkiFile("kubelet.key"),
    evictionHard: { "nodefs.available": "1%", "imagefs.available": "1%", "memory.available": "200Mi" },
    imageGCHighThresholdPercent: 100,
    localStorageCapacityIsolation: false,
    maxPods: 250,
    // A changed ConfigMap is seen in a pod within this time instead of the default minute.
    syncFrequency: "10s",
    resolvConf: "",
    podLogsDir: join(files.logs, "pods"),
  };
}

function proxyConfig(): object {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    clientConnection: { kubeconfig: pkiFile("proxy.kubeconfig") },
    mode: "iptables",
    clusterCIDR: settings.podCidr,
    hostnameOverride: settings.nodeName,
    oomScoreAdj: 0,
    // Setting any of these needs rights over the host's connection tracking that the machine may lack.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
  };
}

/** Paths of the configuration files that `writeNodeFiles` writes. */
export function nodeFiles() {
  const { config } = clusterFiles();
  return {
    containerd: join(config, "containerd.toml"),
    kubelet: join(config, "kubelet.yaml"),
    proxy: join(config, "kube-proxy.yaml"),
  } as const;
}

/** Makes the pods' cgroup in every hierarchy that is mounted (version 1: one per controller; version 2: one). */
export function createCgroup(): void {
  const root = "/sys/fs/cgroup";
  const hierarchies = existsSync(join(root, "cgroup.controllers")) ? [root] : v1Hierarchies(root);
  for (const hierarchy of hierarchies) {
    const folder = join(hierarchy, settings.cgroup);
    mkdirSync(folder, { recursive: true });
    if (hierarchy.endsWith("/cpuset")) inheritCpuset(hierarchy, folder);
  }
}

function v1Hierarchies(root: string): readonly string[] {
  const controllers = [
    "cpu",
    "cpuacct",
    "cpuset",
    "memory",
    "devices",
    "freezer",
    "blkio",
    "pids",
    "hugetlb",
    "systemd",
  ];
  return controllers.map((each) => join(root, each)).filter((each) => existsSync(join(each, "cgroup.procs")));
}

/** A new cpuset of version 1 is empty and takes no process until it has processors and memory nodes. */
function inheritCpuset(parent: string, folder: string): void {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    const value = readFileSync(join(parent, file), "utf8").trim();
    if (value !== "") writeFileSync(join(folder, file), value);
  }
}

/** Writes the configuration of containerd, the pod network, the kubelet and kube-proxy. */
export function writeNodeFiles(): void {
  const files = clusterFiles();
  for (const folder of [files.config, files.cni, files.volumes, files.kubelet, files.run, files.logs]) {
    mkdirSync(folder, { recursive: true });
  }
  const names = nodeFiles();
  writeFileSync(names.containerd, containerdConfig());
  writeFileSync(join(files.cni, "10-pods.conflist"), podNetworkConfig());
  writeFileSync(names.kubelet, dump(kubeletConfig()));
  writeFileSync(names.proxy, dump(proxyConfig()));
}
