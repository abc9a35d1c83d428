import { spawn } from "node:child_process";
import { UserError } from "../tools/terminal";

/** What a finished command left: standard output, the last lines of standard error, the exit code. */
export interface Finished {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** How to run a command: `input` goes to its standard input, `onLine` gets each line of its standard error. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  readonly onLine?: (line: string) => void;
}

/** Runs a command to its end and gives whatever it left; it fails only when the command can't be started. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: options.cwd, env: options.env ?? process.env, stdio: "pipe" });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
    let rest = "";
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      if (options.onLine !== undefined) lines.forEach(options.onLine);
    });
    child.stdin.on("error", () => undefined).end(options.input ?? "");
    child.on("error", (error) => {
      reject(new UserError(`can't start ${command}: ${error.message}`, "run `make doctor` to see what is missing"));
    });
    child.on("close", (code) => {
      resolve({ stdout, stderr, code: code ?? 1 });
    });
  });
}

/** Runs a command that must succeed; its standard output. The error holds the last 20 lines it wrote. */
export async function mustRun(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const finished = await run(command, args, options);
  if (finished.code !== 0) {
    const last = `${finished.stdout}\n${finished.stderr}`.trimEnd().split("\n").slice(-20).join("\n  ");
    throw new UserError(`${command} ${args.slice(0, 4).join(" ")} ended with ${String(finished.code)}:\n  ${last}`);
  }
  return finished.stdout;
}

/** Runs a command on this terminal and gives its exit code; signals go to the whole process group by themselves. */
export function runOnTerminal(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const ignore = (): void => undefined;
    process.on("SIGINT", ignore);
    const child = spawn(command, args, { stdio: "inherit", env });
    child.on("error", (error) => {
      reject(new UserError(`can't start ${command}: ${error.message}`));
    });
    child.on("close", (code, signal) => {
      process.off("SIGINT", ignore);
      resolve(code ?? (signal === "SIGINT" ? 130 : 1));
    });
  });
}

/** Waits until `condition` is true, asking every `everyMilliseconds`; fails after `seconds` with what `describe` says. */
export async function waitUntil(
  condition: () => Promise<boolean>,
  seconds: number,
  describe: () => string,
  everyMilliseconds = 250,
): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new UserError(`waited ${String(seconds)} s in vain: ${describe()}`);
    await new Promise((resolve) => setTimeout(resolve, everyMilliseconds));
  }
}
