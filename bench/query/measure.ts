/** Measures one query on one N: every arm in turn, repetition by repetition, the answers compared before. */

import { difference, parseAnswer, sizeOf, type Answer } from "./answers";
import { mergeAnswers } from "./direct";
import type { ArmAccess, Group, Tap } from "./group";
import { ask, reasonOf } from "./http";
import type { Arm } from "./options";
import { bytesRead, cpuSeconds, peakMemory, resetPeak } from "./proc";
import type { Running } from "./processes";
import { queryText } from "./protobuf";
import { hasParts, isAskedInRound, type BenchQuery } from "./query-set";
import type { ArmResult, QueryResult, Sample } from "./results";
import type { Parts } from "./statistics";
import { WireClient, type Captured } from "./wire";

/** An arm did not answer. */
class NoAnswerError extends Error {}

const now = (): number => performance.now() / 1_000;

async function answered(url: string, query: BenchQuery): Promise<Buffer> {
  const timed = await ask(url, query.request);
  if (timed.status !== 200) throw new NoAnswerError(reasonOf(timed));
  return timed.body;
}

/** Asks one shard's Prometheus its part. */
async function askPart(url: string, query: BenchQuery): Promise<Buffer> {
  if (query.direct === undefined) throw new NoAnswerError("takes more than a simple merge");
  const timed = await ask(url, query.direct.request);
  if (timed.status !== 200) throw new NoAnswerError(reasonOf(timed));
  return timed.body;
}

function merged(parts: readonly Buffer[], query: BenchQuery): Answer {
  const answers = parts.map((part) => parseAnswer(part.toString("utf8")));
  return mergeAnswers(answers, query.direct?.merge ?? { how: "side by side" });
}

/** Asks an arm as its users would; gives the answer for comparison, parsed outside the clock where a server gave it. */
async function askArm(arm: Arm, access: ArmAccess, query: BenchQuery): Promise<() => Answer> {
  if (arm === "direct") {
    const answer = merged(await Promise.all(access.urls.map((url) => askPart(url, query))), query);
    return () => answer;
  }
  const body = await answered(access.urls[0] ?? "", query);
  return () => parseAnswer(body.toString("utf8"));
}

/** `prometheus-3` is a `prometheus`; the two roots of an arm are told apart by name anyway. */
function programOf({ name }: Running): string {
  return name
    .replace(/-\d+$/, "")
    .replace(/^(root|gate)-.*/, "$1")
    .replace(/^single$/, "prometheus");
}

/** Runs `work` and notes what the processes used meanwhile. */
async function observed(processes: readonly Running[], work: () => Promise<unknown>): Promise<Sample> {
  for (const { pid } of processes) resetPeak(pid);
  // The gate reads what shards send it by itself.
  const roots = processes.filter((running) => ["root", "gate"].includes(programOf(running)));
  const read = (): number => roots.reduce((sum, { pid }) => sum + bytesRead(pid), 0);
  const cpuBefore = processes.map(({ pid }) => cpuSeconds(pid));
  const readBefore = read();
  const startedAt = now();
  await work();
  const wall = now() - startedAt;
  const cpu: Record<string, number> = {};
  processes.forEach((running, index) => {
    const used = Math.max(0, cpuSeconds(running.pid) - (cpuBefore[index] ?? 0));
    cpu[programOf(running)] = (cpu[programOf(running)] ?? 0) + used;
  });
  return {
    wall,
    cpu,
    memory: processes.reduce((sum, { pid }) => sum + peakMemory(pid), 0),
    rootRead: read() - readBefore,
  };
}

/** What the root sends to each shard for a query, and what comes back. */
interface Capture {
  /** What the root answered. */
  readonly body: Buffer;
  readonly byShard: readonly (readonly Captured[])[];
  readonly remote: readonly string[];
  readonly grpcBytes: number;
}

async function capture(tap: Tap, query: BenchQuery): Promise<Capture> {
  for (const recorder of tap.recorders) recorder.record();
  const body = await answered(tap.url, query);
  const byShard = tap.recorders.map((recorder) => recorder.captured);
  const all = byShard.flat();
  return {
    body,
    byShard,
    remote: [...new Set(all.map(({ path, body }) => queryText(path, body)))],
    grpcBytes: all.reduce((sum, { reply }) => sum + reply.body.length, 0),
  };
}

/** Each shard's endpoint alone with the captured requests, then the root with the recorded answers. */
async function tapParts(
  tap: Tap,
  clients: readonly WireClient[],
  captured: Capture,
  query: BenchQuery,
): Promise<Parts> {
  const shards: number[] = [];
  for (const [shard, requests] of captured.byShard.entries()) {
    const client = clients[shard];
    if (client === undefined) continue;
    const startedAt = now();
    const replies = await Promise.all(requests.map((request) => client.call(request)));
    shards.push(now() - startedAt);
    const bad = replies.find(({ status }) => status !== "0");
    if (bad !== undefined) throw new NoAnswerError(`shard ${String(shard)} alone: ${bad.status} ${bad.message}`);
  }
  for (const recorder of tap.recorders) recorder.replay();
  const timed = await ask(tap.url, query.request);
  if (timed.status !== 200) throw new NoAnswerError(`root with recorded answers: ${reasonOf(timed)}`);
  const misses = tap.recorders.reduce((sum, recorder) => sum + recorder.misses, 0);
  if (misses > 0) throw new NoAnswerError(`the root asked ${String(misses)} times what was not recorded`);
  return { shards, root: timed.seconds };
}

async function directParts(access: ArmAccess, query: BenchQuery): Promise<Parts> {
  const shards: number[] = [];
  const bodies: Buffer[] = [];
  for (const url of access.urls) {
    const startedAt = now();
    bodies.push(await askPart(url, query));
    shards.push(now() - startedAt);
  }
  const startedAt = now();
  merged(bodies, query);
  return { shards, root: now() - startedAt };
}

/** One arm while its query is measured. */
interface Lane {
  readonly arm: Arm;
  readonly access: ArmAccess;
  readonly clients: readonly WireClient[];
  result: ArmResult;
  captured: Capture | undefined;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** First answer of an arm, from the root that is captured where its parts are measured. */
async function firstAnswer(lane: Lane, query: BenchQuery): Promise<Answer> {
  if (lane.access.tap === undefined || !hasParts(query, lane.arm))
    return (await askArm(lane.arm, lane.access, query))();
  const captured = await capture(lane.access.tap, query);
  lane.captured = captured;
  lane.result = { ...lane.result, remote: [...captured.remote], grpcBytes: captured.grpcBytes };
  return parseAnswer(captured.body.toString("utf8"));
}

/** First run of an arm: warms it up, compares its answer, captures what its root sends. */
async function prepare(lane: Lane, query: BenchQuery, reference: Answer | undefined): Promise<Answer | undefined> {
  try {
    const answer = await firstAnswer(lane, query);
    const differs = reference === undefined ? undefined : difference(reference, answer);
    if (differs !== undefined) lane.result = { ...lane.result, difference: differs };
    return answer;
  } catch (error) {
    lane.result = { ...lane.result, error: messageOf(error) };
    return undefined;
  }
}

async function partsOf(lane: Lane, query: BenchQuery): Promise<Parts | undefined> {
  if (lane.arm === "direct") return directParts(lane.access, query);
  if (lane.access.tap === undefined || lane.captured === undefined) return undefined;
  return tapParts(lane.access.tap, lane.clients, lane.captured, query);
}

async function repeat(lane: Lane, query: BenchQuery): Promise<void> {
  try {
    const sample = await observed(lane.access.processes, () => askArm(lane.arm, lane.access, query));
    let parts: Parts | undefined;
    try {
      parts = lane.result.noParts === undefined ? await partsOf(lane, query) : undefined;
    } catch (error) {
      lane.result = { ...lane.result, noParts: messageOf(error) };
    }
    const whole = parts === undefined ? sample : { ...sample, parts: { ...parts, shards: [...parts.shards] } };
    lane.result = { ...lane.result, samples: [...lane.result.samples, whole] };
  } catch (error) {
    lane.result = { ...lane.result, error: messageOf(error), samples: [] };
  }
}

/** Rounds and queries after which connections stand and just-in-time compilers have seen the usual paths. */
const WARM_UP_ROUNDS = 10;

/** Warms up a new group: programs of a pipeline have run for days. */
export async function warmUp(group: Group, queries: readonly BenchQuery[]): Promise<void> {
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    for (const query of queries) {
      for (const { urls, tap } of group.arms.values()) {
        for (const url of [...urls, ...(tap === undefined ? [] : [tap.url])]) await ask(url, query.request);
      }
    }
  }
}

/**
 * Measures `query` with every arm of the group that is to answer it.
 * @param repetitions Most rounds of all arms; the first is always run.
 * @param mayRepeat May another round begin that takes as many seconds as the last one?
 */
export async function measure(
  group: Group,
  query: BenchQuery,
  repetitions: number,
  mayRepeat: (lastRound: number) => boolean,
): Promise<QueryResult> {
  const lanes = [...group.arms]
    .filter(([arm]) => (arm !== "direct" || query.direct !== undefined) && query.notAsked?.arms.includes(arm) !== true)
    .map(([arm, access]): Lane => ({
      arm,
      access,
      clients: access.tap?.endpoints.map((port) => new WireClient(port)) ?? [],
      result: { samples: [] },
      captured: undefined,
    }));
  let reference: Answer | undefined;
  // The first that answers is compared with: one Prometheus, unless the query is too much for it.
  for (const lane of lanes) {
    const answer = await prepare(lane, query, reference);
    reference ??= answer;
  }
  let lastRound = 0;
  for (let repetition = 0; repetition < repetitions; repetition++) {
    if (repetition > 0 && !mayRepeat(lastRound)) break;
    const startedAt = now();
    // Another order each time, so that no arm always runs after the same one.
    const turn = repetition % lanes.length;
    for (const lane of [...lanes.slice(turn), ...lanes.slice(0, turn)]) {
      if (lane.result.error === undefined && isAskedInRound(query, lane.arm, repetition)) await repeat(lane, query);
    }
    lastRound = now() - startedAt;
  }
  for (const client of lanes.flatMap(({ clients }) => clients)) client.close();
  return {
    shards: group.shards,
    query: query.name,
    size: reference === undefined ? 0 : sizeOf(reference),
    arms: Object.fromEntries(lanes.map(({ arm, result }) => [arm, result])),
  };
}
