/** One push over HTTP, repeated with the same body until it is acknowledged, refused for good, or its time is up. */

import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Agent } from "node:http";
import { z } from "zod";

/** What became of a push. */
export type PushResult =
  | { readonly outcome: "acknowledged"; readonly attempts: number; readonly rejected: readonly RejectedLine[] }
  | { readonly outcome: "refused" | "gave up"; readonly attempts: number; readonly error: string };

export interface RejectedLine {
  readonly line: number;
  readonly reason: string;
}

/** How pushes are sent. */
export interface PusherOptions {
  /** Where to POST, e.g. http://127.0.0.1:9091/metrics. */
  readonly url: string;
  readonly agent: Agent;
  /** Milliseconds after which one attempt counts as failed. */
  readonly attemptMilliseconds: number;
  /** Stops further attempts. */
  readonly signal: AbortSignal;
}

/** The exporter's answer to a push of which some samples are out of bounds. */
const partialSchema = z.object({
  accepted: z.number(),
  rejected: z.array(z.object({ line: z.number().int(), reason: z.string() })),
  /** Refused samples that are not listed: which ones are stored is not known then. */
  moreRejected: z.undefined().optional(),
});

/** Answers after which the same push may succeed: overload, time-outs and server errors. */
export function isRetryable(status: number): boolean {
  return status >= 500 || status === 406 || status === 408 || status === 425 || status === 429;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

function post(body: Buffer, options: PusherOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      options.url,
      {
        method: "POST",
        agent: options.agent,
        timeout: options.attemptMilliseconds,
        headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8", "content-length": body.length },
      },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("end", () => {
          resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") });
        });
      },
    );
    const timer = setTimeout(() => {
      outgoing.destroy(new Error(`no answer within ${String(options.attemptMilliseconds)} ms`));
    }, options.attemptMilliseconds);
    outgoing.on("error", reject);
    outgoing.on("close", () => {
      clearTimeout(timer);
    });
    outgoing.end(body);
  });
}

function parsePartial(answer: Answer): readonly RejectedLine[] | undefined {
  if (answer.status !== 400) return undefined;
  try {
    const partial = partialSchema.safeParse(JSON.parse(answer.text));
    return partial.success ? partial.data.rejected : undefined;
  } catch {
    return undefined;
  }
}

/** Pushes `body` until `deadline` (ms of the wall clock); waits 0.25 s, 0.5 s, ... 5 s between attempts. */
export async function push(body: string, deadline: number, options: PusherOptions): Promise<PushResult> {
  const bytes = Buffer.from(body, "utf8");
  let attempts = 0;
  let error = "not sent";
  for (let pause = 250; ; pause = Math.min(5_000, pause * 2)) {
    if (options.signal.aborted) return { outcome: "gave up", attempts, error: `stopped (${error})` };
    attempts += 1;
    try {
      const answer = await post(bytes, options);
      if (answer.status === 200) return { outcome: "acknowledged", attempts, rejected: [] };
      const rejected = parsePartial(answer);
      if (rejected !== undefined) return { outcome: "acknowledged", attempts, rejected };
      error = `HTTP ${String(answer.status)}: ${answer.text.trim().slice(0, 300)}`;
      if (!isRetryable(answer.status)) return { outcome: "refused", attempts, error };
    } catch (caught) {
      error = caught instanceof Error ? caught.message : String(caught);
    }
    if (Date.now() + pause >= deadline) return { outcome: "gave up", attempts, error };
    await sleep(pause, undefined, { signal: options.signal }).catch(() => undefined);
  }
}
