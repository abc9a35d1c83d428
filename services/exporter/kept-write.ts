/** What is known of a write at one replica of its shard. */
export type CopyState =
  /** On its way to the hub. */
  | "sending"
  /** The hub took it. It may be stored, wait in the hub for a scrape, or be gone with the hub. */
  | "sent"
  /** The hub did not take it. */
  | "missed"
  /** Its number is in the replica's Prometheus: so are its samples. */
  | "stored"
  /** It is not sent to this replica again. */
  | "given-up";

/** A write at one replica. */
export interface Copy {
  state: CopyState;
  /** When it was sent last, or missed: milliseconds since the epoch. */
  since: number;
  /** How often it has been sent again. */
  resends: number;
}

/** One write to one shard: kept until every replica has stored it. */
export interface KeptWrite {
  readonly number: number;
  /** Of its number's sample, milliseconds since the epoch; no two writes of an exporter to a shard have the same. */
  readonly timestamp: number;
  /** Just what the hubs got: lines and number. */
  readonly body: Buffer;
  /** Number of the lines without that of the number. */
  readonly samples: number;
  /** Bytes that it counts for. */
  readonly cost: number;
  /** By position of the replica. */
  readonly copies: readonly Copy[];
}

/** Bytes of a write besides its body: the objects above, and what the runtime needs for a buffer. */
const bytesBesideBody = 1024;

/** Bytes that a write with this body counts for. */
export function costOf(bodyBytes: number): number {
  return bodyBytes + bytesBesideBody;
}

/** Whether a replica has it for good. */
export function isStored({ copies }: KeptWrite): boolean {
  return copies.some(({ state }) => state === "stored");
}

/** Whether its push has been answered with success: some hub took it. */
export function isAcknowledged({ copies }: KeptWrite): boolean {
  return copies.every(({ state }) => state !== "sending");
}

const newline = 0x0a;
const blank = 0x20;

/** The oldest timestamp in a body of canonical lines (`series value timestamp\n`); Infinity for none. */
export function oldestSample(body: Buffer): number {
  let oldest = Infinity;
  for (let start = 0; start < body.length;) {
    const found = body.indexOf(newline, start);
    const end = found < 0 ? body.length : found;
    const timestamp = Number(body.toString("latin1", body.lastIndexOf(blank, end) + 1, end));
    if (timestamp < oldest) oldest = timestamp;
    start = end + 1;
  }
  return oldest;
}
