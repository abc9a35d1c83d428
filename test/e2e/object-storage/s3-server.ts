import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { containerSecurity, NOBODY_UID, podSecurity } from "../../../components/kit/security";
import { s3Image, ensureS3Image } from "../../../local/cluster/images";
import { clusterFiles } from "../../../local/cluster/settings";
import { DEFAULT_IMAGES } from "../../../model/images";
import { serviceHost } from "../../../model/names";
import { kubectl } from "../../../tools/kubectl";
import type { StackConfig } from "../kit/workspace";

const name = "s3";
const port = 7070;
const bucket = "blocks";
const region = "us-east-1";
/** A test's own, for a server that nobody else reaches. */
const credentials = { accessKey: "e2e-access", secretKey: "e2e-secret-of-a-test" };

/** The local cluster has no registry: there the server is built and its image imported; elsewhere it is pulled. */
async function provideImage(): Promise<void> {
  if (process.env["KUBECONFIG"] === clusterFiles().kubeconfig) await ensureS3Image();
}

/** Starts a real S3 server with one empty bucket in a namespace, and waits until it is ready. */
export async function startS3Server(namespace: string, scratch: string): Promise<void> {
  await provideImage();
  const labels = { "app.kubernetes.io/name": name };
  const mount = { name: "data", mountPath: "/data" };
  const items = [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name, labels },
      spec: {
        replicas: 1,
        strategy: { type: "Recreate" },
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            automountServiceAccountToken: false,
            securityContext: podSecurity(NOBODY_UID),
            volumes: [{ name: "data", emptyDir: {} }],
            initContainers: [
              {
                name: "bucket",
                image: DEFAULT_IMAGES.node,
                command: ["node", "-e", `require("node:fs").mkdirSync("/data/${bucket}", { recursive: true })`],
                securityContext: containerSecurity(NOBODY_UID),
                volumeMounts: [mount],
              },
            ],
            containers: [
              {
                name,
                image: s3Image,
                args: ["--port", `:${String(port)}`, "--region", region, "--health", "/health", "posix", "/data"],
                env: [
                  { name: "ROOT_ACCESS_KEY", value: credentials.accessKey },
                  { name: "ROOT_SECRET_KEY", value: credentials.secretKey },
                ],
                ports: [{ name: "http", containerPort: port }],
                readinessProbe: { httpGet: { path: "/health", port: "http" }, periodSeconds: 2 },
                securityContext: containerSecurity(NOBODY_UID),
                volumeMounts: [mount],
              },
            ],
          },
        },
      },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, labels },
      spec: { selector: labels, ports: [{ name: "http", port, targetPort: "http" }] },
    },
  ];
  const manifest = join(scratch, "s3.json");
  writeFileSync(manifest, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  await kubectl({ namespace }, ["apply", "--filename", manifest]);
  await kubectl({ namespace }, ["rollout", "status", `deployment/${name}`, "--timeout=120s"]);
}

/** The config key `objectStorage` for that server, with delays that suit a test. */
export function s3Config(namespace: string): StackConfig {
  return {
    type: "s3",
    bucket,
    region,
    endpoint: `${serviceHost(name, namespace)}:${String(port)}`,
    insecure: true,
    prefix: "pipelines/main",
    credentials,
    consistencyDelay: "0s",
    syncInterval: "10s",
  };
}
