import { ConfigFileError } from "../model/config-reader";
import { adapterHelp, runAdapter } from "./adapter/command";
import { rulesPullerHelp, runRulesPuller } from "./config-manager/puller-command";
import { configSeedHelp, runConfigSeed } from "./config-manager/seed-command";
import { rulesServerHelp, runRulesServer } from "./config-manager/server-command";
import { exporterHelp, runExporter } from "./exporter/command";
import { gateHelp, runGate } from "./gate/command";
import { UsageError } from "./plumbing/args";
import { runShipperMeta, shipperMetaHelp } from "./shipper-meta/command";
import { log, messageOf } from "./plumbing/log";
import { rootGateHelp, runRootGate } from "./root-gate/command";
import { rulesSyncHelp, runRulesSync } from "./rules-sync/command";

/** Everything of our own that runs in the cluster: one bundle, one subcommand per program. Node built-ins only. */

const programs: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  adapter: runAdapter,
  "config-seed": runConfigSeed,
  exporter: runExporter,
  gate: runGate,
  "root-gate": runRootGate,
  "rules-puller": runRulesPuller,
  "rules-server": runRulesServer,
  "rules-sync": runRulesSync,
  "shipper-meta": runShipperMeta,
};

const helps = [
  adapterHelp,
  configSeedHelp,
  exporterHelp,
  gateHelp,
  rootGateHelp,
  rulesPullerHelp,
  rulesServerHelp,
  rulesSyncHelp,
  shipperMetaHelp,
];
const help = `usage: services <program> [flags]\n\n${helps.join("\n")}`;

async function main([program = "", ...args]: readonly string[]): Promise<number> {
  if (program === "--help" || program === "-h" || program === "help") {
    process.stdout.write(help);
    return 0;
  }
  const run = Object.hasOwn(programs, program) ? programs[program] : undefined;
  try {
    if (run === undefined) {
      const known = Object.keys(programs).join(", ");
      throw new UsageError(program === "" ? `no program given (${known})` : `unknown program ${program} (${known})`);
    }
    await run(args);
    return 0;
  } catch (error) {
    if (error instanceof UsageError || error instanceof ConfigFileError) {
      process.stderr.write(`error: ${error.message}\n`);
      return 2;
    }
    log("error", "stopped by an error", { error: messageOf(error) });
    return 1;
  }
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  () => process.exit(1),
);
