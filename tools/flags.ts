/** Command line flags of the subcommands: declared once, parsed strictly, printed by --help. */

import { parseArgs } from "node:util";
import { parseDuration } from "../model/durations";
import { say, UserError } from "./terminal";

/** One flag. A flag without `value` is a switch. */
export interface Flag {
  /** Placeholder of the value in the help, e.g. `seconds`. */
  readonly value?: string;
  readonly description: string;
  /** Shown in the help; the command applies it. */
  readonly default?: string;
  /** The flag may be given several times. */
  readonly multiple?: boolean;
}

/** A subcommand. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** What stands after the command's name, e.g. `[STACK]`. */
  readonly usage: string;
  readonly details?: readonly string[];
  readonly flags: Readonly<Record<string, Flag>>;
  /** Gives the exit code. */
  run(args: Arguments): Promise<number>;
}

/** Parsed arguments of a subcommand. */
export class Arguments {
  constructor(
    readonly positionals: readonly string[],
    private readonly values: Readonly<Record<string, readonly string[]>>,
  ) {}

  /** The stack to work on: the first argument, else the variable STACK, else `dev`. */
  get stack(): string {
    const stack = this.positionals[0] ?? process.env.STACK ?? "";
    return stack === "" ? "dev" : stack;
  }

  has(name: string): boolean {
    return this.values[name] !== undefined;
  }

  text(name: string): string | undefined {
    return this.values[name]?.at(-1);
  }

  texts(name: string): readonly string[] {
    return this.values[name] ?? [];
  }

  /** A number between `minimum` and `maximum`; `fallback` when the flag is not given. */
  number(name: string, fallback: number, minimum: number, maximum: number): number {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (text.trim() !== "" && value >= minimum && value <= maximum) return value;
    throw new UserError(`--${name} ${text}: must be a number from ${String(minimum)} to ${String(maximum)}`);
  }

  /** Like `number`, without fractions. */
  integer(name: string, fallback: number, minimum: number, maximum: number): number {
    const value = this.number(name, fallback, minimum, maximum);
    if (Number.isInteger(value)) return value;
    throw new UserError(`--${name} ${String(value)}: must be a whole number`);
  }

  /** A duration in seconds: a number of them, or Prometheus' notation (`90`, `90s`, `1m30s`). */
  seconds(name: string, fallback: number, minimum: number, maximum: number): number {
    const text = this.text(name);
    const parsed = text === undefined || !/[a-z]$/.test(text) ? undefined : parseDuration(text);
    if (parsed === undefined) return this.number(name, fallback, minimum, maximum);
    const value = parsed / 1_000;
    if (value >= minimum && value <= maximum) return value;
    throw new UserError(`--${name} ${text ?? ""}: must be from ${String(minimum)} to ${String(maximum)} seconds`);
  }

  /** A time in ms: ISO 8601, or seconds since 1970, or `-10m` before `now`. */
  time(text: string, now: number): number {
    const before = /^-(\d+(?:\.\d+)?)(s|m|h|d)$/.exec(text);
    if (before !== null) {
      const unit = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[before[2] ?? "s"] ?? 1_000;
      return Math.round(now - Number(before[1]) * unit);
    }
    if (text === "now") return now;
    const value = /^\d+(\.\d+)?$/.test(text) ? Math.round(Number(text) * 1_000) : Date.parse(text);
    if (!Number.isNaN(value)) return value;
    throw new UserError(`${text} is not a time`, "give ISO 8601, seconds since 1970, now, or e.g. -10m");
  }
}

/** Parses what follows the command's name. Unknown flags and too many arguments are errors. */
export function parseFlags(command: Command, argv: readonly string[], maximumPositionals: number): Arguments {
  const options = Object.fromEntries(
    Object.entries(command.flags).map(([name, flag]) => [
      name,
      { type: flag.value === undefined ? ("boolean" as const) : ("string" as const), multiple: true },
    ]),
  );
  try {
    const parsed = parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
    if (parsed.positionals.length > maximumPositionals) {
      throw new UserError(`too many arguments: ${parsed.positionals.slice(maximumPositionals).join(" ")}`);
    }
    const values: Record<string, readonly string[]> = {};
    for (const [name, value] of Object.entries(parsed.values)) {
      const given = Array.isArray(value) ? value.map(String) : [String(value)];
      if (given.length > 1 && command.flags[name]?.multiple !== true && command.flags[name]?.value !== undefined) {
        throw new UserError(`--${name} is given twice`);
      }
      values[name] = given;
    }
    return new Arguments(parsed.positionals, values);
  } catch (error) {
    const help = `tools/cli.ts ${command.name} --help lists the flags`;
    if (error instanceof UserError) throw new UserError(error.message, help);
    throw new UserError(error instanceof Error ? error.message : String(error), help);
  }
}

/** Prints a command's help. */
export function printHelp(command: Command): void {
  const lines = [`${command.name}: ${command.summary}`, "", `  ${command.name} ${command.usage}`];
  for (const detail of command.details ?? []) lines.push("", detail);
  const entries = Object.entries(command.flags);
  if (entries.length > 0) lines.push("");
  for (const [name, flag] of entries) {
    const left = `  --${name}${flag.value === undefined ? "" : ` <${flag.value}>`}`;
    const fallback = flag.default === undefined ? "" : ` (default ${flag.default})`;
    lines.push(`${left.padEnd(30)}${flag.description}${fallback}`);
  }
  process.stdout.write(`${lines.join("\n")}\n`);
}

/** Aborts on the first SIGINT or SIGTERM, with a note that the second one ends at once. */
export function interruptSignal(note: string): { readonly signal: AbortSignal; readonly dispose: () => void } {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(130);
    say(`    ${note} (again to stop at once)`);
    controller.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  const dispose = (): void => {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  };
  return { signal: controller.signal, dispose };
}
