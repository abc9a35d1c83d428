import { LeafNeeded, type Answer } from "./answer";
import type { Envelope, Point } from "./answer-scanner";
import { stepsOf, stepsOfPart, type CutLimits } from "./cutting";
import type { QueryRequest } from "./messages";
import { ask, QueryFailure, type Form, type RequestOptions } from "./prometheus-client";
import { valueOf } from "./series-reader";
import { TimeSeriesWriter } from "./time-series";

/** How a replica is asked. */
export interface Evaluation extends CutLimits, Omit<RequestOptions, "firstByte"> {
  /** Base URL of the replica. */
  readonly url: string;
  /** Milliseconds since the epoch. */
  readonly deadline: number;
  /** Whether the query's range may be cut. */
  readonly isCuttable: boolean;
  /** Samples held at a time, per step, when this query was last asked; undefined: not known. */
  readonly peakPerStep: number | undefined;
  /** Whether somebody else can be asked when this replica is slow: half of the time is left for them. */
  readonly hasAlternative: boolean;
}

const tooManySamples = "query processing would load too many samples";

/**
 * Puts a replica's answer together.
 * @returns Samples held at a time per step, for the next time; undefined for an instant query.
 * @throws LeafNeeded, QueryFailure, ReplicaFailure
 */
export async function evaluate(
  request: QueryRequest,
  answer: Answer,
  evaluation: Evaluation,
): Promise<number | undefined> {
  if (!request.isRange) {
    await part(request, answer, evaluation, "/api/v1/query", { time: String(request.start) });
    return undefined;
  }
  let { peakPerStep } = evaluation;
  let done = 0;
  const steps = stepsOf(request.start, request.end, request.step);
  while (done < steps) {
    const size = stepsOfPart(steps - done, { peakPerStep }, evaluation);
    if (size < steps && !evaluation.isCuttable) throw new LeafNeeded("too large");
    const start = request.start + done * request.step;
    try {
      const peak = await part(request, answer, evaluation, "/api/v1/query_range", {
        start: String(start),
        end: String(start + (size - 1) * request.step),
        step: String(request.step),
      });
      peakPerStep = peak / size;
      done += size;
    } catch (error) {
      if (!isTooManySamples(error)) throw error;
      // It needs more than was thought: half of the part, or what one step needs is too much.
      if (size === 1 || !evaluation.isCuttable) throw new LeafNeeded("too large");
      peakPerStep = evaluation.maxSamples / size;
    }
  }
  return peakPerStep;
}

/** Asks for one part. Returns the samples that Prometheus held at a time. */
async function part(
  request: QueryRequest,
  answer: Answer,
  evaluation: Evaluation,
  path: string,
  times: Form,
): Promise<number> {
  const left = evaluation.deadline - Date.now();
  if (left <= 0) throw new QueryFailure("timeout", "no time left to ask Prometheus");
  const form: Form = {
    query: request.query,
    ...times,
    timeout: `${String(Math.ceil(left))}ms`,
    stats: "true",
    ...(request.lookback > 0 ? { lookback_delta: `${String(request.lookback)}s` } : {}),
  };
  const firstByte = evaluation.hasAlternative ? left / 2 : left + 1_000;
  const options = { signal: evaluation.signal, firstByte };
  const envelope = await ask(evaluation.url, path, form, options, (content, labelsEnd) =>
    answer.add(content, labelsEnd),
  ).catch((error: unknown) => {
    // Thanos knows more than Prometheus; if it does not either, its error is the answer.
    if (error instanceof QueryFailure && error.type === "bad_data") throw new LeafNeeded("not PromQL of Prometheus");
    throw error;
  });
  take(envelope, answer);
  const samples = envelope.data?.stats?.samples;
  answer.samples += samples?.totalQueryableSamples ?? 0;
  answer.peak = Math.max(answer.peak, samples?.peakSamples ?? 0);
  return samples?.peakSamples ?? 0;
}

/** What does not come series by series. */
function take(envelope: Envelope, answer: Answer): void {
  answer.warn(envelope.warnings ?? []);
  answer.infos += envelope.infos?.length ?? 0;
  const type = envelope.data?.resultType;
  if (type === "scalar") answer.add(encodePoint(envelope.data?.result as Point), 0);
  // A leaf answers strings and instant range vectors with nothing at all; let it.
  else if (type !== "vector" && type !== "matrix") throw new LeafNeeded("not PromQL of Prometheus");
}

/** The content of a `TimeSeries` without labels. */
function encodePoint([time, value]: Point): Buffer {
  const writer = new TimeSeriesWriter();
  writer.sample(Math.round(time * 1000), valueOf(value));
  return writer.take();
}

function isTooManySamples(error: unknown): boolean {
  return error instanceof QueryFailure && error.message.includes(tooManySamples);
}
