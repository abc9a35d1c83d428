import { dump } from "js-yaml";
import { mustRun } from "../process";
import { coreDnsImage } from "./images";
import { clusterFiles, settings } from "./settings";

const dnsLabels = { "k8s-app": "kube-dns" };

/** DNS that answers for the cluster's own names only: there is nowhere to forward anything else to. */
const corefile = [
  ".:5353 {",
  "  errors",
  "  health",
  "  ready",
  "  kubernetes cluster.local in-addr.arpa {",
  "    ttl 5",
  "  }",
  "  cache 5",
  "}",
  "",
].join("\n");

const objects: readonly object[] = [
  {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: {
      name: settings.storageClass,
      annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
    },
    provisioner: settings.provisioner,
    volumeBindingMode: "WaitForFirstConsumer",
    reclaimPolicy: "Delete",
  },
  { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "coredns", namespace: "kube-system" } },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "coredns" },
    rules: [
      { apiGroups: [""], resources: ["endpoints", "services", "pods", "namespaces"], verbs: ["list", "watch"] },
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
    ],
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: "coredns" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "coredns" },
    subjects: [{ kind: "ServiceAccount", name: "coredns", namespace: "kube-system" }],
  },
  {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "coredns", namespace: "kube-system" },
    data: { Corefile: corefile },
  },
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "coredns", namespace: "kube-system" },
    spec: {
      selector: { matchLabels: dnsLabels },
      template: {
        metadata: { labels: dnsLabels },
        spec: {
          serviceAccountName: "coredns",
          dnsPolicy: "Default",
          containers: [
            {
              name: "coredns",
              image: coreDnsImage,
              imagePullPolicy: "IfNotPresent",
              args: ["-conf", "/etc/coredns/Corefile"],
              volumeMounts: [{ name: "config", mountPath: "/etc/coredns" }],
              readinessProbe: {
                httpGet: { path: "/ready", port: 8181 },
                periodSeconds: 1,
                timeoutSeconds: 5,
                failureThreshold: 10,
              },
            },
          ],
          volumes: [{ name: "config", configMap: { name: "coredns" } }],
        },
      },
    },
  },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "kube-dns", namespace: "kube-system" },
    spec: {
      clusterIP: settings.dnsAddress,
      selector: dnsLabels,
      ports: [
        { name: "dns", port: 53, protocol: "UDP", targetPort: 5353 },
        { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: 5353 },
      ],
    },
  },
];

/** Applies the storage class and DNS, and waits until DNS answers its readiness probe. */
export async function applyAddons(kubectl: string): Promise<void> {
  const access = ["--kubeconfig", clusterFiles().kubeconfig];
  const documents = objects.map((each) => dump(each)).join("---\n");
  await mustRun(kubectl, [...access, "apply", "--server-side", "--force-conflicts", "-f", "-"], { input: documents });
  await mustRun(kubectl, [...access, "-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=120s"]);
}
