/** What `make bench-exporter` measures: its flags, read strictly. */

import { parseArgs } from "node:util";
import { say, UserError } from "../../tools/terminal";

/** A whole run. */
export interface Options {
  readonly shards: number;
  /** Seconds that each arm is measured for, one kind of body after another. */
  readonly seconds: number;
  /** Minutes of the long measurement that shows whether memory stays flat; 0: none. */
  readonly minutes: number;
  /** Only kinds of bodies whose title contains this text; empty: all. */
  readonly only: string;
  /** Folder for a CPU profile of the exporter; undefined: none. */
  readonly profile: string | undefined;
  /** The report goes to docs/; else it is printed. */
  readonly isReported: boolean;
}

const help = `Usage: make bench-exporter ARGS='...'
  --shards <n>        shards, two hubs each (default 8)
  --seconds <n>       seconds for each arm and kind of body (default 20)
  --minutes <n>       minutes of the run that watches memory (default 10; 0: none)
  --only <text>       only kinds of bodies whose title contains this
  --profile <folder>  writes a CPU profile of the exporter there
  --quick             a smoke run: 3 seconds, no long run
The report goes to docs/measured/ when all kinds of bodies were measured, and not with --quick.`;

function wholeOf(name: string, text: string, minimum: number, maximum: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return value;
  throw new UserError(`--${name} ${text}: must be a whole number from ${String(minimum)} to ${String(maximum)}`);
}

/**
 * Reads the command line.
 * @returns the options, or undefined when help was asked for and printed.
 */
export function readOptions(argv: readonly string[]): Options | undefined {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      shards: text,
      seconds: text,
      minutes: text,
      only: text,
      profile: text,
      quick: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    say(help);
    return undefined;
  }
  const isQuick = values.quick;
  return {
    shards: wholeOf("shards", values.shards ?? "8", 1, 64),
    seconds: wholeOf("seconds", values.seconds ?? (isQuick ? "3" : "20"), 1, 3_600),
    minutes: wholeOf("minutes", values.minutes ?? (isQuick ? "0" : "10"), 0, 24 * 60),
    only: values.only ?? "",
    profile: values.profile,
    isReported: !isQuick && values.only === undefined,
  };
}
