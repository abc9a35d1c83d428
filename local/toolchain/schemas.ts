import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { step, UserError } from "../../tools/terminal";
import { cacheFolder, repository } from "../paths";
import { run } from "../process";

/**
 * JSON schemas of the API server's own objects, made from the OpenAPI description in Kubernetes' Go module: what
 * kubeconform would otherwise fetch from the internet.
 */

interface Definition {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly "x-kubernetes-group-version-kind"?: readonly { group: string; version: string; kind: string }[];
}

const swaggerSchema = z.object({ definitions: z.record(z.string(), z.looseObject({})) });

/** A reference's definition name: `#/definitions/io.k8s.api.core.v1.Pod`. */
const REFERENCE = /"#\/definitions\/([^"]+)"/g;

/** As kubeconform asks for it: the first part of the group's name, or none for the core group. */
function fileName({ group, version, kind }: { group: string; version: string; kind: string }): string {
  const parts = [kind.toLowerCase(), group.split(".")[0] ?? "", version].filter((part) => part !== "");
  return `${parts.join("-")}.json`;
}

/** A definition that refuses fields which it does not name, as the API server does under strict validation. */
function strict(name: string, definition: Definition): object {
  if (name.endsWith(".intstr.IntOrString")) return { oneOf: [{ type: "string" }, { type: "integer" }] };
  return definition.properties === undefined ? definition : { ...definition, additionalProperties: false };
}

function reachable(name: string, definitions: Readonly<Record<string, Definition>>): Readonly<Record<string, object>> {
  const found: Record<string, object> = {};
  const open = [name];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const definition = definitions[next];
    if (definition === undefined || found[next] !== undefined) continue;
    found[next] = strict(next, definition);
    for (const [, other = ""] of JSON.stringify(definition).matchAll(REFERENCE)) open.push(other);
  }
  return found;
}

/** The schema files of all kinds by name. */
export function schemaFiles(swagger: unknown): Readonly<Record<string, object>> {
  const definitions = swaggerSchema.parse(swagger).definitions as Readonly<Record<string, Definition>>;
  const kinds = Object.entries(definitions).flatMap(([name, definition]) => {
    const identities = definition["x-kubernetes-group-version-kind"] ?? [];
    // Options of requests are of every group: no objects.
    return identities.length === 1 ? identities.map((identity) => ({ name, identity })) : [];
  });
  return Object.fromEntries(
    kinds.map(({ name, identity }) => [
      fileName(identity),
      {
        $schema: "http://json-schema.org/draft-07/schema#",
        $ref: `#/definitions/${name}`,
        definitions: reachable(name, definitions),
      },
    ]),
  );
}

async function moduleFolder(): Promise<{ readonly folder: string; readonly version: string }> {
  const cwd = join(repository, "local", "go", "kubernetes");
  const env = { ...process.env, GOTOOLCHAIN: "local", GOWORK: "off", GOFLAGS: "-mod=mod" };
  const found = await run("go", ["mod", "download", "-json", "k8s.io/kubernetes"], { cwd, env });
  const parsed = z.object({ Dir: z.string(), Version: z.string() }).safeParse(JSON.parse(found.stdout || "{}"));
  if (found.code === 0 && parsed.success) return { folder: parsed.data.Dir, version: parsed.data.Version };
  throw new UserError(
    `Kubernetes' Go module can't be read:\n  ${found.stderr.trim()}`,
    "check that Go is installed and that its module proxy can be reached",
  );
}

/** Makes the schemas if they are not in the cache yet; gives their folder. */
export async function ensureSchemas(): Promise<string> {
  const goMod = readFileSync(join(repository, "local", "go", "kubernetes", "go.mod"), "utf8");
  const pinned = /k8s\.io\/kubernetes (v\S+)/.exec(goMod)?.[1] ?? "unknown";
  const folder = join(cacheFolder(), "kubernetes-schemas", pinned);
  if (existsSync(folder)) return folder;
  await step(`schemas of Kubernetes ${pinned}`, async () => {
    const source = await moduleFolder();
    const swagger: unknown = JSON.parse(
      readFileSync(join(source.folder, "api", "openapi-spec", "swagger.json"), "utf8"),
    );
    const unfinished = `${folder}.building-${String(process.pid)}`;
    mkdirSync(unfinished, { recursive: true });
    for (const [name, schema] of Object.entries(schemaFiles(swagger))) {
      writeFileSync(join(unfinished, name), JSON.stringify(schema));
    }
    rmSync(folder, { recursive: true, force: true });
    renameSync(unfinished, folder);
  });
  return folder;
}
