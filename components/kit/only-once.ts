import * as pulumi from "@pulumi/pulumi";

/**
 * Hook that makes a change of a Secret's content an error, in previews too. A pure program does not know what was deployed
 * before; the engine does, and asks the hook with both.
 * @param name Name of the hook, one in a stack.
 * @param message What to tell.
 */
export function changelessData(name: string, message: string): pulumi.ResourceHookBinding {
  const hook = new pulumi.ResourceHook(
    name,
    async ({ oldInputs, newInputs }) => {
      const [before, after] = await Promise.all([dataOf(oldInputs), dataOf(newInputs)]);
      if (before !== undefined && before !== after) throw new Error(message);
    },
    { onDryRun: true },
  );
  return { beforeUpdate: [hook] };
}

/** The content as text that can be compared; secrets come as outputs. */
function dataOf(inputs: Readonly<Record<string, unknown>> | undefined): Promise<string | undefined> {
  const data = inputs?.["data"];
  if (data === undefined) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    pulumi.unsecret(pulumi.output(data)).apply((plain) => resolve(JSON.stringify(plain)));
  });
}
