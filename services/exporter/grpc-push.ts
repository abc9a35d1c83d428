import type { IncomingHttpHeaders } from "node:http2";
import type { SecureContextOptions } from "node:tls";
import type { ExporterConfig } from "../../model/exporter-config";
import { GrpcError, grpcStatus } from "../plumbing/grpc";
import { GrpcServer, type Call, type CallEnd, type Intake } from "../plumbing/grpc-server";
import { isBearer } from "./bearer";
import { FamiliesError, textOfFamilies } from "./families";
import type { PushDeps } from "./push-handler";
import { limitAnswer, type PushOutcome, type PushStore } from "./push-store";
import type { Rejection } from "./rejections";
import { newline } from "./text-bytes";

/** What Magma's controllers call (facebookincubator/prometheus-edge-hub, grpc/service.proto). */
const collect = "/grpc.MetricsController/Collect";
/** `Void`. */
const nothing = Buffer.alloc(0);
/** A message's text may be this many times as long: names that stand once in a family stand in every line. */
const textFactor = 3;
/** Samples that an error names; the rest is counted. */
const namedSamples = 5;

/** HTTP's codes for those of gRPC, as google/rpc/code.proto pairs them: the metric of pushes has one kind of code. */
const httpCodes = new Map<number, string>([
  [grpcStatus.ok, "200"],
  [grpcStatus.invalidArgument, "400"],
  [grpcStatus.unauthenticated, "401"],
  [grpcStatus.resourceExhausted, "429"],
  [grpcStatus.unimplemented, "501"],
  [grpcStatus.unavailable, "503"],
]);

/**
 * gRPC server for pushes, with the semantics of `POST /metrics`. Status: OK when every sample is stored;
 * INVALID_ARGUMENT with the metric's name for a message of which nothing is stored, or with the number of accepted
 * samples and the refused ones by name when the rest is stored; RESOURCE_EXHAUSTED for a message that is too large, or
 * tenants over their limits while the rest is stored; UNAVAILABLE when it should be sent again; UNAUTHENTICATED.
 */
export function grpcPushServer(
  deps: PushDeps,
  tls: SecureContextOptions | undefined,
  requestTimeout: number,
): GrpcServer {
  const { config, metrics, store, tokens } = deps;
  return new GrpcServer(new Map([[collect, (call: Call) => push(deps, call)]]), {
    requestLimit: config.limits.maxMessageBytes,
    requestTimeout,
    ...(tls === undefined ? {} : { tls }),
    intake: () => new Held(store),
    authorize: (headers: IncomingHttpHeaders) => {
      const valid = tokens();
      if (valid === undefined || isBearer(headers.authorization, valid)) return;
      throw new GrpcError(grpcStatus.unauthenticated, "push with the metadata authorization: Bearer and a known token");
    },
    onEnd: ({ code, seconds }: CallEnd) => {
      metrics.pushSeconds.observe(seconds);
      if (code !== grpcStatus.cancelled) metrics.pushes.add(1, { code: httpCodes.get(code) ?? "500" });
    },
  });
}

/** Bytes of one message while it is in hand. */
class Held implements Intake {
  #bytes = 0;

  constructor(readonly store: PushStore) {}

  take(bytes: number): void {
    if (!this.store.budget.take(bytes)) {
      throw new GrpcError(grpcStatus.unavailable, "too many bytes in hand; send it again");
    }
    this.#bytes += bytes;
  }

  release(): void {
    this.store.budget.give(this.#bytes);
    this.#bytes = 0;
  }
}

async function push({ config, metrics, store }: PushDeps, call: Call): Promise<void> {
  metrics.receivedBytes.add(call.request.length);
  const lines = linesOf(call.request, config);
  const held = new Held(store);
  try {
    held.take(lines.length);
    const outcome = await store.store(lines);
    const error = errorOf(outcome, lines);
    if (error !== undefined) throw error;
    await call.send(nothing);
  } finally {
    held.release();
  }
}

function linesOf(message: Buffer, { limits }: ExporterConfig): Buffer {
  try {
    return textOfFamilies(message, limits.maxMessageBytes * textFactor);
  } catch (error) {
    if (!(error instanceof FamiliesError)) throw error;
    const code = error.kind === "invalid" ? grpcStatus.invalidArgument : grpcStatus.resourceExhausted;
    throw new GrpcError(code, error.message);
  }
}

function errorOf(outcome: PushOutcome, lines: Buffer): GrpcError | undefined {
  switch (outcome.kind) {
    case "malformed":
      return new GrpcError(grpcStatus.invalidArgument, `${seriesOf(lines, outcome.line)}: ${outcome.reason}`);
    case "unplaced":
      return new GrpcError(grpcStatus.unavailable, [outcome.reason, ...outcome.failures].join("; "));
    case "stored":
      break;
  }
  const { accepted, rejected, refusals } = outcome;
  const stored = `accepted ${String(accepted)} samples`;
  if (refusals.length > 0) {
    const { reason, retryAfter } = limitAnswer(refusals);
    const each = refusals.map(({ tenant, reason: why }) => `${JSON.stringify(tenant)}: ${why}`);
    const text = [`${reason} (${stored}); retry in ${String(retryAfter)} s`, ...each].join("; ");
    return new GrpcError(grpcStatus.resourceExhausted, text);
  }
  if (rejected.total === 0) return undefined;
  const named = (one: Rejection): string => `${seriesOf(lines, one.line)}: ${one.reason}`;
  const more = rejected.total > namedSamples ? [`and ${String(rejected.total - namedSamples)} more`] : [];
  const list = [...rejected.listed.slice(0, namedSamples).map(named), ...more];
  const text = `${stored}, rejected ${String(rejected.total)}: ${list.join("; ")}`;
  return new GrpcError(grpcStatus.invalidArgument, text);
}

/** The series in line `line` of the text, counted from 1, as far as an error can hold it. */
function seriesOf(lines: Buffer, line: number): string {
  let at = 0;
  for (let passed = 1; passed < line; passed += 1) at = lines.indexOf(newline, at) + 1;
  const text = lines.toString("utf8", at, Math.min(at + 200, Math.max(at, lines.indexOf(newline, at))));
  return /^[^ {]*(\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\}?)?/.exec(text)?.[0] ?? text;
}
