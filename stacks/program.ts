import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { BUNDLE_FILE, servicesBundle } from "../components/kit/bundle";
import { ConfigError, parseConfig, type Config } from "./config";
import { pipeline } from "./pipeline";
import { readRawConfig } from "./raw-config";
import type { StackOutputs } from "./topology";

/** What a stack can deploy, by the config key `program`. */
const PROGRAMS = { pipeline } as const;

/** Folder of the repository. */
const ROOT = join(__dirname, "..");

function readConfig(): Config {
  try {
    return parseConfig(readRawConfig());
  } catch (error) {
    // Pulumi prints a RunError without a stack.
    if (error instanceof ConfigError) throw new pulumi.RunError(error.message);
    throw error;
  }
}

/**
 * Reads the stack's config and deploys what it asks for.
 * @throws pulumi.RunError with every violation at once, before any resource is registered.
 */
export async function program(): Promise<StackOutputs> {
  const config = readConfig();
  const services = { [BUNDLE_FILE]: await servicesBundle(ROOT) };
  return PROGRAMS[config.program](config, services);
}
