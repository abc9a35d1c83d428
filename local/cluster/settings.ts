import { join } from "node:path";
import { clusterFolder } from "../paths";

/** Addresses and names of the one sealed node. Everything lives in the network namespace; only `relayPort` is on the host. */
export const settings = {
  networkNamespace: "scaled-prometheus",
  bridge: "sp-node",
  nodeName: "local",
  nodeAddress: "192.168.99.1",
  podCidr: "10.244.0.0/24",
  serviceCidr: "10.96.0.0/16",
  apiServerAddress: "10.96.0.1",
  dnsAddress: "10.96.0.10",
  /** Port of the API server inside the namespace. */
  apiPort: 6443,
  /** Port of the relay on the host's loopback address. */
  relayPort: 16443,
  storageClass: "local",
  provisioner: "scaled-prometheus.local/folder",
  /** cgroup under which the kubelet keeps all pods, so that taking the cluster down can find what is left of them. */
  cgroup: "scaled-prometheus",
} as const;

/** Files and folders of the local cluster. */
export function clusterFiles() {
  const root = clusterFolder();
  return {
    root,
    kubeconfig: join(root, "kubeconfig"),
    pki: join(root, "pki"),
    logs: join(root, "log"),
    run: join(root, "run"),
    config: join(root, "config"),
    etcd: join(root, "etcd"),
    volumes: join(root, "volumes"),
    kubelet: join(root, "kubelet"),
    containerdRoot: join(root, "containerd"),
    containerdSocket: join(root, "run", "containerd.sock"),
    containerdState: join(root, "run", "containerd"),
    cni: join(root, "config", "cni"),
    images: join(root, "images"),
    /** Pulumi's file backend for stacks on this cluster: it goes when the cluster goes. */
    pulumi: join(root, "pulumi"),
  } as const;
}
