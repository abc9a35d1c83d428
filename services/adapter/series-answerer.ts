import type { Budget } from "../plumbing/budget";
import type { Call } from "../plumbing/grpc-server";
import { LeafNeeded, Share } from "./answer";
import { Experience } from "./experience";
import { compareLabels, hasLabel } from "./labels-order";
import { ask, QueryFailure, ReplicaFailure } from "./prometheus-client";
import { takeTurns, type ReplicaTurnsDeps, type Turn } from "./replica-turns";
import { route, type LeafReason } from "./route";
import { decodeSeriesRequest, selectorOf, seriesForm, type SeriesRequest } from "./series-request";
import { encodeSeries } from "./time-series";

/** What Prometheus says when it has more series than were asked for; who asked counts them too. */
const truncated = "results truncated due to limit";

/** Answers which series there are from the index of one of the shard's own Prometheus. */
export class SeriesAnswerer {
  readonly #experience = new Experience();

  constructor(
    readonly deps: ReplicaTurnsDeps,
    readonly budget: Budget,
  ) {}

  /**
   * Sends the answer, as a leaf would.
   * @param deadline Milliseconds since the epoch.
   * @returns false: nothing was sent, the leaf is to be asked.
   * @throws GrpcError, ProtobufError
   */
  async answer(call: Call, deadline: number): Promise<boolean> {
    const request = decodeSeriesRequest(call.request);
    if (request === undefined) return false;
    const { oldest, newest } = request;
    const asked = { query: selectorOf(request.matchers), start: oldest / 1000, end: newest / 1000 };
    const needs = { oldest, newest, isPinned: false, hasInstantSelector: false };
    const needsLeaf = this.#needsLeaf(request) ?? this.#experience.reasonForLeaf(asked);
    const plan = route({ needs, step: 0, lookback: 0, needsLeaf }, this.deps.watch.view());
    const reason = await takeTurns(this.deps, call, plan, deadline, (turn) =>
      this.#experience.remembering(asked, () => this.#ask(call, request, turn, deadline)),
    );
    return reason === undefined;
  }

  async #ask(call: Call, request: SeriesRequest, turn: Turn, deadline: number): Promise<void> {
    const left = deadline - Date.now();
    if (left <= 0) throw new QueryFailure("timeout", "no time left to ask Prometheus");
    const replicaLabel = Buffer.from(this.deps.config.replicaLabel);
    const share = new Share(this.budget);
    const found: Buffer[] = [];
    const add = (labels: Buffer): void => {
      share.take(labels.length);
      // It was pushed so: the leaf takes it off.
      if (hasLabel(labels, replicaLabel)) throw new LeafNeeded("other replica labels");
      found.push(labels);
    };
    try {
      // Prometheus answers when it has found all.
      const options = { signal: turn.signal, firstByte: turn.hasAlternative ? left / 2 : left };
      const { warnings = [] } = await ask(
        turn.url,
        "/api/v1/series",
        seriesForm(request),
        options,
        add,
        "labels",
      ).catch((error: unknown) => {
        // It refuses what no leaf answers either: let the leaf say so.
        if (error instanceof QueryFailure && error.type === "bad_data") {
          throw new LeafNeeded("not PromQL of Prometheus");
        }
        throw error;
      });
      const other = warnings.find((warning) => warning !== truncated);
      if (other !== undefined) throw new ReplicaFailure(`${turn.url}: the answer may not be complete: ${other}`);
      // From the head they come in the order of their first samples.
      found.sort(compareLabels);
      const series = found.map((labels) => [labels]);
      for (const message of encodeSeries(series, request.batchSize, 1)) await call.send(message);
    } finally {
      share.release();
    }
  }

  #needsLeaf({ isRestricted, withoutLabels, matchers }: SeriesRequest): LeafReason | undefined {
    const { replicaLabel } = this.deps.config;
    // There it selects replicas, before their series are merged. In Prometheus no series has it.
    if (isRestricted || matchers.some(({ name }) => name === replicaLabel)) return "restricted";
    const isOurs = withoutLabels.includes(replicaLabel) && withoutLabels.every((label) => label === replicaLabel);
    return isOurs ? undefined : "other replica labels";
  }
}
