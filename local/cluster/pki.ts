import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dump } from "js-yaml";
import { mustRun } from "../process";
import { clusterFiles, settings } from "./settings";

interface Identity {
  readonly name: string;
  readonly commonName: string;
  readonly organization: string;
  readonly alternativeNames: string;
}

const identities: readonly Identity[] = [
  {
    name: "apiserver",
    commonName: "kube-apiserver",
    organization: "scaled-prometheus",
    alternativeNames: `IP:127.0.0.1,IP:${settings.apiServerAddress},IP:${settings.nodeAddress},DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc`,
  },
  { name: "admin", commonName: "admin", organization: "system:masters", alternativeNames: "DNS:admin" },
  {
    name: "kubelet",
    commonName: `system:node:${settings.nodeName}`,
    organization: "system:nodes",
    alternativeNames: `DNS:${settings.nodeName},IP:${settings.nodeAddress}`,
  },
  {
    name: "controller-manager",
    commonName: "system:kube-controller-manager",
    organization: "scaled-prometheus",
    alternativeNames: "DNS:controller-manager",
  },
  {
    name: "scheduler",
    commonName: "system:kube-scheduler",
    organization: "scaled-prometheus",
    alternativeNames: "DNS:scheduler",
  },
  {
    name: "proxy",
    commonName: "system:kube-proxy",
    organization: "scaled-prometheus",
    alternativeNames: "DNS:proxy",
  },
];

/** A certificate, key or kubeconfig of the cluster. */
export function pkiFile(name: string): string {
  return join(clusterFiles().pki, name);
}

function kubeconfig(identity: string, port: number): string {
  const base64 = (file: string): string => readFileSync(pkiFile(file)).toString("base64");
  return dump({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "scaled-prometheus-local",
        cluster: {
          server: `https://127.0.0.1:${String(port)}`,
          "certificate-authority-data": base64("ca.crt"),
        },
      },
    ],
    users: [
      {
        name: identity,
        user: {
          "client-certificate-data": base64(`${identity}.crt`),
          "client-key-data": base64(`${identity}.key`),
        },
      },
    ],
    contexts: [{ name: "scaled-prometheus-local", context: { cluster: "scaled-prometheus-local", user: identity } }],
    "current-context": "scaled-prometheus-local",
  });
}

/** Makes the cluster's own certificate authority, one certificate per component, and the kubeconfigs; kept once made. */
export async function createPki(): Promise<void> {
  const files = clusterFiles();
  if (existsSync(files.kubeconfig)) return;
  mkdirSync(files.pki, { recursive: true, mode: 0o700 });
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const ca = [
    "-keyout",
    pkiFile("ca.key"),
    "-out",
    pkiFile("ca.crt"),
    "-days",
    "3650",
    "-subj",
    "/CN=scaled-prometheus-local",
  ];
  await mustRun("openssl", ["req", "-x509", ...curve, ...ca]);
  for (const identity of identities) {
    const { name } = identity;
    writeFileSync(
      pkiFile(`${name}.ext`),
      `extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=${identity.alternativeNames}\n`,
    );
    const subject = `/O=${identity.organization}/CN=${identity.commonName}`;
    await mustRun("openssl", [
      "req",
      ...curve,
      "-keyout",
      pkiFile(`${name}.key`),
      "-out",
      pkiFile(`${name}.csr`),
      "-subj",
      subject,
    ]);
    const signing = ["-CA", pkiFile("ca.crt"), "-CAkey", pkiFile("ca.key"), "-CAcreateserial", "-days", "3650"];
    await mustRun("openssl", [
      "x509",
      "-req",
      "-in",
      pkiFile(`${name}.csr`),
      ...signing,
      "-out",
      pkiFile(`${name}.crt`),
      "-extfile",
      pkiFile(`${name}.ext`),
    ]);
  }
  await mustRun("openssl", ["genrsa", "-out", pkiFile("service-accounts.key"), "2048"]);
  await mustRun("openssl", [
    "rsa",
    "-in",
    pkiFile("service-accounts.key"),
    "-pubout",
    "-out",
    pkiFile("service-accounts.pub"),
  ]);
  for (const name of ["admin", "kubelet", "controller-manager", "scheduler", "proxy"]) {
    writeFileSync(pkiFile(`${name}.kubeconfig`), kubeconfig(name, settings.apiPort), { mode: 0o600 });
  }
  // Written last: its presence says that the whole folder is complete.
  writeFileSync(files.kubeconfig, kubeconfig("admin", settings.relayPort), { mode: 0o600 });
}
