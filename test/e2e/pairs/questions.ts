import {
  expectIncreases,
  expectInstant,
  expectQuantile,
  type ExpectedSum,
  type Increases,
  type Instant,
} from "../../../tools/check/expected";
import { sum } from "../../../tools/check/promql-math";
import { Stored } from "../../../tools/check/stored";
import type { Gateway } from "../../../tools/feed/fleet";
import type { LedgerContents } from "../../../tools/feed/ledger";
import type { Labels, PrometheusApi, QueryResult } from "../../../tools/prometheus-api";
import type { Kind } from "./load";

/**
 * Queries with a known right answer: over the samples of a feed that has ended, at one time, and computed from its
 * ledger. The time stays the same however long they are asked, so the answers do too.
 */

/** A number that must be in an answer, and how far off it may be. */
interface Expected {
  readonly value: number;
  readonly slack: number;
}

/** A query, and its answer: by labels and time (see `keyOf`). */
export interface Question {
  readonly kind: Kind;
  /** PromQL; `tag` changes its text and nothing else, so that no cache knows it. */
  readonly text: (tag: string) => string;
  /** When it is evaluated, ms; of a range query the end. */
  readonly time: number;
  /** Undefined: an instant query. */
  readonly range: { readonly start: number; readonly step: number } | undefined;
  readonly expected: ReadonlyMap<string, Expected>;
}

/** Milliseconds that the instant queries read: no question needs older samples. */
export const windowMilliseconds = 120_000;
/** Of range queries: milliseconds from start to end, between steps, and that each step reads. */
const panel = { span: 30_000, step: 10_000, window: 30_000 } as const;

/** The feed has ended, and what it pushed is awaited: everything acknowledged counts. */
const settledBefore = Infinity;

function keyOf(labels: Labels, time: number): string {
  return `${JSON.stringify(Object.entries(labels).sort())} at ${String(time)}`;
}

/** Within the rounding of a sum that is made in another order. */
function close({ value, magnitude }: ExpectedSum): Expected {
  return { value, slack: 1e-9 * magnitude };
}

const exactly = (value: number): Expected => ({ value, slack: 0 });

/**
 * The last time (ms) up to which it is known of every push whether it is stored: a multiple of the panels' step, to which
 * the frontend moves range queries.
 */
export function settledTime({ records }: Pick<LedgerContents, "records">): number {
  const key = ({ g, t }: { readonly g: number; readonly t: number }) => `${String(g)} ${String(t)}`;
  const acknowledged = new Set(records.filter(({ kind }) => kind === "ack").map(key));
  const sure = records.filter((record) => acknowledged.has(key(record))).map(({ t }) => t);
  const unsure = records.filter((record) => !acknowledged.has(key(record))).map(({ t }) => t);
  const last = Math.min(Math.max(...sure), ...unsure.map((time) => time - 1));
  if (!Number.isFinite(last)) throw new Error("nothing was acknowledged: there is no time to ask about");
  return Math.floor(last / panel.step) * panel.step;
}

class Questions {
  readonly time: number;
  private readonly stored: Stored;
  private readonly now: Instant;

  constructor(contents: LedgerContents) {
    this.stored = new Stored(contents);
    this.time = settledTime(contents);
    this.now = expectInstant(this.stored, this.moment(), windowMilliseconds);
  }

  all(): readonly Question[] {
    const gateways = this.stored.fleet.gateways.filter(({ id }) => id !== "");
    return [...this.ofFleet(), ...this.panels(), ...gateways.flatMap((gateway) => this.ofGateway(gateway))];
  }

  private selector(tag: string, more = ""): string {
    return `{feed_run="${this.stored.fleet.run}"${more},load!="${tag}"}`;
  }

  private moment(at = this.time) {
    return { at, settledBefore };
  }

  private instant(
    kind: Kind,
    text: Question["text"],
    answer: readonly (readonly [labels: Labels, value: Expected | undefined])[],
  ): Question {
    const { time } = this;
    const known = answer.flatMap(([labels, value]) =>
      value === undefined ? [] : [[keyOf(labels, time), value] as const],
    );
    return { kind, text, time, range: undefined, expected: new Map(known) };
  }

  private ofGateway(gateway: Gateway): readonly Question[] {
    const { stored } = this;
    const window = `[${String(windowMilliseconds)}ms]`;
    const matcher = `,gatewayID="${gateway.id}"`;
    const pushes = stored.pushesOf(gateway, this.time - windowMilliseconds, this.time, settledBefore);
    const gauge = "cpu_percent";
    const values = [...stored.seriesOf(gateway, pushes, ({ name }) => name === gauge).values()].flatMap(({ points }) =>
      points.map(([, value]) => value),
    );
    const counter = "ue_attach_total";
    const increases = expectIncreases(stored, this.moment(), counter, windowMilliseconds).byGateway.get(gateway.id);
    const [count, total] = [this.now.countByGateway.get(gateway.id), this.now.sumByGateway.get(gateway.id)];
    if (count === undefined || total === undefined) throw new Error(`the ledger has no answer for ${gateway.id}`);
    const ask = (query: Question["text"], answer: Expected | undefined) =>
      this.instant("gateway", query, [[{}, answer]]);
    return [
      ask((tag) => `count(last_over_time(${this.selector(tag, matcher)}${window}))`, exactly(count)),
      ask((tag) => `sum(last_over_time(${this.selector(tag, matcher)}${window}))`, close(total)),
      // Every single sample counts here.
      ask(
        (tag) => `sum(sum_over_time(${gauge}${this.selector(tag, matcher)}${window}))`,
        close({ value: sum(values), magnitude: sum(values.map(Math.abs)) }),
      ),
      ask(
        (tag) => `sum(increase(${counter}${this.selector(tag, matcher)}${window}))`,
        increases === undefined ? undefined : close(increases),
      ),
    ];
  }

  private ofFleet(): readonly Question[] {
    const window = `[${String(windowMilliseconds)}ms]`;
    const { count, sumByGateway } = this.now;
    if (count.least !== count.most) throw new Error("the ledger does not know how many series there are");
    const sums = [...sumByGateway].map(([id, value]) => [ofGateway(id), close(value)] as const);
    return [
      this.instant("fleet", (tag) => `count(last_over_time(${this.selector(tag)}${window}))`, [
        [{}, exactly(count.least)],
      ]),
      this.instant("fleet", (tag) => `sum by (gatewayID) (last_over_time(${this.selector(tag)}${window}))`, sums),
    ];
  }

  private panels(): readonly Question[] {
    const window = `[${String(panel.window)}ms]`;
    const increases = (metric: string, at: number) =>
      expectIncreases(this.stored, this.moment(at), metric, panel.window);
    const perSecond = ({ value, magnitude }: ExpectedSum) =>
      close({ value: value / (panel.window / 1_000), magnitude: magnitude / (panel.window / 1_000) });
    return [
      this.panel(
        (tag) => `sum by (gatewayID) (rate(ue_attach_total${this.selector(tag)}${window}))`,
        (at) => [...increases("ue_attach_total", at).byGateway].map(([id, value]) => [ofGateway(id), perSecond(value)]),
      ),
      this.panel(
        (tag) => `sum(increase(session_create_total${this.selector(tag)}${window}))`,
        (at) => total(increases("session_create_total", at)),
      ),
      this.panel(
        (tag) =>
          `histogram_quantile(0.9, sum by (le) (increase(attach_duration_seconds_bucket${this.selector(tag)}${window})))`,
        (at) => quantile(increases("attach_duration_seconds_bucket", at)),
      ),
      this.panel(
        (tag) => `count by (gatewayID) (last_over_time(${this.selector(tag)}${window}))`,
        (at) => {
          const { countByGateway } = expectInstant(this.stored, this.moment(at), panel.window);
          return [...countByGateway].map(([id, count]) => [ofGateway(id), exactly(count)]);
        },
      ),
    ];
  }

  private panel(
    text: Question["text"],
    answerAt: (time: number) => readonly (readonly [labels: Labels, value: Expected])[],
  ): Question {
    const { time } = this;
    const start = time - panel.span;
    const steps = Array.from({ length: panel.span / panel.step + 1 }, (_, step) => start + step * panel.step);
    const expected = steps.flatMap((at) => answerAt(at).map(([labels, value]) => [keyOf(labels, at), value] as const));
    return {
      kind: "panel",
      text,
      time,
      range: { start, step: panel.step / 1_000 },
      expected: new Map(expected),
    };
  }
}

/** The cloud's own series have no such label. */
const ofGateway = (id: string): Labels => (id === "" ? {} : { gatewayID: id });

function total({ byGateway }: Increases): readonly (readonly [Labels, Expected])[] {
  const sums = [...byGateway.values()];
  if (sums.length === 0) return [];
  const value = sum(sums.map((each) => each.value));
  return [[{}, close({ value, magnitude: sum(sums.map(({ magnitude }) => magnitude)) })]];
}

/** Interpolation divides small differences of counts, so rounding shows more than in a sum. */
function quantile(increases: Increases): readonly (readonly [Labels, Expected])[] {
  if (increases.byBound.size === 0) return [];
  const value = expectQuantile(increases, 0.9);
  return [[{}, { value, slack: 1e-6 * Math.abs(value) }]];
}

/** The questions about a feed that has ended. Throws an error when its ledger does not know an answer. */
export function questionsOf(contents: LedgerContents): readonly Question[] {
  return new Questions(contents).all();
}

/** Asks one way. @throws PrometheusApiError */
export function put(api: PrometheusApi, { text, time, range }: Question, tag: string): Promise<QueryResult> {
  return range === undefined ? api.query(text(tag), time) : api.queryRange(text(tag), range.start, time, range.step);
}

/** What is not right about an answer; undefined when all is. */
export function difference({ expected }: Question, answer: QueryResult): string | undefined {
  // Thanos puts PromQL's infos among the warnings; only the others speak of missing parts.
  const warning = answer.warnings.find((each) => !each.includes("PromQL info"));
  if (warning !== undefined) return `warning: ${warning}`;
  if (answer.type !== "vector" && answer.type !== "matrix") return `a ${answer.type}`;
  const points =
    answer.type === "vector"
      ? answer.samples.map(({ labels, timestamp, value }) => [keyOf(labels, timestamp), value] as const)
      : answer.series.flatMap(({ labels, values }) =>
          values.map(([time, value]) => [keyOf(labels, time), value] as const),
        );
  const got = new Map(points);
  if (got.size < points.length) return "two values for the same labels at one time";
  for (const [key, { value, slack }] of expected) {
    const answered = got.get(key);
    if (answered === undefined) return `nothing instead of ${String(value)} for ${key}`;
    const isRight = Object.is(answered, value) || Math.abs(answered - value) <= slack;
    if (!isRight) return `${String(answered)} instead of ${String(value)} for ${key}`;
  }
  const more = points.find(([key]) => !expected.has(key));
  return more === undefined ? undefined : `${String(more[1])} instead of nothing for ${more[0]}`;
}
