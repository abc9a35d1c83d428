/**
 * The correctness oracle: the whole query path over shards answers as one Prometheus with the same samples does, in
 * generated queries and in upstream's own tests. `make test` runs a short form, `make oracle` and `make test-full` the
 * long one. Variables: ORACLE_FORM=long, ORACLE_SEED, ORACLE_QUERIES (generated ones, per number of shards).
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { say } from "../../tools/terminal";
import { realTools } from "../unit/components/rules/real-tools";
import { adapterShares } from "./adapter-shares";
import { duration, fleetSeries } from "./fleet";
import { knownDifferences } from "./known-differences";
import { generatedQueries } from "./promql-generator";
import type { QueryCase } from "./query-case";
import { runCase, runCases, type Compared, type Outcome } from "./run-cases";
import { onShards, upstreamTests } from "./upstream";
import { startWorld, type World } from "./world";

const { prometheus, promtool, thanos } = realTools;

const isLong = process.env["ORACLE_FORM"] === "long";
const seed = Number(process.env["ORACLE_SEED"] ?? 20_260_101);
const count = Number(process.env["ORACLE_QUERIES"] ?? (isLong ? 2_000 : 250));
/** In the short form every so many of upstream's expressions. */
const everyUpstream = isLong ? 1 : 10;
const minutes = 60_000;
const patience = (isLong ? 60 : 8) * minutes;

/** Yesterday from 21:00 to 03:00 UTC: the frontend splits at midnight. Seconds since the epoch. */
const start = Math.floor(Date.now() / 86_400_000) * 86_400 - 86_400 - 3 * 3600;
const upstream = upstreamTests(start - 7200);

function percent(part: number, all: number): string {
  return `${((100 * part) / Math.max(1, all)).toFixed(1)} %`;
}

/** What nobody expects, with all that is needed to see it again. */
function faults(outcomes: readonly Outcome[], via: "root" | "frontend"): readonly string[] {
  return outcomes
    .map((outcome) => outcome[via])
    .filter((compared): compared is Compared => compared !== undefined && compared.known === undefined)
    .map(({ found: { asked, text } }) => `${asked.origin}: ${asked.query} ${JSON.stringify(asked.times)}: ${text}`);
}

function summarise(outcomes: readonly Outcome[], shards: number): void {
  for (const origin of ["generated", "upstream"] as const) {
    const own = outcomes.filter(({ asked }) => (asked.origin === "generated") === (origin === "generated"));
    const kinds = (kind: Outcome["kind"]) => own.filter((outcome) => outcome.kind === kind).length;
    const same = (via: "root" | "frontend") => own.filter((outcome) => outcome[via] === undefined).length;
    say(
      `    N=${String(shards)} ${origin}: ${String(own.length)} queries, ` +
        `${percent(kinds("answer"), own.length)} with an answer, ${String(kinds("error"))} errors; ` +
        `the same through the root ${String(same("root"))}, through the frontend ${String(same("frontend"))}`,
    );
  }
  for (const { name } of knownDifferences) {
    const times = outcomes.filter(({ root, frontend }) => (root ?? frontend)?.known?.name === name).length;
    if (times > 0) say(`      ${String(times)} x ${name}`);
  }
}

describe.skipIf(prometheus === undefined || promtool === undefined || thanos === undefined)("oracle", () => {
  describe.each(isLong ? [2, 3] : [2])("with %i shards", (shards) => {
    let world: World;
    let outcomes: readonly Outcome[];

    beforeAll(async () => {
      if (upstream.isThere) {
        const { version, cases, leftOut } = upstream;
        say(`    upstream's tests of ${version}: ${String(cases.length)}; left out: ${JSON.stringify(leftOut)}`);
      } else {
        say(`    without upstream's tests: ${upstream.reason}`);
      }
      const series = [
        ...(upstream.isThere ? onShards(upstream.series, shards) : []),
        ...fleetSeries(shards, start * 1000),
      ];
      const first = upstream.isThere ? upstream.start : start;
      const programs = { prometheus: prometheus ?? "", promtool: promtool ?? "", thanos: thanos ?? "" };
      world = await startWorld(programs, shards, series, { first, start, end: start + duration });
      const cases: readonly QueryCase[] = [
        ...generatedQueries(seed + shards, count, start),
        ...(upstream.isThere ? upstream.cases.filter((_, at) => at % everyUpstream === 0) : []),
      ];
      say(`    N=${String(shards)}: seed ${String(seed + shards)}, ${String(cases.length)} queries`);
      let done = 0;
      outcomes = await runCases(world, cases, (outcome) => {
        for (const fault of faults([outcome], "root")) say(`    FAULT ${fault}`);
        if (++done % 500 === 0) say(`    ${String(done)} of ${String(cases.length)}`);
      });
      summarise(outcomes, shards);
    }, patience);

    afterAll(() => world.processes.stop());

    test.each(["root", "frontend"] as const)("the %s answers as one Prometheus does", (via) => {
      const found = faults(outcomes, via);
      expect(found.slice(0, 20), `${String(found.length)} unexplained; seed ${String(seed + shards)}`).toStrictEqual(
        [],
      );
    });

    test("what the frontend has in its cache is the same", () => {
      const changed = outcomes.filter(({ changesInCache }) => changesInCache !== undefined);
      expect(changed.map(({ asked, changesInCache }) => [asked.query, asked.times, changesInCache])).toStrictEqual([]);
    });

    test("at least 80 % of the generated queries have an answer", () => {
      const generated = outcomes.filter(({ asked }) => asked.origin === "generated");
      expect(generated).toHaveLength(count);
      const answered = generated.filter(({ kind }) => kind === "answer");
      expect(answered.length / generated.length).toBeGreaterThanOrEqual(0.8);
    });

    test("most queries are pushed down, and some come from the leaf", async () => {
      const { pushed, leaf, refused, reasons } = await adapterShares(world);
      const all = pushed + leaf + refused;
      say(
        `    N=${String(shards)} adapters: ${String(all)} queries, ${percent(pushed, all)} pushed down, ` +
          `${percent(leaf, all)} by the leaf, ${percent(refused, all)} refused; reasons ${JSON.stringify(reasons)}`,
      );
      expect(pushed / all).toBeGreaterThan(0.6);
      expect(leaf / all).toBeGreaterThan(0.02);
    });

    test.each(knownDifferences)("still differs: $name", async (known) => {
      const { root } = await runCase(world, { origin: "proof", ...known.proof(start) });
      expect(root?.known?.name, root?.found.text).toBe(known.name);
    });
  });
});
