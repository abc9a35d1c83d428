import { delimiter } from "node:path";
import { parseArgs } from "node:util";
import { runMain, say, UserError } from "../tools/terminal";
import { removeCluster } from "./cluster/down";
import { clusterFiles } from "./cluster/settings";
import { clusterIsUp, startCluster } from "./cluster/up";
import { doctor } from "./doctor";
import { ensurePackages } from "./packages";
import { runOnTerminal } from "./process";
import { targetOf } from "./target";
import { ensureBuilt, toolFolder } from "./toolchain/build";
import { ensureClients } from "./toolchain/clients";
import { nodeTools, workloadTools } from "./toolchain/table";

const help = `Usage: local/cli.ts COMMAND
  cluster [--stack NAME]       start the local cluster (with the images that the stack needs; default: all)
  cluster-down [--stack NAME]  take it away with everything in it (nothing when the stack lives elsewhere)
  doctor                       what is missing on this machine and how to get it
  tools [--all]                build the client tools (with --all: everything that the local cluster needs too)
  exec [--stack NAME] [--if-running] [--no-cluster] [--checkers] [--servers] -- COMMAND...
                               run a command with the tools on PATH and KUBECONFIG set; starts the local cluster
                               unless KUBECONFIG is set or the stack names a cluster of its own (or with --no-cluster);
                               --servers puts prometheus and thanos on PATH too`;

async function bringUp(createThanos: boolean): Promise<void> {
  await ensurePackages();
  await ensureBuilt([...nodeTools, ...workloadsFor(createThanos)]);
  await startCluster(createThanos);
}

function workloadsFor(createThanos: boolean) {
  return Object.values(workloadTools).filter((tool) => createThanos || tool.name !== "thanos");
}

/** Variables with which the client tools reach the local cluster and nothing of the user's own. */
function localEnvironment(path: string): NodeJS.ProcessEnv {
  const files = clusterFiles();
  return { ...process.env, PATH: path, KUBECONFIG: files.kubeconfig, SCALED_PROMETHEUS_BACKEND_DIR: files.pulumi };
}

interface ExecuteOptions {
  readonly stack: string | undefined;
  /** Does nothing, with success, when the local cluster would be used and doesn't run. */
  readonly onlyIfRunning: boolean;
  /** The command needs no cluster. */
  readonly withoutCluster: boolean;
  readonly checkers: boolean;
  /** Prometheus and Thanos are on PATH, for commands that run them as plain processes. */
  readonly servers: boolean;
}

/** PATH with the clients, and with the servers where they are wanted. */
async function pathWith({ checkers, servers }: ExecuteOptions): Promise<string> {
  const clients = await ensureClients(checkers);
  if (!servers) return clients;
  const tools = [workloadTools.prometheus, workloadTools.thanos];
  await ensureBuilt(tools);
  return [...tools.map(toolFolder), clients].join(delimiter);
}

async function execute(options: ExecuteOptions, command: readonly string[]): Promise<number> {
  const { stack, onlyIfRunning, withoutCluster } = options;
  const [program, ...args] = command;
  if (program === undefined) throw new UserError("exec needs a command after --", "see --help");
  // What counts as the start for a command that reports its seconds: builds and the cluster's start belong to it.
  process.env["SCALED_PROMETHEUS_STARTED_AT"] ??= String(Date.now());
  if (withoutCluster) {
    return runOnTerminal(program, args, { ...process.env, PATH: await pathWith(options) });
  }
  const target = targetOf(stack);
  if (target.local && onlyIfRunning && !(await clusterIsUp())) {
    say("the local cluster does not run");
    return 0;
  }
  const path = await pathWith(options);
  if (!target.local) {
    say(`cluster: ${target.reason}`);
    return runOnTerminal(program, args, { ...process.env, PATH: path });
  }
  await bringUp(target.createThanos);
  return runOnTerminal(program, args, localEnvironment(path));
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      stack: { type: "string" },
      all: { type: "boolean", default: false },
      "if-running": { type: "boolean", default: false },
      "no-cluster": { type: "boolean", default: false },
      checkers: { type: "boolean", default: false },
      servers: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const [command, ...rest] = positionals;
  if (values.help || command === undefined) {
    say(help);
    return values.help ? 0 : 2;
  }
  switch (command) {
    case "cluster": {
      const target = targetOf(values.stack);
      if (!target.local) {
        say(`nothing to start: ${target.reason}`);
        return 0;
      }
      await ensureClients(false);
      await bringUp(target.createThanos);
      say(`the local cluster runs; to use it by hand: export KUBECONFIG=${clusterFiles().kubeconfig}`);
      return 0;
    }
    case "cluster-down":
      if (values.stack === undefined || targetOf(values.stack).local) await removeCluster();
      return 0;
    case "doctor":
      return doctor();
    case "tools":
      await ensureClients(true);
      if (values.all) {
        await ensurePackages();
        await ensureBuilt([...nodeTools, ...workloadsFor(true)]);
      }
      return 0;
    case "exec":
      return execute(
        {
          stack: values.stack,
          onlyIfRunning: values["if-running"],
          withoutCluster: values["no-cluster"],
          checkers: values.checkers,
          servers: values.servers,
        },
        rest,
      );
    default:
      throw new UserError(`unknown command ${command}`, "see --help");
  }
}

runMain(main);
