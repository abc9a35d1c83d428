import type { HubOutcome } from "./hub-outcome";

/** Requests to one hub at a time: while it works on one, the next is on its way. */
const requestsAtOnce = 2;
/** Bodies are joined up to this many bytes; a larger one goes alone. */
const joinedBytes = 1024 * 1024;

/**
 * Sends bodies as one request.
 * @param deadline When to give up, milliseconds since the epoch.
 */
export type SendBodies = (bodies: readonly Buffer[], deadline: number) => Promise<HubOutcome>;

interface Entry {
  readonly body: Buffer;
  readonly deadline: number;
  readonly settle: (outcome: HubOutcome) => void;
  isSettled: boolean;
}

/**
 * Joins pushes to one hub. A push is sent at once as long as fewer than `requestsAtOnce` are under way; else it waits for
 * one of them to end and goes out together with all others that wait. So nothing ever waits for more pushes to come, an
 * acknowledgement is late by one request at most, and a flood of small pushes costs as few requests as the hub can answer.
 */
export class PushQueue {
  readonly #send: SendBodies;
  readonly #timeout: number;
  #waiting: Entry[] = [];
  #underWay = 0;

  /** @param timeout Milliseconds after which a push has failed, waiting included. */
  constructor(send: SendBodies, timeout: number) {
    this.#send = send;
    this.#timeout = timeout;
  }

  /** Never rejects, and settles within the timeout. */
  push(body: Buffer): Promise<HubOutcome> {
    return new Promise((resolve) => {
      const entry: Entry = {
        body,
        deadline: Date.now() + this.#timeout,
        isSettled: false,
        settle: (outcome) => {
          clearTimeout(timer);
          entry.isSettled = true;
          resolve(outcome);
        },
      };
      const timer = setTimeout(() => {
        entry.settle({ kind: "failed", failure: "timeout", detail: `no answer within ${String(this.#timeout)} ms` });
        // Nobody else may want what waits behind it.
        this.#waiting = this.#waiting.filter(({ isSettled }) => !isSettled);
      }, this.#timeout);
      this.#waiting.push(entry);
      this.#next();
    });
  }

  #next(): void {
    while (this.#underWay < requestsAtOnce && this.#waiting.length > 0) {
      const batch = this.#take();
      this.#underWay += 1;
      void this.#deliver(batch).finally(() => {
        this.#underWay -= 1;
        this.#next();
      });
    }
  }

  #take(): readonly Entry[] {
    let bytes = 0;
    let count = 0;
    for (const { body } of this.#waiting) {
      bytes += body.length;
      if (count > 0 && bytes > joinedBytes) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #deliver(batch: readonly Entry[]): Promise<void> {
    const bodies = batch.map(({ body }) => body);
    const outcome = await this.#send(bodies, Math.max(...batch.map(({ deadline }) => deadline)));
    // What the hub refuses may be one of them, or their number: each is asked for alone.
    const isForAll = outcome.kind === "stored" || (outcome.kind === "failed" && outcome.failure !== "full");
    if (isForAll || batch.length === 1) {
      for (const { settle } of batch) settle(outcome);
      return;
    }
    for (const { body, deadline, settle, isSettled } of batch) {
      if (!isSettled) settle(await this.#send([body], deadline));
    }
  }
}
