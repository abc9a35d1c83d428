import type { AdapterConfig } from "../../model/adapter-config";
import { GrpcError, grpcStatus } from "../plumbing/grpc";
import type { Call } from "../plumbing/grpc-server";
import { log, messageOf } from "../plumbing/log";
import type { AdapterMetrics } from "./adapter-metrics";
import { LeafNeeded } from "./answer";
import { LinkedSignal } from "./linked-signal";
import { QueryFailure, ReplicaFailure } from "./prometheus-client";
import type { LeafReason, Plan } from "./route";
import type { ShardWatch } from "./shard-watch";

/** Who is asked, and how it is told. */
export interface ReplicaTurnsDeps {
  readonly config: AdapterConfig;
  readonly watch: ShardWatch;
  readonly metrics: AdapterMetrics;
}

/** One replica's turn to answer. */
export interface Turn {
  readonly replica: string;
  /** Base URL of the replica. */
  readonly url: string;
  /** Aborted when the client goes, the replica goes down, or the time is over. */
  readonly signal: AbortSignal;
  /** Whether somebody else can be asked when this replica is slow. */
  readonly hasAlternative: boolean;
}

/**
 * Lets the replicas of a plan answer in their order until one does.
 * @param until When a replica that hangs is given up, milliseconds since the epoch.
 * @param ask Sends the answer, or throws QueryFailure, ReplicaFailure or LeafNeeded before it has sent any of it.
 * @returns Why there is no answer when the leaf is to be asked.
 * @throws GrpcError when the client has gone or Prometheus refuses.
 */
export async function takeTurns(
  { config, watch, metrics }: ReplicaTurnsDeps,
  call: Call,
  { replicas, reason }: Plan,
  until: number,
  ask: (turn: Turn) => Promise<void>,
): Promise<LeafReason | undefined> {
  for (const [at, replica] of replicas.entries()) {
    const linked = new LinkedSignal([call.signal, watch.lifeOf(replica)], until);
    try {
      const { signal } = linked;
      await ask({ replica, url: watch.urlOf(replica), signal, hasAlternative: at < replicas.length - 1 });
      watch.answered(replica);
      return undefined;
    } catch (error) {
      if (call.signal.aborted) throw new GrpcError(grpcStatus.cancelled, "the client has gone");
      if (error instanceof LeafNeeded) return error.reason;
      if (error instanceof QueryFailure) throw failed(error);
      if (!(error instanceof ReplicaFailure)) throw error;
      log("warn", "replica did not answer", { shard: config.shard, replica, error: messageOf(error) });
      metrics.failures.add(1, { replica });
      watch.failed(replica);
    } finally {
      linked.release();
    }
  }
  return reason;
}

function failed({ type, message }: QueryFailure): GrpcError {
  const isLate = type === "timeout" || type === "canceled";
  // The code and the text that a leaf gives.
  return new GrpcError(isLate ? grpcStatus.deadlineExceeded : grpcStatus.aborted, message);
}
