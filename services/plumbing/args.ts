import { parseArgs } from "node:util";
import type { ListenAddress } from "./lifecycle";

/** A command line that can't be used; printed without a stack, exit code 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** One flag with a value: `--name value` or `--name=value`. */
export interface Flag {
  readonly help: string;
  /** Undefined: the flag must be given. */
  readonly fallback?: string;
}

/**
 * Reads flags.
 * @returns their values, or undefined when help is asked for.
 * @throws UsageError that names the flag.
 */
export function readFlags<Name extends string>(
  flags: Readonly<Record<Name, Flag>>,
  args: readonly string[],
): Readonly<Record<Name, string>> | undefined {
  const names = Object.keys(flags) as Name[];
  const options = Object.fromEntries(names.map((name) => [name, { type: "string" as const }]));
  let values: Readonly<Record<string, string | boolean | undefined>>;
  try {
    values = parseArgs({ args: [...args], options: { ...options, help: { type: "boolean", short: "h" } } }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  if (values["help"] === true) return undefined;
  const entries = names.map((name) => {
    const given = values[name];
    const value = typeof given === "string" ? given : flags[name].fallback;
    if (value === undefined) throw new UsageError(`--${name} is missing: ${flags[name].help}`);
    return [name, value] as const;
  });
  return Object.fromEntries(entries) as Record<Name, string>;
}

/** Help text of a subcommand's flags. */
export function flagHelp(flags: Readonly<Record<string, Flag>>): string {
  return Object.entries(flags)
    .map(
      ([name, { help, fallback }]) =>
        `  --${name.padEnd(26)} ${help}${fallback === undefined ? "" : ` (default ${fallback})`}\n`,
    )
    .join("");
}

/** `host:port`, `[v6]:port` or `:port` (all interfaces). */
export function listenAddress(flag: string, value: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(value);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw new UsageError(`--${flag}: ${value}: must be host:port`);
  const host = match[1] ?? match[2] ?? "";
  return { host: host === "" ? "0.0.0.0" : host, port };
}

/** A whole number of milliseconds, 0 to 600000. */
export function milliseconds(flag: string, value: string): number {
  if (/^[0-9]{1,6}$/.test(value) && Number(value) <= 600_000) return Number(value);
  throw new UsageError(`--${flag}: ${value}: must be a whole number of milliseconds up to 600000`);
}

/** A base URL on loopback or elsewhere: scheme, host and port, nothing else. */
export function upstreamUrl(flag: string, value: string): string {
  if (/^http:\/\/[^/?#@\s]+$/.test(value) && URL.canParse(value)) return value;
  throw new UsageError(`--${flag}: ${value}: must be a base URL like http://127.0.0.1:9095 (http, no path)`);
}
