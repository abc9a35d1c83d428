import { INTERVALS_TO_STORE } from "../../model/exporter-config";
import { isStored, type Copy, type KeptWrite } from "./kept-write";
import type { GivenUpReason } from "./commit-buffer";

/** Times that a write is sent to a replica again. The pauses double: with 15 s intervals the last comes after two hours. */
const maxResends = 8;
/** Part of the buffer that is sent to one replica again within a scrape interval, so that its hub has room for new pushes. */
const partPerInterval = 1 / 16;

/** What is to be done about one write at one replica. */
export type Verdict = { readonly do: "wait" | "send" } | { readonly do: "give-up"; readonly reason: GivenUpReason };

/** What a decision needs to know. */
export interface ResendFacts {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Since when the replica's Prometheus has answered every question; undefined when it did not answer the last. */
  readonly answeringSince: number | undefined;
  readonly scrapeIntervalMilliseconds: number;
  readonly maxResendAgeSeconds: number;
}

const wait: Verdict = { do: "wait" };

/**
 * Decides about a write that the replica has not stored, as far as it told.
 * @param oldest Asked for the oldest sample of the write only when it is to be sent.
 */
export function verdict(
  write: KeptWrite,
  copy: Copy,
  facts: ResendFacts,
  oldest: (write: KeptWrite) => number,
): Verdict {
  const earliest = facts.now - facts.maxResendAgeSeconds * 1000;
  // Beyond this nobody can mend it: not worth the room when another replica has it.
  if (write.timestamp < earliest && isStored(write)) return { do: "give-up", reason: "old" };
  if (copy.state === "sent") {
    // It may wait in its hub as long as its Prometheus is away.
    if (facts.answeringSince === undefined) return wait;
    const patience = INTERVALS_TO_STORE * facts.scrapeIntervalMilliseconds * 2 ** copy.resends;
    if (facts.now - Math.max(copy.since, facts.answeringSince) < patience) return wait;
    if (copy.resends >= maxResends) return { do: "give-up", reason: "tries" };
  } else if (copy.state !== "missed") {
    return wait;
  }
  // Prometheus would take the number without the samples: a write that looks stored and is not.
  return oldest(write) < earliest ? { do: "give-up", reason: "old" } : { do: "send" };
}

/** Bytes that may be sent to one replica again in `milliseconds`. */
export function resendBudget(bufferBytes: number, scrapeIntervalMilliseconds: number, milliseconds: number): number {
  return bufferBytes * partPerInterval * (milliseconds / scrapeIntervalMilliseconds);
}
