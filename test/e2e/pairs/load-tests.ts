import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { prometheusName, shardName } from "../../../model/names";
import { limiter } from "../../../tools/feed/feed";
import { kubectl } from "../../../tools/kubectl";
import { PrometheusApiError } from "../../../tools/prometheus-api";
import { say } from "../../../tools/terminal";
import { until } from "../kit/wait";
import { answeredFor, gapsOf, makeGap, type Answered } from "./gaps";
import { described, kindAt, Load, pick, wayAt, type LoadReport, type Verdict, type Way } from "./load";
import { killPrometheus, podOf, scale } from "./pods";
import { difference, put, questionsOf, settledTime, windowMilliseconds, type Question } from "./questions";
import { withWays, type Ways } from "./ways";
import { letters, stack, type World } from "./world";

/** The shard that has the faults. */
const faulty = 1;

/** Seconds of load before a fault, after it, and while it lasts. */
const seconds = { before: 5, after: 15, during: 20 } as const;

/** A query of the load has failed after so many ms, and is never sent again by the client itself. */
const impatient = { timeoutMilliseconds: 15_000, connectionAttempts: 1 } as const;

/** Adapters compare what both replicas have by windows of a minute, of all but the last 9 s, every 15 s. */
const compared = { window: 60_000, behind: 30_000 } as const;

/** A write may bring samples that are this much ahead of it: `push.limits.maxFuture`. */
const ahead = 60_000;

/** Asks one way, once. */
async function asked(ways: Ways, way: Way, question: Question, tag: string): Promise<Verdict> {
  const told = (text: string) => `${way}, ${question.text(tag)}: ${text}`;
  try {
    const found = difference(question, await put(ways[way], question, tag));
    return found === undefined ? { is: "right" } : { is: "wrong", text: told(found) };
  } catch (error) {
    if (error instanceof PrometheusApiError) return { is: "error", text: told(error.message) };
    throw error;
  }
}

/** Asks every question both ways; fails at the first that is not answered as the ledger says. */
async function allRight(ways: Ways, questions: readonly Question[]): Promise<true> {
  const limited = limiter(4);
  const verdicts = questions.flatMap((question) =>
    (["frontend", "root"] as const).map((way) => limited(() => asked(ways, way, question, "before"))),
  );
  const failed = (await Promise.all(verdicts)).flatMap((verdict) => (verdict.is === "right" ? [] : [verdict.text]));
  if (failed.length === 0) return true;
  throw new Error(`${String(failed.length)} of ${String(verdicts.length)} answers are not right: ${failed[0] ?? ""}`);
}

/** Asks the questions, by kinds and ways as `kindAt` and `wayAt` say, while a fault is made and mended. */
async function underLoad(
  title: string,
  questions: readonly Question[],
  fault: () => Promise<void>,
): Promise<LoadReport> {
  const questionAt = (index: number): Question => {
    const kind = kindAt(index);
    return pick(
      questions.filter((question) => question.kind === kind),
      index,
    );
  };
  return withWays(async (ways) => {
    const load = Load.start((index) => asked(ways, wayAt(index), questionAt(index), String(index)));
    let report: LoadReport;
    try {
      await sleep(seconds.before * 1_000);
      await fault();
      await sleep(seconds.after * 1_000);
    } finally {
      report = await load.stop();
      say(`    ${title}: ${described(report)}`);
      for (const text of [...report.wrong.first, ...report.uncured.first, ...report.cured.first]) say(`      ${text}`);
    }
    return report;
  }, impatient);
}

/** No wrong answer, and no error that one second try has not cured. */
function expectRight({ wrong, uncured, unsent, asked: sent, seconds: lasted }: LoadReport): void {
  expect({ wrong: wrong.first, uncured: uncured.first, unsent }).toEqual({ wrong: [], uncured: [], unsent: 0 });
  expect(sent).toBeGreaterThan(19 * lasted);
}

/** Faults of one replica under an open loop of queries whose right answers the ledger knows. */
export function loadTests(world: () => World): void {
  /** About samples that both replicas have. */
  let clean: readonly Question[] = [];

  /** Feeds for 45 s at least, and until `during` lies behind the time that is asked about; gives the questions. */
  async function fed(during: () => Promise<void> = () => Promise.resolve()): Promise<readonly Question[]> {
    const { feed } = world();
    await feed.start();
    const enough = Date.now() + 45_000;
    await during();
    const done = Date.now();
    do await feed.nextRound();
    while (Date.now() < enough || settledTime(feed.contents()) < done);
    await feed.stop();
    expect(feed.failures()).toEqual([]);
    return questionsOf(feed.contents());
  }

  /** Waits until adapters have compared what both replicas have up to a time (ms). */
  async function comparedUpTo(time: number): Promise<void> {
    const at = (Math.floor(time / compared.window) + 1) * compared.window + compared.behind;
    await until("the adapters' look at the newest writes", { seconds: 120 }, () => Promise.resolve(Date.now() >= at));
  }

  test("before any fault every answer is what the ledger says, both ways", async () => {
    // Gaps of earlier tests must be older than all that is asked for.
    await until("a time without gaps", { seconds: 300, everyMilliseconds: 5_000 }, async () => {
      const gaps = [...(await gapsOf(world(), faulty, "a")), ...(await gapsOf(world(), faulty, "b"))];
      return Math.max(...gaps, 0) < Date.now() - windowMilliseconds - compared.window - ahead + 30_000;
    });
    clean = await fed();
    const fedAt = Date.now();
    await withWays((ways) => until("right answers", { seconds: 120 }, () => allRight(ways, clean)));
    say(
      `    ${String(clean.length)} questions, right both ways ${((Date.now() - fedAt) / 1_000).toFixed(0)} s after the feed`,
    );
    await comparedUpTo(clean[0]?.time ?? 0);
  });

  test("a replica goes and comes back: nothing is wrong, and one second try cures what fails", async () => {
    const name = prometheusName(faulty, "a");
    const report = await underLoad("replica a down", clean, async () => {
      await scale("StatefulSet", [name], 0);
      await sleep(seconds.during * 1_000);
      await scale("StatefulSet", [name], 1);
    });
    expectRight(report);
  });

  test(`also while ${shardName(faulty)} is restarted, a and then b`, async () => {
    const before = await Promise.all(letters.map((letter) => podOf("prometheus", faulty, letter)));
    const report = await underLoad("rolling update", clean, async () => {
      for (const letter of letters) {
        const resource = `statefulset/${prometheusName(faulty, letter)}`;
        await kubectl({ namespace: stack }, ["rollout", "restart", resource]);
        await kubectl({ namespace: stack }, ["rollout", "status", resource, "--timeout=240s"]);
      }
    });
    const after = await Promise.all(letters.map((letter) => podOf("prometheus", faulty, letter)));
    for (const { uid } of before) expect(after.map((pod) => pod.uid)).not.toContain(uid);
    expectRight(report);
  });

  test("also when a Prometheus is killed and replays its write-ahead log", async () => {
    let how = "";
    const report = await underLoad("replica a killed", clean, async () => {
      how = await killPrometheus(faulty, "a");
    });
    say(`    killed by ${how}`);
    const { name } = await podOf("prometheus", faulty, "a");
    expect(await kubectl({ namespace: stack }, ["logs", name, "--container", "prometheus"])).toContain(
      "WAL replay completed",
    );
    expectRight(report);
  });

  /** Load about samples of which a replica lacks some, once the adapters know; gives who answered of every 100. */
  async function loadOverGaps(title: string, questions: readonly Question[]): Promise<Answered> {
    const startedAt = Date.now();
    await withWays((ways) => until("right answers", { seconds: 180 }, () => allRight(ways, questions)));
    say(`    ${title}: all right ${((Date.now() - startedAt) / 1_000).toFixed(0)} s after the feed`);
    await comparedUpTo(questions[0]?.time ?? 0);
    const before = await answeredFor(faulty);
    const report = await underLoad(title, questions, () => sleep(seconds.during * 1_000));
    const after = await answeredFor(faulty);
    expectRight(report);
    const share = (via: keyof Answered) => Math.round((100 * (after[via] - before[via])) / report.asked);
    return { prometheus: share("prometheus"), leaf: share("leaf") };
  }

  test("where replica b lacks a write, the other one's Prometheus answers", async () => {
    const questions = await fed(async () => {
      await makeGap(world(), faulty, "b");
    });
    const answered = await loadOverGaps("a gap on b", questions);
    expect(answered.prometheus).toBeGreaterThanOrEqual(95);
  });

  test("where each replica lacks a write that the other has, the leaf puts them together", async () => {
    let gaps: readonly number[] = [];
    const questions = await fed(async () => {
      gaps = [...(await makeGap(world(), faulty, "b")), ...(await makeGap(world(), faulty, "a"))];
    });
    const time = questions[0]?.time ?? 0;
    // Both are in what is asked for.
    expect(Math.min(...gaps)).toBeGreaterThan(time - windowMilliseconds);
    expect(Math.max(...gaps)).toBeLessThan(time);
    const answered = await loadOverGaps("gaps on both", questions);
    expect(answered.leaf).toBeGreaterThanOrEqual(85);
  });
}
