/**
 * What was pushed and acknowledged: an append-only file of JSON lines. The header holds what the fleet was made from,
 * so series and values are made again rather than stored. Every line is written whole by one system call; a process
 * that is killed in between leaves at most a torn last line, which is cut off on the next opening.
 */

import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import { UserError } from "../terminal";
import type { FleetOptions } from "./fleet";

const headerSchema = z.object({
  kind: z.literal("header"),
  version: z.literal(1),
  /** Value of label `feed_run`. */
  run: z.string().min(1),
  /** Milliseconds since 1970. */
  startedAt: z.number(),
  /** Seconds between rounds. */
  intervalSeconds: z.number(),
  fleet: z.object({
    seed: z.number(),
    gateways: z.number().int(),
    meanSeries: z.number(),
    unassignedSeries: z.number().int(),
    churn: z.number(),
    churnSeconds: z.number(),
  }),
});

/** Written before the first push of a timestamp leaves: from here on it may have been stored. */
const sendSchema = z.object({ kind: z.literal("send"), g: z.number().int(), t: z.number() });

/** The push of gateway number `g` at `t` (ms) was acknowledged at `at` (ms of the wall clock). */
const ackSchema = z.object({
  kind: z.literal("ack"),
  g: z.number().int(),
  t: z.number(),
  at: z.number(),
  /** Lines of the body (counted from 1) that the exporter refused; the others are stored. */
  rejected: z.array(z.object({ line: z.number().int(), reason: z.string() })).optional(),
});

/** The push was given up; whether something of it is stored is not known. */
const failSchema = z.object({ kind: z.literal("fail"), g: z.number().int(), t: z.number(), error: z.string() });

const recordSchema = z.discriminatedUnion("kind", [sendSchema, ackSchema, failSchema]);

export type LedgerHeader = z.infer<typeof headerSchema> & { readonly fleet: FleetOptions };
export type LedgerRecord = z.infer<typeof recordSchema>;

/** A ledger as it was read. */
export interface LedgerContents {
  readonly header: LedgerHeader;
  readonly records: readonly LedgerRecord[];
  /** Bytes after the last whole record, left by a process that was killed while writing; 0 normally. */
  readonly tornBytes: number;
  /** Bytes up to the end of the last whole record. */
  readonly wholeBytes: number;
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Reads a ledger. A torn last line is left out; a broken line before it is an error, because then records are gone. */
export function readLedger(path: string): LedgerContents {
  if (!existsSync(path)) throw new UserError(`ledger ${path} does not exist`, "run a feed first, or name the file");
  const bytes = readFileSync(path);
  const wholeBytes = bytes.lastIndexOf(0x0a) + 1;
  const lines = bytes.subarray(0, wholeBytes).toString("utf8").split("\n").slice(0, -1);
  const header = headerSchema.safeParse(parseLine(lines[0] ?? ""));
  if (!header.success)
    throw new UserError(`ledger ${path} has no readable header`, "it is not a ledger, or of another version");
  const records = lines.slice(1).map((line, index) => {
    const record = recordSchema.safeParse(parseLine(line));
    if (record.success) return record.data;
    throw new UserError(`ledger ${path} is damaged at line ${String(index + 2)}: ${line.slice(0, 80)}`);
  });
  return { header: header.data, records, tornBytes: bytes.length - wholeBytes, wholeBytes };
}

/** A ledger that is being written. */
export class LedgerWriter {
  private constructor(
    readonly path: string,
    readonly header: LedgerHeader,
    private readonly descriptor: number,
  ) {}

  /** Starts a new file; an existing one is an error, because a run has one ledger. */
  static create(path: string, header: Omit<LedgerHeader, "kind" | "version">): LedgerWriter {
    mkdirSync(dirname(path), { recursive: true });
    const whole: LedgerHeader = { kind: "header", version: 1, ...header };
    const writer = new LedgerWriter(path, whole, openSync(path, "ax"));
    writer.line(whole);
    fsyncSync(writer.descriptor);
    return writer;
  }

  /** Goes on with an existing file, after cutting off a torn last line. */
  static resume(path: string): LedgerWriter {
    const { header, tornBytes, wholeBytes } = readLedger(path);
    if (tornBytes > 0) truncateSync(path, wholeBytes);
    return new LedgerWriter(path, header, openSync(path, "a"));
  }

  append(record: LedgerRecord): void {
    this.line(record);
  }

  close(): void {
    fsyncSync(this.descriptor);
    closeSync(this.descriptor);
  }

  private line(value: LedgerHeader | LedgerRecord): void {
    writeSync(this.descriptor, `${JSON.stringify(value)}\n`);
  }
}
