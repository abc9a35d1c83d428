import { join } from "node:path";
import { step, UserError } from "../../tools/terminal";
import { repository } from "../paths";
import { waitUntil } from "../process";
import { toolPath } from "../toolchain/build";
import { clientTools, nodeTools } from "../toolchain/table";
import { applyAddons } from "./addons";
import { callApi } from "./api-client";
import { ensureImages } from "./images";
import { createNetwork } from "./network";
import { createCgroup, nodeFiles, writeNodeFiles } from "./node-files";
import { createPki, pkiFile } from "./pki";
import { isRunning, logTail, mustStillRun, start } from "./processes";
import { clusterFiles, settings } from "./settings";
import { run } from "../process";

function binary(name: string): string {
  const tool = [...clientTools, ...nodeTools].find((each) => each.name === name);
  if (tool === undefined) throw new Error(`no tool ${name}`);
  return toolPath(tool);
}

/** Names of the background processes, in the order in which they are stopped. */
export const processNames = [
  "provisioner",
  "kubelet",
  "kube-proxy",
  "kube-scheduler",
  "kube-controller-manager",
  "containerd",
  "relay",
  "kube-apiserver",
  "etcd",
] as const;

function startControlPlane(): void {
  const files = clusterFiles();
  const sealed = { sealed: true };
  start(
    "etcd",
    [
      binary("etcd"),
      `--data-dir=${files.etcd}`,
      "--listen-client-urls=http://127.0.0.1:2379",
      "--advertise-client-urls=http://127.0.0.1:2379",
      "--listen-peer-urls=http://127.0.0.1:2380",
      // A cluster for development: speed matters, surviving a power cut doesn't.
      "--unsafe-no-fsync",
    ],
    sealed,
  );
  start(
    "kube-apiserver",
    [
      binary("kube-apiserver"),
      "--etcd-servers=http://127.0.0.1:2379",
      `--service-cluster-ip-range=${settings.serviceCidr}`,
      `--client-ca-file=${pkiFile("ca.crt")}`,
      `--tls-cert-file=${pkiFile("apiserver.crt")}`,
      `--tls-private-key-file=${pkiFile("apiserver.key")}`,
      `--service-account-key-file=${pkiFile("service-accounts.pub")}`,
      `--service-account-signing-key-file=${pkiFile("service-accounts.key")}`,
      "--service-account-issuer=https://kubernetes.default.svc",
      "--authorization-mode=Node,RBAC",
      "--enable-admission-plugins=NodeRestriction",
      `--kubelet-client-certificate=${pkiFile("admin.crt")}`,
      `--kubelet-client-key=${pkiFile("admin.key")}`,
      "--kubelet-preferred-address-types=InternalIP",
      "--bind-address=0.0.0.0",
      `--secure-port=${String(settings.apiPort)}`,
      `--advertise-address=${settings.nodeAddress}`,
    ],
    sealed,
  );
  start(
    "kube-controller-manager",
    [
      binary("kube-controller-manager"),
      `--kubeconfig=${pkiFile("controller-manager.kubeconfig")}`,
      `--service-account-private-key-file=${pkiFile("service-accounts.key")}`,
      `--root-ca-file=${pkiFile("ca.crt")}`,
      "--use-service-account-credentials",
      "--allocate-node-cidrs=true",
      "--cluster-cidr=10.244.0.0/16",
      "--leader-elect=false",
      `--cluster-signing-cert-file=${pkiFile("ca.crt")}`,
      `--cluster-signing-key-file=${pkiFile("ca.key")}`,
    ],
    sealed,
  );
  start(
    "kube-scheduler",
    [binary("kube-scheduler"), `--kubeconfig=${pkiFile("scheduler.kubeconfig")}`, "--leader-elect=false"],
    sealed,
  );
  const inside = `nsenter --net=/run/netns/${settings.networkNamespace} socat STDIO TCP\\:127.0.0.1\\:${String(settings.apiPort)}`;
  start(
    "relay",
    ["socat", `TCP-LISTEN:${String(settings.relayPort)},bind=127.0.0.1,fork,reuseaddr`, `EXEC:${inside}`],
    { sealed: false },
  );
}

function startNode(): void {
  const files = clusterFiles();
  const names = nodeFiles();
  start(
    "kubelet",
    [
      binary("kubelet"),
      `--config=${names.kubelet}`,
      `--kubeconfig=${pkiFile("kubelet.kubeconfig")}`,
      `--root-dir=${files.kubelet}`,
      `--hostname-override=${settings.nodeName}`,
      `--node-ip=${settings.nodeAddress}`,
    ],
    { sealed: true },
  );
  start("kube-proxy", [binary("kube-proxy"), `--config=${names.proxy}`], { sealed: true });
  start(
    "provisioner",
    [process.execPath, "--require", require.resolve("tsx/cjs"), join(repository, "local", "cluster", "provisioner.ts")],
    {
      sealed: false,
    },
  );
}

async function nodeIsReady(): Promise<boolean> {
  const answer = await callApi("GET", `/api/v1/nodes/${settings.nodeName}`);
  return answer.status === 200 && /"type":\s*"Ready",\s*"status":\s*"True"/.test(answer.body);
}

/** Whether the local cluster answers and its node is ready. */
export async function clusterIsUp(): Promise<boolean> {
  return processNames.every(isRunning) && (await nodeIsReady());
}

/** Starts whatever of the cluster doesn't run; safe to call again at any time, also after a kill of everything. */
export async function startCluster(createThanos: boolean): Promise<void> {
  const files = clusterFiles();
  if (!(await clusterIsUp())) {
    await step(
      "starting the local Kubernetes node (sealed network namespace, no link to the outside)",
      async (progress) => {
        if (process.getuid?.() !== 0) {
          throw new UserError(
            "the local cluster needs root on Linux",
            "run as root, or point the variable KUBECONFIG at a cluster that runs already",
          );
        }
        await createPki();
        await createNetwork();
        createCgroup();
        writeNodeFiles();
        startControlPlane();
        start("containerd", ["containerd", "-c", nodeFiles().containerd], { sealed: true });
        const control = ["etcd", "kube-apiserver", "relay", "containerd"] as const;
        await waitUntil(
          async () => {
            mustStillRun(control);
            progress("waiting for the API server");
            return (await callApi("GET", "/readyz")).status === 200;
          },
          90,
          () => `the API server is not ready; its last lines:\n  ${logTail("kube-apiserver")}`,
        );
        await waitUntil(
          async () => (await run("ctr", ["-a", files.containerdSocket, "version"])).code === 0,
          60,
          () => `containerd does not answer; its last lines:\n  ${logTail("containerd")}`,
        );
      },
    );
  }
  await ensureImages(createThanos);
  await step("waiting for the node and DNS", async (progress) => {
    startNode();
    await waitUntil(
      async () => {
        mustStillRun(["kubelet", "kube-proxy", "kube-controller-manager", "kube-scheduler", "provisioner"]);
        progress("waiting for the node to be ready");
        return nodeIsReady();
      },
      120,
      () => `the node is not ready; the kubelet's last lines:\n  ${logTail("kubelet")}`,
    );
    await applyAddons(binary("kubectl"));
  });
}
