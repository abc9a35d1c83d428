import { z } from "zod";
import { lastLines } from "./command";
import type { Workspace } from "./workspace";

const checkSchema = z.object({
  name: z.string(),
  compared: z.number(),
  mismatches: z.number(),
  first: z.array(z.looseObject({})),
  note: z.string().optional(),
});
const stepsSchema = z.object({
  compared: z.number(),
  wrong: z.number(),
  tolerated: z.number(),
  causes: z.record(z.string(), z.number()),
  first: z.array(z.looseObject({})),
  increases: checkSchema,
});
const reportSchema = z.object({
  run: z.string(),
  ok: z.boolean(),
  compared: z.number(),
  mismatches: z.number(),
  reports: z.array(z.object({ duplicates: z.number(), checks: z.array(checkSchema) })),
  steps: stepsSchema.optional(),
});

/** What `check` found. */
export type CheckOutcome = z.infer<typeof reportSchema>;

/** Runs the checker once over the newest feed of a stack. */
export async function check(workspace: Workspace, stack: string, flags: readonly string[] = []): Promise<CheckOutcome> {
  // The longest scrape interval of the suites is 10 s.
  const settle = flags.includes("--settle") ? [] : ["--settle", "15s"];
  const result = await workspace.tool(["check", stack, "--json", ...settle, ...flags]);
  const line = result.stdout.split("\n").find((each) => each.startsWith("{"));
  if (line === undefined) throw new Error(`check ended with ${String(result.code)}:\n${lastLines(result)}`);
  return reportSchema.parse(JSON.parse(line));
}

/** The checks that disagree with the ledger, with their first differences: empty when all is well. */
export function disagreements(outcome: CheckOutcome): readonly unknown[] {
  return outcome.reports.flatMap(({ checks }) => checks).filter(({ mismatches }) => mismatches > 0);
}

/** How many numbers one named check has compared. */
export function comparedBy(outcome: CheckOutcome, name: RegExp): number {
  const checks = outcome.reports.flatMap((report) => report.checks).filter((each) => name.test(each.name));
  return checks.reduce((sum, { compared }) => sum + compared, 0);
}

const resultSchema = z.object({ pushed: z.number(), counted: z.number(), seconds: z.number() });

/** The last line of `up`: `RESULT {"pushed":n,"counted":n,"seconds":n}`. */
export function resultOf(stdout: string): z.infer<typeof resultSchema> {
  const last = stdout.trimEnd().split("\n").at(-1) ?? "";
  if (!last.startsWith("RESULT ")) throw new Error(`the last line is not RESULT {...}: ${last}`);
  return resultSchema.parse(JSON.parse(last.slice("RESULT ".length)));
}
