import { DoubtfulWrites } from "./doubtful-writes";
import { costOf, isStored, type Copy, type KeptWrite } from "./kept-write";

/** Part of the limit that the doubtful writes of all shards may take besides. */
const doubtfulPart = 1 / 16;

/** Why a write is not sent to a replica again. */
export type GivenUpReason =
  /** The buffer needed room, and another replica has the write. */
  | "full"
  /** It is older than what Prometheus takes. */
  | "old"
  /** It was sent again as often as is sensible. */
  | "tries"
  /** The hub refused it as bad. */
  | "refused";

/** What happens to kept writes; called at once, must not throw. */
export interface CommitEvents {
  readonly stored: (shard: number, replica: number, write: KeptWrite) => void;
  readonly givenUp: (shard: number, replica: number, write: KeptWrite, reason: GivenUpReason) => void;
  /** Given up at every replica, stored at none, although it was acknowledged. */
  readonly lost: (shard: number, write: KeptWrite) => void;
}

interface Place {
  readonly kept: KeptWrites;
  readonly write: KeptWrite;
}

/**
 * Keeps writes until every replica of their shard has stored them, within a number of bytes:
 *
 * - what no replica has stored is never dropped for room; when there is too much of it, further writes are refused;
 * - what some replica has stored goes first, oldest first, when room is needed: the others then miss it for good;
 * - of several shards, one may fill half with what is not stored, so that one that stores nothing leaves room for the others.
 *
 * A single write is taken whatever its size when nothing else waits to be stored, so that the bytes are at most the limit or
 * those of one write.
 */
export class CommitBuffer {
  readonly limit: number;
  /** Bytes of one shard's doubtful writes, which are no part of the limit. */
  readonly doubtfulLimit: number;
  readonly #share: number;
  readonly #events: CommitEvents;
  readonly #shards: KeptWrites[] = [];
  /** Stored by one replica and not by all; in the order in which that came. */
  readonly #evictable = new Map<KeptWrite, Place>();
  #bytes = 0;
  #unstored = 0;

  /** @param shards Number of shards that will be opened. */
  constructor(limit: number, shards: number, events: CommitEvents) {
    this.limit = limit;
    this.doubtfulLimit = (limit * doubtfulPart) / Math.max(1, shards);
    this.#share = shards > 1 ? limit / 2 : limit;
    this.#events = events;
  }

  /** Bytes of all writes. */
  get bytes(): number {
    return this.#bytes;
  }

  get shards(): readonly KeptWrites[] {
    return this.#shards;
  }

  /** A place for the writes to the next shard. */
  open(replicas: number): KeptWrites {
    const kept = new KeptWrites(this.#shards.length, replicas, this, this.#events);
    this.#shards.push(kept);
    return kept;
  }

  /** Makes room for a write of `cost`; false when there is none. `unstored`: bytes of its shard that no replica has. */
  makeRoom(cost: number, unstored: number): boolean {
    if (unstored > 0 && unstored + cost > this.#share) return false;
    if (this.#unstored > 0 && this.#unstored + cost > this.limit) return false;
    for (const { kept, write } of this.#evictable.values()) {
      if (this.#bytes + cost <= this.limit) break;
      kept.giveUpRest(write, "full");
    }
    return true;
  }

  /** Accounts for a write that came. */
  added(write: KeptWrite): void {
    this.#bytes += write.cost;
    this.#unstored += write.cost;
  }

  /** Accounts for a write that the first replica has stored. */
  storedOnce(kept: KeptWrites, write: KeptWrite): void {
    this.#unstored -= write.cost;
    this.#evictable.set(write, { kept, write });
  }

  /** Accounts for a write that goes. */
  removed(write: KeptWrite): void {
    this.#bytes -= write.cost;
    if (!this.#evictable.delete(write)) this.#unstored -= write.cost;
  }
}

/** The kept writes to one shard. */
export class KeptWrites {
  /** Not acknowledged, and perhaps stored all the same. */
  readonly doubtful: DoubtfulWrites;
  readonly #shard: number;
  readonly #replicas: number;
  readonly #buffer: CommitBuffer;
  readonly #events: CommitEvents;
  readonly #writes = new Set<KeptWrite>();
  #bytes = 0;
  #unstored = 0;

  constructor(shard: number, replicas: number, buffer: CommitBuffer, events: CommitEvents) {
    this.#shard = shard;
    this.#replicas = replicas;
    this.#buffer = buffer;
    this.#events = events;
    this.doubtful = new DoubtfulWrites(buffer.doubtfulLimit);
  }

  /** In the order of their numbers, but for those that turned up later. */
  get writes(): ReadonlySet<KeptWrite> {
    return this.#writes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of the writes that no replica has stored. */
  get unstoredBytes(): number {
    return this.#unstored;
  }

  /** When the oldest write was made that no replica has stored, milliseconds since the epoch; undefined: all are stored. */
  get oldestUnstored(): number | undefined {
    for (const write of this.#writes) if (!isStored(write)) return write.timestamp;
    return undefined;
  }

  /** Makes room for a body; false when there is none, and the write must not be sent. */
  makeRoom(bodyBytes: number): boolean {
    return this.#buffer.makeRoom(costOf(bodyBytes), this.#unstored);
  }

  /** Keeps a write that is about to be sent, for which room has just been made. Numbers must go up. */
  add(write: Pick<KeptWrite, "number" | "timestamp" | "body" | "samples">): KeptWrite {
    const copies = Array.from({ length: this.#replicas }, (): Copy => ({ state: "sending", since: 0, resends: 0 }));
    const { number, timestamp, body, samples } = write;
    const kept: KeptWrite = { number, timestamp, body, samples, cost: costOf(body.length), copies };
    this.#add(kept);
    return kept;
  }

  /**
   * The hubs have answered. When none took it, it was not acknowledged, and is forgotten.
   * @param mayHold Whether one may have taken it all the same: then it is only doubtful.
   */
  settle(write: KeptWrite, taken: readonly boolean[], now: number, mayHold = false): void {
    if (!taken.includes(true)) {
      this.#remove(write);
      if (mayHold) this.doubtful.add(write, now);
      return;
    }
    write.copies.forEach((copy, at) => {
      copy.state = taken[at] === true ? "sent" : "missed";
      copy.since = now;
    });
  }

  /** A replica has it: if it was doubtful, it is kept for the others from now on, as far as there is room. */
  found(write: KeptWrite, replica: number, now: number): void {
    if (this.doubtful.take(write)) {
      if (!this.makeRoom(write.body.length)) return;
      this.#add(write);
      this.settle(
        write,
        write.copies.map(() => true),
        now,
      );
    }
    this.stored(write, replica);
  }

  /** A replica has stored it. */
  stored(write: KeptWrite, replica: number): void {
    const copy = this.#open(write, replica);
    if (copy === undefined) return;
    if (!isStored(write)) {
      this.#unstored -= write.cost;
      this.#buffer.storedOnce(this, write);
    }
    copy.state = "stored";
    this.#events.stored(this.#shard, replica, write);
    this.#releaseDone(write);
  }

  /** It is not sent to this replica again. */
  giveUp(write: KeptWrite, replica: number, reason: GivenUpReason): void {
    const copy = this.#open(write, replica);
    if (copy === undefined) return;
    copy.state = "given-up";
    this.#events.givenUp(this.#shard, replica, write, reason);
    this.#releaseDone(write);
  }

  /** It is not sent again to those that have not stored it. */
  giveUpRest(write: KeptWrite, reason: GivenUpReason): void {
    write.copies.forEach((_, replica) => this.giveUp(write, replica, reason));
  }

  /** The copy, unless nothing can change about it any more. */
  #open(write: KeptWrite, replica: number): Copy | undefined {
    const copy = write.copies[replica];
    const isOpen = copy !== undefined && copy.state !== "stored" && copy.state !== "given-up";
    return isOpen && this.#writes.has(write) ? copy : undefined;
  }

  #add(write: KeptWrite): void {
    this.#writes.add(write);
    this.#bytes += write.cost;
    this.#unstored += write.cost;
    this.#buffer.added(write);
  }

  #releaseDone(write: KeptWrite): void {
    if (write.copies.some(({ state }) => state !== "stored" && state !== "given-up")) return;
    this.#remove(write);
    if (!isStored(write)) this.#events.lost(this.#shard, write);
  }

  #remove(write: KeptWrite): void {
    this.#writes.delete(write);
    this.#bytes -= write.cost;
    if (!isStored(write)) this.#unstored -= write.cost;
    this.#buffer.removed(write);
  }
}
