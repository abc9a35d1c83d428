import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";
import { toYaml } from "../components/kit/yaml";
import { PROJECT } from "../model/names";
import { alertmanagerConfig } from "./alertmanager-config";
import { ConfigError, type Config } from "./config";

/** Name of the stack output with {@link seedVersion}. */
export const SEED_OUTPUT = "alertmanagerSeed";

/** Hash of what Alertmanager's configuration starts as; undefined where the config key is the configuration itself. */
export function seedVersion(config: Config): string | undefined {
  if (!config.configManager) return undefined;
  return createHash("sha256")
    .update(toYaml(alertmanagerConfig(config.alertmanager.config)))
    .digest("hex");
}

/**
 * With prometheus-configmanager, `alertmanager.config` counts once. What it was then is an output of the stack, which the
 * program reads back: a pure one can't know, the provider would replace an immutable Secret without a word, and an init
 * container that refuses would take alerting away. Resource hooks would do it too, but the local toolchain's language
 * host has none.
 * @throws ConfigError when it is another one now.
 */
export async function checkSeed(config: Config): Promise<void> {
  const now = seedVersion(config);
  if (now === undefined) return;
  const name = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  const before = await new pulumi.StackReference("deployed-before", { name }).getOutputDetails(SEED_OUTPUT);
  const found: unknown = before.secretValue ?? before.value;
  if (typeof found === "string" && found !== now) throw seedChanged(config);
}

function seedChanged(config: Config): ConfigError {
  return new ConfigError([
    {
      path: "alertmanager.config",
      value: config.alertmanager.config,
      rule: `with ${PROJECT}:configManager it is only what Alertmanager's configuration started as, and that has been deployed`,
      fix: "take the change back and make it over alertmanager-configurer's API, or set configManager to false",
    },
  ]);
}
