/** `down`: takes a stack away; a protected one only when it is confirmed by name. */

import type { Arguments, Command } from "../flags";
import { getClaims } from "../kubectl";
import type { StateResource } from "../pulumi";
import { PulumiStack } from "../pulumi";
import { clusterOf, parseOutputs } from "../deployment";
import { shortStackName } from "../stack-config";
import { say, step, UserError } from "../terminal";

/** Last part of a URN: the resource's name in the program. */
function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? urn;
}

/** Protected resources, named; the error that keeps them. */
function refuseProtected(stack: string, kept: readonly StateResource[]): UserError {
  const names = kept.map(({ type, urn }) => `${type.split(":").at(-1) ?? type} ${nameOf(urn)}`);
  const shown = names.slice(0, 8).join(", ") + (names.length > 8 ? ` and ${String(names.length - 8)} more` : "");
  return new UserError(
    `stack ${stack} is protected (scaled-prometheus:deletionProtection): ${shown}`,
    `to delete it with its data all the same: make down STACK=${stack} CONFIRM=${stack}`,
  );
}

/** Whether the namespace goes with the stack: then Kubernetes deletes the claims in it, too. */
function ownsNamespace(resources: readonly StateResource[], namespace: string): boolean {
  return resources.some(({ type, inputs }) => {
    if (type !== "kubernetes:core/v1:Namespace") return false;
    const metadata = inputs?.metadata;
    return typeof metadata === "object" && metadata !== null && "name" in metadata && metadata.name === namespace;
  });
}

async function describeClaims(stack: string, namespace: string, goes: boolean): Promise<readonly string[]> {
  try {
    const claims = await getClaims({ ...clusterOf(stack), namespace });
    if (claims.length === 0) return [];
    const list = claims
      .map(({ metadata, status }) => `${metadata.name} (${status.capacity?.storage ?? "?"})`)
      .join(", ");
    return goes
      ? [`volume claims that go with namespace ${namespace}: ${list}`]
      : [
          `kept, because namespace ${namespace} is not this stack's: volume claims ${list}`,
          `  to delete them: kubectl --namespace ${namespace} delete pvc ${claims.map(({ metadata }) => metadata.name).join(" ")}`,
        ];
  } catch (error) {
    return [
      `volume claims of namespace ${namespace} can't be listed: ${error instanceof Error ? error.message : String(error)}`,
    ];
  }
}

async function run(args: Arguments): Promise<number> {
  const { stack } = args;
  const pulumi = await PulumiStack.open(stack, { create: false });
  if (pulumi === undefined) {
    say(`stack ${stack} does not exist: nothing to take down`);
    return 0;
  }
  const { resources } = await pulumi.state();
  if (resources.length === 0) {
    await pulumi.remove();
    say(`stack ${stack} is empty: nothing to take down`);
    return 0;
  }
  const kept = resources.filter(({ protect }) => protect === true);
  const confirmed = process.env.CONFIRM === stack || process.env.CONFIRM === shortStackName(stack);
  if (kept.length > 0 && !confirmed) throw refuseProtected(stack, kept);
  let namespace: string | undefined;
  try {
    namespace = parseOutputs(await pulumi.outputs())?.namespace;
  } catch {
    // An interrupted first `up` left no outputs; what it made is in the state all the same.
  }
  const claims =
    namespace === undefined ? [] : await describeClaims(stack, namespace, ownsNamespace(resources, namespace));
  if (kept.length > 0) {
    await step(`lifting the protection of ${String(kept.length)} resources`, () => pulumi.unprotectAll());
  }
  await step(`pulumi destroy, stack ${stack}`, (progress) => pulumi.destroy(progress));
  await pulumi.remove();
  for (const line of claims) say(line);
  say(`stack ${stack} is gone`);
  return 0;
}

export const downCommand: Command = {
  name: "down",
  summary: "take a stack away",
  usage: "[STACK]",
  details: [
    "A protected stack (deletionProtection) only goes when the variable CONFIRM holds its name. Volume claims go with a\n" +
      "namespace that the stack made; in a namespace that was there before, they are kept and listed.",
  ],
  flags: {},
  run,
};
