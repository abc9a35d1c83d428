import { RULER_SHARD } from "../../model/names";
import type { ExpectedEndpoint } from "../../model/root-gate-config";
import { ask } from "../plumbing/ask";
import { Budget } from "../plumbing/budget";
import { GrpcError, grpcStatus } from "../plumbing/grpc";
import { GrpcClient } from "../plumbing/grpc-client";
import { log, messageOf } from "../plumbing/log";
import {
  answerOf,
  encodeSeriesQuery,
  listTextOf,
  mostSeriesIn,
  SERIES_TEXT,
  type SeriesQuery,
} from "../plumbing/series-text";

/** Bytes of lists that are held at a time: for more than that the root is asked. */
const bufferLimit = 64 * 1024 * 1024;
/** Milliseconds after which the root is asked instead. */
const patience = 10_000;

/** What shards say when only the root can answer: nothing is wrong. */
const expected: ReadonlySet<number> = new Set([
  grpcStatus.cancelled,
  grpcStatus.failedPrecondition,
  grpcStatus.unimplemented,
]);

/** The answer to a request for series. */
export interface SeriesAnswer {
  readonly pieces: readonly Buffer[];
  /** Bytes of all pieces. */
  readonly length: number;
  /** To be called once it has been sent. */
  readonly release: () => void;
}

/** There are too many series, or not in a form that can be joined: the root has to be asked. */
class RootNeeded extends Error {}

/**
 * Asks every shard's adapter which series there are, and joins their lists as text: a root that reads and writes every
 * label takes as long as one Prometheus with all series. The lists have nothing in common, because each series names its
 * shard. Of the Rulers, which have no adapter's Prometheus, the root is asked. It is all or nothing: when anybody can't
 * answer, the root answers everything, completely or with an error.
 */
export class SeriesFanOut {
  readonly #shards: readonly GrpcClient[];
  /** Addresses of endpoints that only the root can ask. */
  readonly #others: readonly string[];
  readonly #budget = new Budget(bufferLimit);

  /**
   * @param upstream Base URL of the root.
   * @param endpoints Every endpoint of its file.
   */
  constructor(
    readonly upstream: string,
    endpoints: readonly ExpectedEndpoint[],
  ) {
    const isOther = ({ shard }: ExpectedEndpoint): boolean => shard === RULER_SHARD;
    this.#others = endpoints.filter(isOther).map(({ address }) => address);
    this.#shards = endpoints
      .filter((endpoint) => !isOther(endpoint))
      .map(({ shard, address }) => new GrpcClient(`http://${address}`, `shard ${shard}`));
  }

  /**
   * The whole answer, or undefined when the root is to be asked.
   * @param over Aborted when the client goes; aborts what is under way when one part fails.
   */
  async ask(query: SeriesQuery, over: AbortController): Promise<SeriesAnswer | undefined> {
    let held = 0;
    const hold = (bytes: number): void => {
      if (over.signal.aborted) throw new RootNeeded("given up");
      if (!this.#budget.take(bytes)) throw new RootNeeded("too many series");
      held += bytes;
    };
    const release = (): void => {
      this.#budget.giveBack(held);
      held = 0;
    };
    try {
      const request = encodeSeriesQuery(query);
      const options = { deadline: Date.now() + patience, signal: over.signal };
      const ofShard = async (shard: GrpcClient): Promise<readonly Buffer[]> => {
        const pieces: Buffer[] = [];
        for await (const piece of shard.call(SERIES_TEXT, request, options)) {
          hold(piece.length);
          pieces.push(piece);
        }
        return pieces;
      };
      const lists = await Promise.all([...this.#shards.map(ofShard), this.#ofOthers(query, hold)]);
      if (query.limit > 0) mustFit(lists, query.limit);
      const pieces = answerOf(lists);
      return { pieces, length: pieces.reduce((sum, { length }) => sum + length, 0), release };
    } catch (error) {
      const isExpected = error instanceof GrpcError ? expected.has(error.code) : error instanceof RootNeeded;
      if (!isExpected) log("warn", "series come from the root", { error: messageOf(error) });
      over.abort();
      release();
      return undefined;
    }
  }

  close(): void {
    for (const shard of this.#shards) shard.close();
  }

  async #ofOthers(query: SeriesQuery, hold: (bytes: number) => void): Promise<readonly Buffer[]> {
    if (this.#others.length === 0) return [];
    // A group's name has a prefix; SeenEndpoints has seen one of the two.
    const addresses = this.#others.flatMap((address) => [address, `thanos:///${address}`]);
    const parameters = new URLSearchParams([
      ...query.matches.map((match): [string, string] => ["match[]", match]),
      ...addresses.map((address): [string, string] => ["storeMatch[]", `{__address__="${address}"}`]),
      ["start", String(query.oldest / 1000)],
      ["end", String(query.newest / 1000)],
      ["limit", String(query.limit)],
    ]);
    const { status, text } = await ask("GET", `${this.upstream}/api/v1/series?${parameters.toString()}`, patience);
    const found = status === 200 ? listTextOf(Buffer.from(text)) : "other";
    if (typeof found === "string") throw new RootNeeded("not a complete list");
    hold(found.list.length);
    return found.list.length === 0 ? [] : [found.list];
  }
}

/** @throws RootNeeded when there may be more series than asked for. */
function mustFit(lists: readonly (readonly Buffer[])[], limit: number): void {
  const most = lists.reduce((sum, pieces) => sum + mostSeriesIn(Buffer.concat(pieces)), 0);
  if (most > limit) throw new RootNeeded("more series than asked for");
}
