/** Pushes bodies in a closed loop: the next one goes out when one is acknowledged. */

import { Agent, request } from "node:http";
import { performance } from "node:perf_hooks";
import { stamp, type Body } from "./bodies";
import type { Tally } from "./checksum";

export interface LoadOptions {
  readonly url: string;
  /** Variants of the same bodies; each round of pushes takes the next one. */
  readonly variants: readonly (readonly Body[])[];
  readonly concurrency: number;
  /** No push starts after this many seconds. */
  readonly seconds: number;
  /** Gets what each shard must hold of the pushes that went out. */
  readonly expected: readonly Tally[];
  /** Ends the load after one round of all bodies. */
  readonly isOneRound?: boolean;
}

export interface LoadResult {
  readonly seconds: number;
  readonly pushes: number;
  readonly samples: number;
  readonly bytes: number;
  /** Milliseconds from the push's start to its answer, ascending. */
  readonly latencies: readonly number[];
  /** Answers other than 200. */
  readonly failures: readonly string[];
}

/** Rounds of all bodies so far: values and timestamps must differ between loads too. */
let rounds = 0;
let lastTimestamp = 0;

export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { url, variants, expected } = options;
  // A body is written anew only when it is no longer under way.
  const bodies = variants[0]?.length ?? 0;
  const concurrency = Math.max(1, Math.min(options.concurrency, bodies * (variants.length - 1)));
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const latencies: number[] = [];
  const failures: string[] = [];
  const startedAt = performance.now();
  const end = startedAt + options.seconds * 1_000;
  let [samples, bytes, at] = [0, 0, 0];
  let current = variants[0] ?? [];
  const next = (): Body | undefined => {
    if (at % current.length === 0) {
      if (at > 0 && options.isOneRound === true) return undefined;
      rounds += 1;
      current = variants[rounds % variants.length] ?? [];
      lastTimestamp = Math.max(Date.now(), lastTimestamp + 1);
      at = 0;
    }
    at += 1;
    return current[at - 1];
  };
  const worker = async (): Promise<void> => {
    while (performance.now() < end) {
      const body = next();
      if (body === undefined) return;
      stamp(body, rounds, lastTimestamp, expected);
      const sentAt = performance.now();
      const answer = await post(url, body.bytes, agent);
      latencies.push(performance.now() - sentAt);
      if (answer !== "200") failures.push(answer);
      samples += body.samples;
      bytes += body.bytes.length;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const seconds = (performance.now() - startedAt) / 1_000;
  agent.destroy();
  latencies.sort((left, right) => left - right);
  return { seconds, pushes: latencies.length, samples, bytes, latencies, failures };
}

function post(url: string, body: Buffer, agent: Agent): Promise<string> {
  return new Promise((resolve) => {
    const headers = { "content-type": "text/plain; version=0.0.4", "content-length": body.length };
    const outgoing = request(url, { method: "POST", agent, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        resolve(response.statusCode === 200 ? "200" : `${String(response.statusCode)} ${text.slice(0, 200)}`);
      });
    });
    outgoing.on("error", (error) => resolve(error.message));
    outgoing.end(body);
  });
}

/** The value below which `share` of the ascending values lie. */
export function quantile(ascending: readonly number[], share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? Number.NaN;
}
