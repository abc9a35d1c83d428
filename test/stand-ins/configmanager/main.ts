import { parseArgs } from "node:util";
import { alertmanagerApi } from "./alertmanager-api";
import { ruleApi } from "./rule-api";

/** A TEST PART: `rules` or `alertmanager`, then the flags of the program that it stands in for. */

const [program, ...args] = process.argv.slice(2);

const { values } = parseArgs({
  args,
  options: {
    port: { type: "string" },
    logtostderr: { type: "boolean" },
    "multitenant-label": { type: "string" },
    // Rules.
    prometheusURL: { type: "string", default: "prometheus:9090" },
    "restrict-queries": { type: "boolean", default: false },
    "rules-dir": { type: "string", default: "." },
    // Alertmanager.
    "alertmanager-conf": { type: "string", default: "./alertmanager.yml" },
    alertmanagerURL: { type: "string", default: "alertmanager:9093" },
    "delete-route-with-receiver": { type: "boolean", default: false },
    "template-directory": { type: "string", default: "./templates/" },
  },
});

const server =
  program === "rules"
    ? ruleApi({
        rulesDir: values["rules-dir"],
        prometheusURL: values.prometheusURL,
        multitenantLabel: values["multitenant-label"] ?? "tenant",
        restrictQueries: values["restrict-queries"],
      })
    : alertmanagerApi({
        conf: values["alertmanager-conf"],
        alertmanagerURL: values.alertmanagerURL,
        multitenantLabel: values["multitenant-label"] ?? "",
        deleteRoutes: values["delete-route-with-receiver"],
      });
server.listen(Number(values.port ?? (program === "rules" ? 9100 : 9101)));
process.once("SIGTERM", () => process.exit(0));
