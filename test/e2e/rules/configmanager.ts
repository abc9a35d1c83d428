import { createHash } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { z } from "zod";
import { ensureNodePrograms } from "../../../local/cluster/images";
import { clusterFiles } from "../../../local/cluster/settings";
import { repositoryRoot, stateDirectory } from "../../../tools/paths";
import type { StackConfig } from "../kit/workspace";

/** Images of the stand-ins; the names say what they are. */
const STAND_INS = {
  prometheusConfigurer: "scaled-prometheus.local/prometheus-configurer-stand-in:1",
  alertmanagerConfigurer: "scaled-prometheus.local/alertmanager-configurer-stand-in:1",
} as const;

async function bundled(): Promise<string> {
  const result = await build({
    absWorkingDir: repositoryRoot,
    entryPoints: [join("test", "stand-ins", "configmanager", "main.ts")],
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node20",
    logLevel: "silent",
    write: false,
  });
  const code = result.outputFiles[0]?.text ?? "";
  const hash = createHash("sha256").update(code).digest("hex").slice(0, 16);
  const folder = join(stateDirectory(), "stand-ins", hash);
  const path = join(folder, "configmanager.cjs");
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, code);
  }
  return path;
}

/**
 * The config keys for prometheus-configmanager. The local cluster has no registry, so there a stand-in runs
 * (test/stand-ins/configmanager); elsewhere the published images are pulled.
 */
export async function configManagerConfig(): Promise<StackConfig> {
  if (process.env["KUBECONFIG"] !== clusterFiles().kubeconfig) return { configManager: true };
  const file = await bundled();
  await ensureNodePrograms([
    { reference: STAND_INS.prometheusConfigurer, file, args: ["rules"] },
    { reference: STAND_INS.alertmanagerConfigurer, file, args: ["alertmanager"] },
  ]);
  return { configManager: true, images: STAND_INS };
}

const listSchema = z.array(z.object({ alert: z.string().optional(), record: z.string().optional() }));

/** A tenant's side of the API, at the address of a tunnel. */
export class TenantApi {
  constructor(
    readonly url: string,
    readonly tenant: string,
  ) {}

  /** Adds a rule or a receiver; the status, and the text of what is not 200. */
  async post(kind: "alert" | "receiver" | "route", body: object): Promise<string> {
    const answer = await fetch(`${this.url}/v1/${this.tenant}/${kind}`, { method: "POST", body: JSON.stringify(body) });
    const text = await answer.text();
    return answer.status === 200 ? "200" : `${String(answer.status)} ${text}`;
  }

  /** Names of all rules. */
  async rules(): Promise<readonly string[]> {
    const answer = await fetch(`${this.url}/v1/${this.tenant}/alert`);
    return listSchema.parse(await answer.json()).map(({ alert, record }) => alert ?? record ?? "");
  }
}
