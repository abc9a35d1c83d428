import { z } from "zod";
import * as kit from "./schema-kit";

/** The config keys for rules and for what becomes of alerts. */
export const rulesKeys = {
  rules: kit
    .text("a directory with rule files, not empty")
    .optional()
    .describe(
      'Directory of rule files (*.yaml, *.yml), relative to the repository. The label `sharded: "true"` on a recording rule ' +
        "or a group has each shard evaluate its part.",
    ),
  configManager: kit
    .flag()
    .default(false)
    .describe(
      "prometheus-configmanager: an HTTP API through which tenants change their rules and receivers while the pipeline " +
        "runs. Alertmanager's configuration then only starts as `alertmanager.config` says.",
    ),
  alertmanager: kit
    .object({
      config: z
        .record(z.string(), z.unknown(), { error: "the content of alertmanager.yml" })
        .optional()
        .describe(
          "Content of alertmanager.yml; set it with `--secret`. Default: alerts are shown, nobody is notified. " +
            "With `configManager` it can't be changed once it is deployed.",
        ),
    })
    .prefault({})
    .describe("The one Alertmanager."),
};
