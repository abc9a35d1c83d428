/** Runs programs and vitest, and counts what passed and failed. */
import { spawn, type StdioOptions } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { say, secondsSince } from "../tools/terminal";

export const repository = join(__dirname, "..");

/** Starts a TypeScript program of ours. */
export const loader = ["node", "--require", "tsx/cjs"] as const;

/** What one check or suite came to. */
export interface Outcome {
  readonly title: string;
  readonly passed: number;
  readonly failed: number;
  readonly seconds: number;
}

/** Where a program's output goes: on as it comes, or kept and printed whole at its end, for programs side by side. */
export type Printing = "live" | "whole";

/** A program of `node_modules/.bin`, without npx in between, which takes half a second. */
export function packageProgram(name: string): string {
  return join(repository, "node_modules", ".bin", name);
}

function spawned(
  command: readonly string[],
  printing: Printing,
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ readonly code: number; readonly printed: string }> {
  const [program = "", ...args] = command;
  const output = printing === "live" ? "inherit" : "pipe";
  const colors = printing === "whole" && process.stdout.isTTY ? { FORCE_COLOR: "1" } : {};
  return new Promise((resolve) => {
    const stdio: StdioOptions = ["ignore", output, output];
    const child = spawn(program, args, { cwd: repository, stdio, env: { ...colors, ...env } });
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", (error) => {
      resolve({ code: 127, printed: `${error.message}\n` });
    });
    child.on("close", (code) => {
      resolve({ code: code ?? 1, printed: Buffer.concat(chunks).toString() });
    });
  });
}

/** Says what begins; gives a function that says how it ended, after what it printed meanwhile. */
function announced(title: string, printing: Printing): (failure: string | undefined, printed: string) => number {
  const startedAt = Date.now();
  say(`==> ${title}`);
  return (failure, printed) => {
    const seconds = secondsSince(startedAt);
    if (printing === "whole") {
      process.stdout.write(printed);
      say(`    ${title}: ${failure === undefined ? "done" : "FAILED"} after ${seconds} s`);
    }
    if (failure !== undefined) say(`    FAILED: ${failure}`);
    return Number(seconds);
  };
}

/** Runs a command that passes with exit code 0. */
export async function checked(
  title: string,
  command: readonly string[],
  printing: Printing = "live",
): Promise<Outcome> {
  const ended = announced(title, printing);
  const { code, printed } = await spawned(command, printing);
  const seconds = ended(code === 0 ? undefined : command.join(" "), printed);
  return { title, passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, seconds };
}

const reportSchema = z.object({ numPassedTests: z.number(), numFailedTests: z.number(), success: z.boolean() });

/** Runs vitest and counts its tests; a run that breaks off or has no test counts as one failure. */
export async function tested(
  title: string,
  before: readonly string[],
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  printing: Printing = "live",
): Promise<Outcome> {
  const ended = announced(title, printing);
  const folder = mkdtempSync(join(tmpdir(), "scaled-prometheus-report-"));
  const report = join(folder, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const command = [...before, packageProgram("vitest"), "run", ...args, ...reporters];
  const { code, printed } = await spawned(command, printing, env);
  const parsed = existsSync(report) ? reportSchema.safeParse(JSON.parse(readFileSync(report, "utf8"))) : undefined;
  rmSync(folder, { recursive: true, force: true });
  const seconds = ended(code === 0 ? undefined : ["vitest", "run", ...args].join(" "), printed);
  if (parsed?.success !== true) return { title, passed: 0, failed: 1, seconds };
  const { numPassedTests: passed, numFailedTests: failed, success } = parsed.data;
  const brokenOff = failed === 0 && (!success || code !== 0 || passed === 0);
  return { title, passed, failed: brokenOff ? 1 : failed, seconds };
}
