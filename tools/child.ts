/** Child processes: run to the end with their output line by line; an interrupt goes to the child first. */

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

export interface ChildOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Called for every line of both streams. */
  readonly onLine?: (line: string, stream: "stdout" | "stderr") => void;
  /** Text for the standard input; nothing by default. */
  readonly input?: string;
}

export interface ChildResult {
  /** Exit code; 128 + signal number style is not used: a killed child has code 1 and `signal`. */
  readonly code: number;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** The program was not found on PATH. */
export class MissingProgramError extends Error {
  constructor(readonly program: string) {
    super(`${program} is not on PATH`);
    this.name = "MissingProgramError";
  }
}

function collect(stream: Readable, onLine: (line: string) => void): Promise<string> {
  return new Promise((resolve) => {
    const lines: string[] = [];
    const reader = createInterface({ input: stream });
    reader.on("line", (line) => {
      lines.push(line);
      onLine(line);
    });
    reader.on("close", () => {
      resolve(lines.join("\n"));
    });
  });
}

/**
 * Runs a program to its end. While it runs, SIGINT and SIGTERM to this process are passed on instead of ending it, so
 * that e.g. Pulumi can finish what it has begun and release its lock; afterwards they work as before.
 */
export async function run(program: string, args: readonly string[], options: ChildOptions = {}): Promise<ChildResult> {
  const child = spawn(program, [...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  // A terminal sends Ctrl-C to the whole process group: the child has it already.
  const onInterrupt = (): void => {
    if (!process.stdin.isTTY) child.kill("SIGINT");
  };
  const onTerminate = (): void => {
    child.kill("SIGTERM");
  };
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onTerminate);
  try {
    const ended = new Promise<{ code: number; signal: string | undefined }>((resolve, reject) => {
      child.on("error", (error: NodeJS.ErrnoException) => {
        reject(error.code === "ENOENT" ? new MissingProgramError(program) : error);
      });
      child.on("close", (code, signal) => {
        resolve({ code: code ?? 1, signal: signal ?? undefined });
      });
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    const [end, stdout, stderr] = await Promise.all([
      ended,
      collect(child.stdout, (line) => options.onLine?.(line, "stdout")),
      collect(child.stderr, (line) => options.onLine?.(line, "stderr")),
    ]);
    return { ...end, stdout, stderr };
  } finally {
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onTerminate);
  }
}
