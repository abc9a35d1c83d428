import * as pulumi from "@pulumi/pulumi";
import type { RuleFile } from "../../../components/rules/rule-file";
import { parseConfig } from "../../../stacks/config";
import { pipeline } from "../../../stacks/pipeline";
import type { StackOutputs } from "../../../stacks/outputs";
import { withPlainStacks } from "../../plain-stacks";
import { SERVICES } from "./services";

/** One registered resource: what the engine gets of it. */
export interface Recorded {
  readonly type: string;
  readonly name: string;
  readonly parent: string | undefined;
  readonly protect: boolean;
  /** It outlives the stack. */
  readonly retained: boolean;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly provider: boolean;
  /** Names of the resources that it waits for. */
  readonly dependsOn: readonly string[];
}

/** A program run under mocks. */
export interface Run {
  readonly resources: readonly Recorded[];
  readonly outputs: StackOutputs;
}

interface Options {
  readonly protect?: boolean | undefined;
  readonly parent?: { readonly __name?: string } | undefined;
}

/** What AWS says of an account and of an EKS cluster. */
const CLOUD = {
  accountId: "111122223333",
  arn: "arn:aws:eks:eu-west-1:111122223333:cluster/metrics",
  endpoint: "https://cluster.example.org",
  certificateAuthorities: [{ data: "Y2VydGlmaWNhdGU=" }],
};

/** What a cloud computes for a resource that it has made. */
function cloudAnswer({ type, name }: { readonly type: string; readonly name: string }): Record<string, unknown> {
  if (type.startsWith("random:")) return { hex: "0a1b2c3d" };
  return type.startsWith("aws:") ? { arn: `arn:${type}:${name}`, keyId: `${name}-key`, name } : {};
}
type Raw = Readonly<Record<string, unknown>>;

/** Runs the whole program in process under mocks and records every resource. */
export async function runAgain(raw: Raw, preview = false, rules: readonly RuleFile[] = []): Promise<Run> {
  const resources: Recorded[] = [];
  const inputs = new Map<string, Record<string, unknown>>();
  await pulumi.runtime.setMocks(
    {
      newResource: (args) => {
        inputs.set(`${args.type}::${args.name}`, args.inputs as Record<string, unknown>);
        return { id: `${args.name}-id`, state: { ...cloudAnswer(args), ...(args.inputs as Record<string, unknown>) } };
      },
      call: (args) => ({ ...CLOUD, ...(args.inputs as Record<string, unknown>) }),
    },
    "scaled-prometheus",
    "test",
    preview,
  );
  let outputs: StackOutputs | undefined;
  const seen: Omit<Recorded, "inputs">[] = [];
  const deploy = () => {
    pulumi.runtime.registerStackTransformation((args) => {
      const options = args.opts as Options & pulumi.CustomResourceOptions & pulumi.ComponentResourceOptions;
      seen.push({
        type: args.type,
        name: args.name,
        parent: options.parent?.__name,
        protect: options.protect === true,
        retained: options.retainOnDelete === true,
        provider: options.provider !== undefined,
        dependsOn: [options.dependsOn ?? []].flat().map((each) => (each as { readonly __name?: string }).__name ?? "?"),
      });
      return undefined;
    });
    outputs = pipeline(parseConfig(raw), SERVICES, rules);
    return Promise.resolve(outputs);
  };
  await withPlainStacks(async () => {
    await pulumi.runtime.runInPulumiStack(deploy);
    await pulumi.runtime.disconnect();
  });
  for (const each of seen) {
    const recorded = inputs.get(`${each.type}::${each.name}`);
    if (recorded === undefined && !each.type.startsWith("scaled-prometheus:")) {
      throw new Error(`${each.type} ${each.name} was never registered`);
    }
    resources.push({ ...each, inputs: recorded ?? {} });
  }
  if (outputs === undefined) throw new Error("the program returned nothing");
  return { resources, outputs };
}

function freeze(value: unknown): void {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(freeze);
}

async function runFrozen(raw: Raw, rules: readonly RuleFile[]): Promise<Run> {
  const recorded = await runAgain(raw, false, rules);
  freeze(recorded.resources);
  return recorded;
}

const known = new Map<string, Promise<Run>>();

/** What `runAgain` gives for a config and rules, run once: the same for every test that asks, and nothing can change it. */
export function run(raw: Raw, rules: readonly RuleFile[] = []): Promise<Run> {
  const key = JSON.stringify([raw, rules]);
  const running = known.get(key) ?? runFrozen(raw, rules);
  known.set(key, running);
  return running;
}
