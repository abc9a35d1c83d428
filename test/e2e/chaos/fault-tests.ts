import { afterEach, expect, test } from "vitest";
import { chosenFaults, type Fault, type LossFault } from "../../faults";
import { comparedBy, disagreements } from "../kit/checker";
import { form } from "../kit/form";
import { sameButRepeated, sameOnBoth } from "../kit/held";
import {
  exporterCutOff,
  exporterKilled,
  exportersDisagree,
  exportersRestarted,
  retryAfter503,
} from "./exporter-faults";
import { risen } from "./exposition";
import { hubFull, hubHung, hubKilled, hubsHung, hubsKilled } from "./hub-faults";
import { rescaled } from "./rescale";
import { isLoss } from "./loss-tests";
import { shardCount, stack, type World } from "./world";

/** A fault, and what an operator sees of it. */
interface Case {
  readonly run: (world: World) => Promise<void>;
  /** Series of the exporters' own metrics, at least one of which grows. */
  readonly seen: RegExp;
  /** Shards afterwards; default those of the stack. */
  readonly shards?: number;
  /**
   * Pushes get an error, hubs take them all the same, and the next try goes to another shard: such samples may be on one
   * replica of the first shard alone, and `increase` counts what both shards hold twice (docs/faults.md).
   */
  readonly isRepeated?: boolean;
}

const failures = /^exporter_hub_failures_total\{/;
const failovers = /^exporter_failover_samples_total\{/;
/** A new process: its start time counts from 0, or is later than the one before. */
const restarts = /^process_start_time_seconds/;

/** Faults that lose nothing. */
type KeptFault = Exclude<Fault, LossFault>;

const cases: Readonly<Record<KeptFault, Case>> = {
  "hub-killed": { run: hubKilled, seen: failures },
  "hubs-killed": { run: hubsKilled, seen: failovers },
  "hub-hung": { run: hubHung, seen: /^exporter_hub_failures_total\{.*timeout/ },
  "exporters-restarted": { run: exportersRestarted, seen: restarts },
  "exporter-killed": { run: exporterKilled, seen: restarts },
  "hub-full": { run: hubFull, seen: /^exporter_hub_failures_total\{.*full/ },
  "hubs-hung": { run: hubsHung, seen: failovers },
  "exporter-cut-off": { run: exporterCutOff, seen: failures },
  "exporters-disagree": { run: exportersDisagree, seen: failovers },
  "retry-after-503": { run: retryAfter503, seen: /^exporter_samples_unplaced_total/, isRepeated: true },
  rescale: { run: rescaled, seen: restarts, shards: 4 },
};

/** Faults that share a feed and a check. */
type Group = readonly KeptFault[];

/** Each under a feed of its own, so that one does not hide in another's lookback; the short form has no time for that. */
function groups(): readonly { readonly title: string; readonly faults: Group }[] {
  const only = process.env["CHAOS_ONLY"] ?? "";
  const chosen = chosenFaults(only, form).flatMap(({ name, shows }) => (isLoss(name) ? [] : [{ name, shows }]));
  if (form === "long" || only !== "") {
    return chosen.map(({ name, shows }) => ({ title: `${name}: ${shows}`, faults: [name] }));
  }
  if (chosen.length === 0) return [];
  return [{ title: chosen.map(({ shows }) => shows).join("; "), faults: chosen.map(({ name }) => name) }];
}

/** Faults one after another under a feed; each must show in the exporters' metrics, and nothing must be lost or wrong. */
export function faultTests(world: () => World): void {
  afterEach(async () => {
    await world().healAll();
    await world().feed.stop();
  });

  async function bear(name: KeptFault): Promise<void> {
    const { run, seen } = cases[name];
    const before = await world().readings();
    await run(world());
    const after = await world().readings();
    expect.soft(risen(before, after, seen), `${name}: growth of ${seen.source}`).toBeGreaterThan(0);
  }

  test.each(groups())(
    "$title",
    async ({ faults }) => {
      await world().startFeed();
      for (const name of faults) await bear(name);
      await world().feed.stop();
      const shards = Math.max(...faults.map((name) => cases[name].shards ?? shardCount));
      await world().recovered(shards);
      const isRepeated = faults.some((name) => cases[name].isRepeated === true);
      const outcome = await world().compared(faults.length, isRepeated);
      expect.soft(world().feed.failures(), "pushes that were given up").toEqual([]);
      expect.soft(disagreements(outcome), "what the root answers beside the ledger").toEqual([]);
      expect.soft(comparedBy(outcome, /^samples$/)).toBeGreaterThan(1_000);
      expect.soft(outcome.steps?.first, "evaluation steps wrong for longer than one scrape interval").toEqual([]);
      expect.soft(outcome.steps?.compared).toBeGreaterThan(5);
      if (!isRepeated) expect.soft(outcome.steps?.increases.first, "increase across moves").toEqual([]);
      expect.soft(outcome.reports.map(({ duplicates }) => duplicates)).toEqual([0]);
      const selector = `{feed_run="${world().feed.run()}"}`;
      const all = Array.from({ length: shards }, (_, shard) => shard);
      if (isRepeated) await sameButRepeated(stack, all, selector, 30);
      else for (const shard of all) await sameOnBoth(stack, shard, selector, 30);
    },
    1_200_000,
  );
}
