import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { load } from "js-yaml";
import { z } from "zod";
import { PROJECT } from "../../../model/names";
import type { Resource } from "../../../policies/kit/policy";
import { program } from "../../../stacks/program";
import { withPlainStacks } from "../../plain-stacks";

/** Config of a stack as Pulumi hands it to a program: every value as text. */
export type StackConfig = Readonly<Record<string, string>>;

const ROOT = join(__dirname, "../../..");
const STACK_FILE = /^Pulumi\.(.+)\.yaml$/;

/** Names of the stacks that have a file in the repository. */
export function stackNames(): readonly string[] {
  return readdirSync(ROOT).flatMap((file) => STACK_FILE.exec(file)?.[1] ?? []);
}

/** Config as it stands in a stack file's text. */
export function parseStackFile(content: string): StackConfig {
  const { config } = z.object({ config: z.record(z.string(), z.unknown()).default({}) }).parse(load(content) ?? {});
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
  );
}

/** Config of one of the repository's stacks. */
export function stackConfig(stack: string): StackConfig {
  return parseStackFile(readFileSync(join(ROOT, `Pulumi.${stack}.yaml`), "utf8"));
}

interface Options {
  readonly protect?: boolean | undefined;
  readonly parent?: { readonly __name?: string; readonly __pulumiType?: string } | undefined;
}

const SECRET_SIGNATURE = "4dabf18193072939515e22adb298388d";

/** What is inside of Pulumi's secrets: the policies look at that. */
function unwrapped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unwrapped);
  if (typeof value !== "object" || value === null) return value;
  if (SECRET_SIGNATURE in value && "value" in value) return unwrapped(value.value);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, unwrapped(each)]));
}

function urnOf(type: string, name: string): string {
  return `urn:pulumi:test::${PROJECT}::${type}::${name}`;
}

const ACCOUNT = { accountId: "111122223333", arn: "arn:aws:iam::111122223333:user/example" };

/** What a program reads of an EKS cluster. */
const CLUSTER = {
  endpoint: "https://cluster.example",
  certificateAuthorities: [{ data: "ZXhhbXBsZQ==" }],
  identities: [{ oidcs: [{ issuer: "https://oidc.example/id/EXAMPLE" }] }],
};

/** Outputs of a stack that made a cluster. */
const CLUSTER_STACK = {
  clusterName: "example",
  clusterArn: `arn:aws:eks:eu-west-1:${ACCOUNT.accountId}:cluster/example`,
  region: "eu-west-1",
  endpoint: CLUSTER.endpoint,
  certificateAuthority: "ZXhhbXBsZQ==",
};

/** What a cloud would say of a new resource, as far as a program looks into it. */
function cloudAnswer({ type, name }: { readonly type: string; readonly name: string }): Record<string, unknown> {
  if (type === "pulumi:pulumi:StackReference") return { outputs: CLUSTER_STACK };
  if (!type.startsWith("aws:")) return {};
  const arn = `arn:aws:example:eu-west-1:${ACCOUNT.accountId}:${name}`;
  const cluster = { ...CLUSTER, certificateAuthority: { data: "ZXhhbXBsZQ==" } };
  return { arn, ...(type === "aws:eks/cluster:Cluster" ? cluster : {}) };
}

/**
 * Runs the whole program of a stack in process, under mocks, and gives every resource that it registers.
 * @throws what the program throws: pulumi.RunError for a config that breaks the schema's rules.
 */
export function record(config: StackConfig): Promise<readonly Resource[]> {
  return withPlainStacks(() => recorded(config));
}

async function recorded(config: StackConfig): Promise<readonly Resource[]> {
  const inputs = new Map<string, Readonly<Record<string, unknown>>>();
  await pulumi.runtime.setMocks(
    {
      newResource: (args) => {
        inputs.set(urnOf(args.type, args.name), args.inputs as Readonly<Record<string, unknown>>);
        return { id: `${args.name}-id`, state: { ...(args.inputs as Record<string, unknown>), ...cloudAnswer(args) } };
      },
      call: (args) => ({ ...(args.inputs as Record<string, unknown>), ...ACCOUNT, ...CLUSTER }),
    },
    PROJECT,
    "test",
    false,
    "organization",
  );
  pulumi.runtime.setAllConfig(config);
  const seen: Resource[] = [];
  // Caught inside of the run: Pulumi's stack resource leaves an unhandled rejection behind otherwise.
  let failure: unknown;
  try {
    await pulumi.runtime.runInPulumiStack(() => {
      pulumi.runtime.registerStackTransformation((args) => {
        const { protect, parent } = args.opts as Options;
        const { __name: name = "", __pulumiType: type = "" } = parent ?? {};
        seen.push({
          urn: urnOf(args.type, args.name),
          type: args.type,
          name: args.name,
          props: {},
          isProtected: protect === true,
          parent: parent === undefined ? undefined : urnOf(type, name),
          id: `${args.name}-id`,
        });
        return undefined;
      });
      return program().catch((error: unknown) => {
        failure = error;
      });
    });
  } finally {
    await pulumi.runtime.disconnect();
  }
  if (failure !== undefined) throw failure instanceof Error ? failure : new Error("the program failed");
  return seen.map((each) => ({ ...each, props: unwrapped(inputs.get(each.urn) ?? {}) as Resource["props"] }));
}
