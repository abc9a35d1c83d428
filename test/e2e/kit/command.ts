import { spawn, type ChildProcess } from "node:child_process";

/** What a command that ended has left. */
export interface CommandResult {
  /** 128 + 9 and the like are not used: a killed command has code -1. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

/** Where and with what a command runs. */
export interface CommandOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Seconds after which a command of a test is killed, so that its output is told: less than a test's own time, after which
 * nothing of it would be known, and the command would go on beside the tests that follow.
 */
const LIMIT_SECONDS = 540;

/** How long the end of a killed command's output is waited for: what it has started may hold the pipe. */
const PIPE_MILLISECONDS = 2_000;

const running = new Set<BackgroundCommand>();

// They have process groups of their own, so a signal to the test run does not reach them by itself.
process.on("exit", () => {
  for (const each of running) each.kill("SIGKILL");
});

/** A command in a process group of its own, so that all of it can be killed at once. */
export class BackgroundCommand {
  readonly done: Promise<CommandResult>;
  private readonly child: ChildProcess;
  private readonly chunks = { stdout: "", stderr: "" };

  constructor(
    readonly command: readonly string[],
    options: CommandOptions,
  ) {
    const [program = "", ...args] = command;
    const startedAt = Date.now();
    const child = spawn(program, args, { ...options, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    this.child = child;
    running.add(this);
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (this.chunks.stdout += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (this.chunks.stderr += chunk));
    this.done = new Promise((resolve, reject) => {
      child.on("error", (error) => {
        running.delete(this);
        reject(error);
      });
      const ended = (code: number | null): void => {
        running.delete(this);
        resolve({ code: code ?? -1, ...this.chunks, seconds: (Date.now() - startedAt) / 1_000 });
      };
      child.on("close", ended);
      child.on("exit", (code, signal) => {
        if (signal === "SIGKILL") setTimeout(() => ended(code), PIPE_MILLISECONDS).unref();
      });
    });
  }

  /** What it has written so far. */
  get output(): Readonly<Record<"stdout" | "stderr", string>> {
    return this.chunks;
  }

  /** Sends a signal to the command and everything it has started. */
  kill(signal: NodeJS.Signals): void {
    const { pid } = this.child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // It has ended meanwhile.
    }
  }

  /** Ctrl-C for the command alone: it ends what it has started by itself, after what is under way. Waits for its end. */
  async interrupt(): Promise<CommandResult> {
    this.child.kill("SIGINT");
    return this.done;
  }

  /** Ends all of it with a signal and waits until it is gone. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<CommandResult> {
    this.kill(signal);
    return this.done;
  }
}

/** Ends every command that still runs: after a test that broke off. */
export async function stopEverything(): Promise<void> {
  await Promise.all([...running].map((each) => each.stop("SIGKILL").catch(() => undefined)));
}

/** The last lines of a command's output, for the message of a failed test. */
export function lastLines(result: Pick<CommandResult, "stdout" | "stderr">, count = 40): string {
  return `${result.stdout}\n${result.stderr}`.trim().split("\n").slice(-count).join("\n");
}

/**
 * Runs a command to its end, whatever that is; one that is killed after `limitSeconds` has code -1, and says so in its
 * standard error.
 */
export async function runCommand(
  command: readonly string[],
  options: CommandOptions,
  limitSeconds = LIMIT_SECONDS,
): Promise<CommandResult> {
  const running = new BackgroundCommand(command, options);
  let late = "";
  const timer = setTimeout(() => {
    late = `\nkilled, because it had not ended after ${String(limitSeconds)} s`;
    running.kill("SIGKILL");
  }, limitSeconds * 1_000);
  const result = await running.done.finally(() => clearTimeout(timer));
  return { ...result, stderr: result.stderr + late };
}

/** Runs a command that must succeed. */
export async function mustRun(command: readonly string[], options: CommandOptions): Promise<CommandResult> {
  const result = await runCommand(command, options);
  if (result.code === 0) return result;
  throw new Error(`${command.join(" ")} ended with ${String(result.code)}:\n${lastLines(result)}`);
}
