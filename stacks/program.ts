import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { BUNDLE_FILE, servicesBundle } from "../components/kit/bundle";
import { ConfigError, parseConfig, type Config } from "./config";
import { cluster, type ClusterStackOutputs } from "./cluster";
import { pipeline } from "./pipeline";
import { readRawConfig } from "./raw-config";
import type { StackOutputs } from "./topology";

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
export async function program(): Promise<StackOutputs | ClusterStackOutputs> {
  const config = readConfig();
  const { eks, deletionProtection } = config;
  if (eks !== undefined) return cluster({ eks, deletionProtection });
  return pipeline(config, { [BUNDLE_FILE]: await servicesBundle(ROOT) });
}
