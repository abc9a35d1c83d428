import type { Budget } from "../plumbing/budget";
import type { Call } from "../plumbing/grpc-server";
import { TRUNCATED } from "../plumbing/series-text";
import { LeafNeeded } from "./answer";
import { compareLabels, hasLabel } from "./labels-order";
import { ask, QueryFailure, ReplicaFailure } from "./prometheus-client";
import type { ReplicaTurnsDeps } from "./replica-turns";
import type { LeafReason } from "./route";
import { decodeSeriesRequest, selectorOf, seriesForm, type SeriesRequest } from "./series-request";
import { SeriesTurns, type SeriesTurn } from "./series-turns";
import { encodeSeries } from "./time-series";

/** Answers which series there are from the index of one of the shard's own Prometheus. */
export class SeriesAnswerer {
  readonly #turns: SeriesTurns;

  constructor(
    readonly deps: ReplicaTurnsDeps,
    budget: Budget,
  ) {
    this.#turns = new SeriesTurns(deps, budget);
  }

  /**
   * Sends the answer, as a leaf would.
   * @param deadline Milliseconds since the epoch.
   * @returns false: nothing was sent, the leaf is to be asked.
   * @throws GrpcError, ProtobufError
   */
  async answer(call: Call, deadline: number): Promise<boolean> {
    const request = decodeSeriesRequest(call.request);
    if (request === undefined) return false;
    const { oldest, newest, matchers } = request;
    const question = { text: selectorOf(matchers), oldest, newest, needsLeaf: this.#needsLeaf(request) };
    const reason = await this.#turns.take(call, question, deadline, (turn) => this.#ask(call, request, turn));
    return reason === undefined;
  }

  async #ask(call: Call, request: SeriesRequest, { url, options, share }: SeriesTurn): Promise<void> {
    const replicaLabel = Buffer.from(this.deps.config.replicaLabel);
    const found: Buffer[] = [];
    const add = (labels: Buffer): void => {
      share.take(labels.length);
      // It was pushed so: the leaf takes it off.
      if (hasLabel(labels, replicaLabel)) throw new LeafNeeded("other replica labels");
      found.push(labels);
    };
    const { warnings = [] } = await ask(url, "/api/v1/series", seriesForm(request), options, add, "labels").catch(
      (error: unknown) => {
        // It refuses what no leaf answers either: let the leaf say so.
        if (error instanceof QueryFailure && error.type === "bad_data") {
          throw new LeafNeeded("not PromQL of Prometheus");
        }
        throw error;
      },
    );
    // Who asked counts them too.
    const other = warnings.find((warning) => warning !== TRUNCATED);
    if (other !== undefined) throw new ReplicaFailure(`${url}: the answer may not be complete: ${other}`);
    // From the head they come in the order of their first samples.
    found.sort(compareLabels);
    const series = found.map((labels) => [labels]);
    for (const message of encodeSeries(series, request.batchSize, 1)) await call.send(message);
  }

  #needsLeaf({ isRestricted, withoutLabels, matchers }: SeriesRequest): LeafReason | undefined {
    const { replicaLabel } = this.deps.config;
    // There it selects replicas, before their series are merged. In Prometheus no series has it.
    if (isRestricted || matchers.some(({ name }) => name === replicaLabel)) return "restricted";
    const isOurs = withoutLabels.includes(replicaLabel) && withoutLabels.every((label) => label === replicaLabel);
    return isOurs ? undefined : "other replica labels";
  }
}
