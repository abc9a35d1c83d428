// One arm of bench/program.ts, in a process of its own: a Pulumi program under mocks, from the start of the process to
// its last registered resource. Plain JavaScript, so that the empty arm does not pay for a TypeScript loader.
const { performance } = require("node:perf_hooks");
const pulumi = require("@pulumi/pulumi");

const [arm, shards] = process.argv.slice(2);

async function main() {
  let resources = 0;
  pulumi.runtime.setAllConfig({
    "scaled-prometheus:createThanos": "true",
    "scaled-prometheus:serversCount": shards,
  });
  await pulumi.runtime.setMocks(
    {
      newResource: (args) => {
        resources += 1;
        return { id: `${args.name}-id`, state: args.inputs };
      },
      call: (args) => args.inputs,
    },
    "scaled-prometheus",
    "bench",
  );
  const program = arm === "ours" ? require("../stacks/start.cjs") : () => Promise.resolve();
  await pulumi.runtime.runInPulumiStack(program);
  await pulumi.runtime.disconnect();
  const result = {
    seconds: performance.now() / 1000,
    mebibytes: process.resourceUsage().maxRSS / 1024,
    resources,
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

main();
