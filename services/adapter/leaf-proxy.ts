import { setTimeout as sleep } from "node:timers/promises";
import type { AdapterConfig } from "../../model/adapter-config";
import type { AdapterMetrics } from "./adapter-metrics";
import { GrpcError, grpcStatus } from "../plumbing/grpc";
import type { Call } from "../plumbing/grpc-server";
import type { LeafClient } from "./leaf-client";
import { completeness, encodeNameRequest, encodeWarning, tidyLabelNames, warningOf } from "./messages";
import type { Matcher, Needs } from "./needs";
import { fieldsOf } from "../plumbing/protobuf";
import { missingBehindLeaf, type LeafView, type Missing, type ShardView } from "./route";

/** What the proxy works with. */
export interface LeafProxyDeps {
  readonly config: AdapterConfig;
  readonly leaf: LeafClient;
  readonly metrics: AdapterMetrics;
  readonly view: () => ShardView;
}

/** Milliseconds for the leaf to tell what is behind it. */
const infoPatience = 5_000;
/** Milliseconds between tries, and for how long a leaf is tried that finds something behind it gone. It looks every 5 s. */
const retryPause = 500;
const retryLimit = 8_000;

/** What a leaf says when an endpoint behind it has just gone, or its Prometheus: on its own next look it will have noticed. */
const transient =
  /code = Unavailable|connection refused|connection reset|no such host|transport is closing|failed with code 503/;

/** Passes calls on to the leaf, as long as its answer is known to be complete. */
export class LeafProxy {
  constructor(readonly deps: LeafProxyDeps) {}

  /**
   * Passes a call on and sends the leaf's answer. What is behind the leaf is looked at before and after: it leaves out
   * what it does not see, without a word.
   * @param needs Which samples are needed; undefined: not known.
   * @throws GrpcError UNAVAILABLE with the shard's name when the answer would not be complete.
   */
  async pass(call: Call, deadline: number, needs: Pick<Needs, "oldest" | "newest"> | undefined): Promise<void> {
    const request = Buffer.concat([call.request, completeness.get(call.path) ?? Buffer.alloc(0)]);
    const retryUntil = Math.min(deadline - retryPause, Date.now() + retryLimit);
    for (;;) {
      let isBegun = false;
      try {
        await this.#mustBeComplete(call, deadline, needs);
        for await (const message of this.deps.leaf.call(call.path, request, { deadline, signal: call.signal })) {
          const kept = this.#tidied(call, message);
          if (kept === undefined) continue;
          isBegun = true;
          await call.send(kept);
        }
        await this.#mustBeComplete(call, deadline, needs);
        return;
      } catch (error) {
        if (!(error instanceof GrpcError)) throw error;
        const isFinal = isBegun || call.signal.aborted || Date.now() >= retryUntil;
        if (isFinal || !isTransient(error) || this.#isDead()) throw this.#named(error);
        this.deps.metrics.retries.add(1);
        await sleep(retryPause);
      }
    }
  }

  /**
   * Whether the leaf has series that match, between two times in milliseconds.
   * @throws GrpcError as `pass`
   */
  async finds(
    call: Call,
    deadline: number,
    needs: Pick<Needs, "oldest" | "newest">,
    matchers: readonly Matcher[],
  ): Promise<boolean> {
    let isFound = false;
    const question: Call = {
      ...call,
      path: "/thanos.Store/LabelValues",
      request: encodeNameRequest(matchers, needs),
      send: (message) => {
        isFound ||= fieldsOf(message).some(({ number }) => number === 1);
        return Promise.resolve();
      },
    };
    await this.pass(question, deadline, needs);
    return isFound;
  }

  async #mustBeComplete(
    call: Call,
    deadline: number,
    needs: Pick<Needs, "oldest" | "newest"> | undefined,
  ): Promise<void> {
    const { leaf, config, view } = this.deps;
    const limit = Math.min(deadline, Date.now() + infoPatience);
    const infos = await leaf.info({ deadline: limit, signal: call.signal }).catch((error: unknown) => {
      const isLate = error instanceof GrpcError && error.code === grpcStatus.deadlineExceeded;
      throw isLate && Date.now() < deadline
        ? new GrpcError(grpcStatus.unavailable, "the leaf does not tell what is behind it")
        : error;
    });
    const live = infos.filter(({ labels, maxTime }) => labels["shard"] === config.shard && maxTime > Date.now());
    const seen: LeafView = {
      tsdbs: infos.length,
      replicas: new Set(live.map(({ labels }) => labels[config.replicaLabel] ?? "")),
    };
    const missing = missingBehindLeaf(needs, view(), seen);
    if (missing !== undefined) throw new Incomplete(missing);
  }

  /** A message as it is sent on; undefined: not at all. */
  #tidied({ path }: Call, message: Buffer): Buffer | undefined {
    if (path === "/thanos.Store/LabelNames") return tidyLabelNames(this.deps.config.replicaLabel, message);
    return path.startsWith("/thanos.Query/") ? this.#withoutInfos(message) : message;
  }

  /** A message of an answer to a query without PromQL infos, which Thanos takes for warnings; undefined: nothing is left. */
  #withoutInfos(message: Buffer): Buffer | undefined {
    const text = warningOf(message);
    if (text === undefined) return message;
    const parts = text.split(/, (?=PromQL (?:info|warning): )/);
    // Only what can't have swallowed another warning: infos end with their position.
    const kept = parts.filter((part) => !/^PromQL info: .*\([0-9]+:[0-9]+\)$/s.test(part));
    this.deps.metrics.infos.add(parts.length - kept.length);
    return kept.length === 0 ? undefined : encodeWarning(kept.join(", "));
  }

  /** No replica answers: no leaf can be complete, and who asks should know at once. */
  #isDead(): boolean {
    const askable = this.deps.view().replicas.filter((replica) => replica.isAskable);
    return askable.length > 0 && askable.every((replica) => !replica.isUp);
  }

  #named(error: GrpcError): GrpcError {
    return new GrpcError(error.code, `shard ${this.deps.config.shard}: ${error.message}`);
  }
}

class Incomplete extends GrpcError {
  constructor(readonly missing: Missing) {
    super(grpcStatus.unavailable, missing.text);
  }
}

function isTransient(error: GrpcError): boolean {
  if (error instanceof Incomplete) return error.missing.isPassing;
  return error.code === grpcStatus.unavailable || transient.test(error.message);
}
