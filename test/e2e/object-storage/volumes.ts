import { spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { podSecurity, containerSecurity, NOBODY_UID } from "../../../components/kit/security";
import { DEFAULT_IMAGES } from "../../../model/images";
import { NAMES } from "../../../model/names";
import { kubectl } from "../../../tools/kubectl";

const pod = "history-loader";

/** Unpacks what comes on standard input: for each file, four bytes with the length of a header, the header, the content. */
const unpack = `
const fs = require("node:fs"), path = require("node:path"), chunks = [];
process.stdin.on("data", (chunk) => chunks.push(chunk)).on("end", () => {
  const all = Buffer.concat(chunks);
  let count = 0;
  for (let at = 0; at < all.length; count++) {
    const header = all.readUInt32BE(at) + at + 4;
    const { name, size } = JSON.parse(all.subarray(at + 4, header).toString());
    const file = path.join("/data", name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, all.subarray(header, header + size));
    at = header + size;
  }
  console.log(count);
});`;

function packed(folder: string): { readonly count: number; readonly bytes: Buffer } {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const parts = files.flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    const content = readFileSync(path);
    const header = Buffer.from(JSON.stringify({ name: relative(folder, path), size: content.length }));
    const length = Buffer.alloc(4);
    length.writeUInt32BE(header.length);
    return [length, header, content];
  });
  return { count: files.length, bytes: Buffer.concat(parts) };
}

function send(namespace: string, input: Buffer): Promise<string> {
  const args = ["--namespace", namespace, "exec", "--stdin", pod, "--", "node", "-e", unpack];
  return new Promise((resolve, reject) => {
    const child = spawn("kubectl", args, { stdio: ["pipe", "pipe", "inherit"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve(output.trim());
      else reject(new Error(`kubectl exec ended with ${String(code)}`));
    });
    child.stdin.on("error", reject);
    child.stdin.end(input);
  });
}

/**
 * Makes a claim before the StatefulSet that will use it, and puts the files of a folder into its volume.
 * @param size As in the stack's config.
 */
export async function fillClaim(
  namespace: string,
  claim: string,
  size: string,
  folder: string,
  scratch: string,
): Promise<void> {
  const manifest = join(scratch, `${claim}.json`);
  const items = [
    {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: claim },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: size } } },
    },
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: pod },
      spec: {
        automountServiceAccountToken: false,
        securityContext: podSecurity(NOBODY_UID),
        terminationGracePeriodSeconds: 0,
        volumes: [{ name: NAMES.claimTemplate, persistentVolumeClaim: { claimName: claim } }],
        containers: [
          {
            name: "loader",
            image: DEFAULT_IMAGES.node,
            command: ["node", "-e", "setInterval(() => undefined, 1e6)"],
            securityContext: containerSecurity(NOBODY_UID),
            volumeMounts: [{ name: NAMES.claimTemplate, mountPath: "/data" }],
          },
        ],
      },
    },
  ];
  writeFileSync(manifest, JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  const target = { namespace };
  await kubectl(target, ["apply", "--filename", manifest]);
  await kubectl(target, ["wait", `pod/${pod}`, "--for=condition=Ready", "--timeout=120s"]);
  const { count, bytes } = packed(folder);
  const written = await send(namespace, bytes);
  if (written !== String(count)) throw new Error(`${written} of ${String(count)} files arrived in ${claim}`);
  await kubectl(target, ["delete", "pod", pod, "--wait", "--timeout=60s"]);
}
