/**
 * Commands for people at a terminal: `node --require tsx/cjs tools/cli.ts <command>`. The Makefile's targets call it
 * with pulumi and kubectl on PATH and, unless the stack names its cluster, KUBECONFIG set.
 */

import { checkCommand } from "./commands/check";
import { downCommand } from "./commands/down";
import { feedCommand } from "./commands/feed";
import { previewCommand } from "./commands/preview";
import { queryCommand } from "./commands/query";
import { statusCommand } from "./commands/status";
import { upCommand } from "./commands/up";
import type { Command } from "./flags";
import { parseFlags, printHelp } from "./flags";
import { runMain, UserError } from "./terminal";

const commands: readonly Command[] = [
  upCommand,
  downCommand,
  statusCommand,
  feedCommand,
  checkCommand,
  queryCommand,
  previewCommand,
];

function printOverview(): void {
  const lines = ["usage: node --require tsx/cjs tools/cli.ts <command> [STACK] [flags]", ""];
  for (const { name, summary } of commands) lines.push(`  ${name.padEnd(9)}${summary}`);
  lines.push("", "<command> --help lists its flags. STACK is dev unless given (or set as a variable).");
  process.stdout.write(`${lines.join("\n")}\n`);
}

async function main(argv: readonly string[]): Promise<number> {
  const [name = "--help", ...rest] = argv;
  if (name === "--help" || name === "-h" || name === "help") {
    printOverview();
    return 0;
  }
  const command = commands.find((one) => one.name === name);
  if (command === undefined) {
    throw new UserError(`unknown command ${name}`, `one of ${commands.map((one) => one.name).join(", ")}`);
  }
  if (rest.includes("--help") || rest.includes("-h")) {
    printHelp(command);
    return 0;
  }
  return command.run(parseFlags(command, rest, command.name === "query" ? 2 : 1));
}

runMain(() => main(process.argv.slice(2)));
