/** `sum by (gatewayID) (increase(x[window]))` at every step, across moves. */

import type { Gateway } from "../../feed/fleet";
import { counters } from "../checks";
import type { Point } from "../promql-math";
import type { Comparison } from "../report";
import type { Stored } from "../stored";
import type { StepAnswers } from "./ask";
import { askRange } from "./ask";
import type { StepContext } from "./context";
import { arrivalsOf, increaseBounds, increaseIsRight } from "./moves";

/** A gateway's samples of one metric, and the pushes of which nobody knows whether they are stored. */
interface History {
  readonly series: readonly (readonly Point[])[];
  readonly maybes: readonly number[];
}

function historyOf(stored: Stored, gateway: Gateway, metric: string, settledBefore: number): History {
  const pushes = stored.pushesOf(gateway, -Infinity, Infinity, settledBefore);
  const found = stored.seriesOf(gateway, pushes, ({ name }) => name === metric);
  return {
    series: [...found.values()].map(({ points }) => points),
    maybes: pushes.filter(({ state }) => state === "maybe").map(({ timestamp }) => timestamp),
  };
}

/** Compares the increase of every checked counter at every step with what the ledger's samples give. */
export async function checkIncreases(
  context: StepContext,
  steps: readonly number[],
  answers: StepAnswers,
  comparison: Comparison,
  onProgress: (note: string) => void,
): Promise<void> {
  const { stored, window, tolerance, settledBefore } = context;
  let returned = 0;
  let unknown = 0;
  for (const metric of counters) {
    onProgress(`increase of ${metric}`);
    const answered = new Map<string, Map<number, number>>();
    const query = `sum by (gatewayID) (increase(${metric}{feed_run="${stored.fleet.run}"}[${String(window)}ms]))`;
    await askRange(context, query, steps, ({ labels, values }) => {
      const id = labels["gatewayID"] ?? "";
      answered.set(id, new Map([...(answered.get(id) ?? []), ...values]));
    });
    for (const gateway of stored.fleet.gateways) {
      const history = historyOf(stored, gateway, metric, settledBefore);
      const places = [...(answers.gateways.get(gateway.id) ?? [])]
        .sort(([left], [right]) => left - right)
        .map(([at, { shards }]) => ({ at, shards }));
      const arrivals = arrivalsOf(places);
      for (const at of steps) {
        const inWindow = (time: number): boolean => time > at - window && time <= at;
        if (history.maybes.some(inWindow)) {
          unknown += 1;
          continue;
        }
        const points = history.series.map((each) => each.filter(([time]) => inWindow(time)));
        const bounds = increaseBounds(points, at, window);
        const got = answered.get(gateway.id)?.get(at) ?? 0;
        // The step at which a move shows is later than the push that moved.
        const moved = arrivals.filter((each) => inWindow(each.at) || inWindow(each.at - context.interval));
        const right = increaseIsRight(got, bounds, moved, tolerance);
        if (right === undefined) returned += 1;
        else if (right) comparison.ok();
        else {
          const what = `${metric} of ${gateway.id === "" ? "(no gateway)" : gateway.id} @ ${String(at)}, ${String(moved.length)} moves`;
          comparison.mismatch(what, `${String(bounds.least)} to ${String(bounds.most)}`, String(got));
        }
      }
    }
  }
  if (unknown > 0) comparison.note(`${String(unknown)} left out: pushes that may or may not be stored`);
  if (returned > 0) comparison.note(`${String(returned)} left out: a shard got a key back within the window`);
}
