/** Imports point one way (design, section 1): each rule names who may not import whom. */
const folders = "(stacks|infra|components|policies|services|tools|model|local|bench|test)";
const only = (name, from, allowed, comment) => ({
  name,
  severity: "error",
  comment,
  from: { path: `^${from}/` },
  to: { path: `^${folders}/`, pathNot: allowed.map((each) => `^${each}`) },
});

module.exports = {
  forbidden: [
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    only("model-imports-nothing", "model", ["model/"], "model/ is pure: it imports nothing of ours"),
    only("policies-one-way", "policies", ["policies/", "model/"], "policies share only the pure rules of model/"),
    only(
      "components-one-way",
      "components",
      ["components/", "model/"],
      "components never import stacks, infra or services",
    ),
    only("infra-one-way", "infra", ["infra/", "components/kit/", "model/"], "infra uses the components' kit only"),
    only("stacks-one-way", "stacks", ["stacks/", "components/", "infra/", "model/"], "stacks put components together"),
    only("services-one-way", "services", ["services/", "model/"], "services run in the cluster: no program code"),
    only(
      "tools-one-way",
      "tools",
      ["tools/", "model/", "stacks/config", "stacks/schema", "stacks/topology"],
      "tools share only the pure rules of the program",
    ),
    only("local-one-way", "local", ["local/", "model/", "tools/terminal.ts"], "local/ stands alone"),
    {
      name: "nobody-imports-local",
      severity: "error",
      comment: "local/ is a tool for development: nothing else depends on it",
      from: { path: `^${folders}/`, pathNot: "^(local|test)/" },
      to: { path: "^local/" },
    },
    {
      name: "pulumi-stays-in-the-program",
      severity: "error",
      comment: "services, tools, local and model run without Pulumi's SDK",
      from: { path: "^(services|tools|local|model)/" },
      to: { path: "node_modules/@pulumi/" },
    },
    {
      name: "aws-only-in-infra",
      severity: "error",
      from: { path: `^${folders}/`, pathNot: "^infra/" },
      to: { path: "node_modules/@pulumi/aws" },
    },
    {
      name: "yaml-only-through-js-yaml",
      severity: "error",
      from: { path: `^${folders}/` },
      to: { path: "node_modules/(yaml|yamljs)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(^|/)node_modules/[^@]" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { extensions: [".ts", ".js", ".json"] },
  },
};
