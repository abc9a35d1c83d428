import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { BUNDLE_FILE, servicesBundle } from "../components/kit/bundle";
import { RulesError, type RuleFile } from "../components/rules/rule-file";
import { milliseconds } from "../model/durations";
import { checkSeed, SEED_OUTPUT, seedVersion } from "./alertmanager-seed";
import { amtoolViolations } from "./amtool";
import { ConfigError, parseConfig, type Config } from "./config";
import { cluster } from "./cluster";
import { pipeline } from "./pipeline";
import { ruleQueryOffset } from "./prometheus-plan";
import { readRawConfig } from "./raw-config";
import { readRules } from "./rules-directory";

/** Folder of the repository. */
const ROOT = join(__dirname, "..");

/** Pulumi prints a RunError's message alone, but spends up to a minute on colouring its stack first. */
function readable(message: string): pulumi.RunError {
  const error = new pulumi.RunError(message);
  error.stack = "";
  return error;
}

function readInputs(): { readonly config: Config; readonly rules: readonly RuleFile[] } {
  try {
    const config = parseConfig(readRawConfig());
    const refused = config.alertmanager.config === undefined ? [] : amtoolViolations(config.alertmanager.config);
    if (refused.length > 0) throw new ConfigError(refused);
    const { rules: directory } = config;
    if (directory === undefined) return { config, rules: [] };
    return { config, rules: readRules(ROOT, { directory, minimumOffset: milliseconds(ruleQueryOffset(config)) }) };
  } catch (error) {
    if (error instanceof ConfigError || error instanceof RulesError) throw readable(error.message);
    throw error;
  }
}

/**
 * Reads the stack's config and rule files and deploys what it asks for.
 * @throws pulumi.RunError with every violation at once, before any resource is registered.
 */
export async function program(): Promise<object> {
  const { config, rules } = readInputs();
  const { eks, deletionProtection } = config;
  if (eks !== undefined) return cluster({ eks, deletionProtection });
  await checkSeed(config).catch((error: unknown) => {
    throw error instanceof ConfigError ? readable(error.message) : error;
  });
  const outputs = pipeline(config, { [BUNDLE_FILE]: await servicesBundle(ROOT) }, rules);
  const seed = seedVersion(config);
  // A secret: it is made from one.
  return { ...outputs, ...(seed === undefined ? {} : { [SEED_OUTPUT]: pulumi.secret(seed) }) };
}
