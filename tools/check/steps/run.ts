/** Asks the root for every evaluation step of a range and judges each beside the ledger. */

import { Comparison } from "../report";
import { sum } from "../promql-math";
import { askSteps, type StepAnswers } from "./ask";
import type { StepContext } from "./context";
import { checkIncreases } from "./increases";
import type { Answered, Difference, Step, TotalStep } from "./judge";
import { judgeGateway, judgeTotals } from "./judge";
import type { StepReport } from "./report";
import { summariseSteps } from "./report";
import { Timeline } from "./timeline";

/** Steps from the first push to one interval after the last, at whole multiples of the interval. */
export function stepsOf(span: { readonly first: number; readonly last: number }, interval: number): readonly number[] {
  const first = Math.floor(span.first / interval);
  const last = Math.floor((span.last + interval) / interval);
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * interval);
}

const NOBODY: Answered = { count: 0, sum: 0, shards: [] };

/** Compares every step; an answer that is an error is an error here, too. */
export async function checkSteps(context: StepContext, onProgress: (note: string) => void): Promise<StepReport> {
  const { stored, interval, lookback, tolerance, settledBefore } = context;
  const steps = stored.span === undefined ? [] : stepsOf(stored.span, interval);
  onProgress(`${String(steps.length)} evaluation steps`);
  const answers = await askSteps(context, steps, onProgress);
  const gateways = new Map(stored.fleet.gateways.map((gateway) => [gateway.id, gateway]));
  const differences: Difference[] = [];
  let leftOut = 0;
  for (const id of new Set([...gateways.keys(), ...answers.gateways.keys()])) {
    const gateway = gateways.get(id);
    const timeline = gateway && new Timeline(stored, gateway, settledBefore, lookback);
    const answered = answers.gateways.get(id);
    const judged = steps.flatMap((at): readonly Step[] => {
      const nothing = { states: [{ count: 0, sum: 0, magnitude: 0 }] };
      const expected = timeline === undefined ? nothing : timeline.expectedAt(at);
      if (expected === undefined) leftOut += 1;
      return expected === undefined ? [] : [{ at, expected, answered: answered?.get(at) ?? NOBODY }];
    });
    differences.push(...judgeGateway(id, judged, { interval, tolerance }));
  }
  differences.push(...judgeTotals(totalsOf(steps, answers), tolerance));
  const comparison = new Comparison(
    `increase over ${String(context.window / 60_000)} m at every step`,
    "sum by (gatewayID) (increase(...))",
  );
  await checkIncreases(context, steps, answers, comparison, onProgress);
  // A warning says that a part may be missing: as wrong as a number that is not there.
  for (const warning of answers.warnings) comparison.mismatch("warning", "no warning", warning);
  return summariseSteps(steps, interval, differences, { leftOut, increases: comparison.report() });
}

function totalsOf(steps: readonly number[], answers: StepAnswers): readonly TotalStep[] {
  return steps.map((at) => {
    const parts = [...answers.gateways.values()].flatMap((byStep) => byStep.get(at) ?? []);
    const sums = parts.map((part) => part.sum);
    return {
      at,
      total: answers.totals.get(at) ?? { count: 0, sum: 0 },
      parts: {
        count: parts.reduce((total, { count }) => total + count, 0),
        sum: sum(sums),
        magnitude: sum(sums.map(Math.abs)),
      },
    };
  });
}
