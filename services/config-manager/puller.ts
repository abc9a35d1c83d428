import { ask } from "../plumbing/ask";
import { log, messageOf } from "../plumbing/log";
import { Metrics } from "../plumbing/metrics";
import { parseRuleSet, type RuleSet } from "./rule-set";
import { withGroupLabels, type Files, type RuleStore } from "./rule-store";
import { Refused, type Target } from "./targets";

/** What a puller works with. */
export interface PullerDeps {
  /** The consumer's name, as rules-server knows it. */
  readonly name: string;
  /** `http://configmanager.namespace.svc:9102/rules` */
  readonly url: string;
  readonly store: RuleStore;
  readonly target: Target;
  /** Labels for every rule. */
  readonly labels: Readonly<Record<string, string>>;
}

/** Milliseconds for rules-server to answer. */
const PULL_TIMEOUT = 5_000;

/** Milliseconds until rules that were refused are tried again: what they name may have changed. */
const RETRY_REFUSED = 60_000;

interface Refusal {
  readonly version: string;
  readonly reason: string;
  readonly at: number;
}

/**
 * Copies the rules of prometheus-configmanager to where the program beside reads them. What that program refuses is taken
 * back file by file, so that one tenant's bad rule neither stops the others' nor keeps the program from starting.
 */
export class Puller {
  readonly metrics = new Metrics();
  readonly #pulls = this.metrics.counter("rules_puller_pulls_total", "Looks for new rules, by result.");
  readonly #upToDate = this.metrics.gauge("rules_puller_up_to_date", "1 while the newest rules are evaluated.");
  #active = "";
  #refused: Refusal | undefined;

  constructor(readonly deps: PullerDeps) {
    for (const result of ["unchanged", "taken", "refused", "failed"]) this.#pulls.add(0, { result });
    this.#upToDate.set(0);
    this.metrics.addProcess();
  }

  /** Looks once. What goes wrong is logged: the last good copy stays until the next look. */
  async look(): Promise<void> {
    let result: "unchanged" | "taken" | "refused" | "failed" = "failed";
    try {
      result = await this.#round();
    } catch (error) {
      log("warn", "rules not pulled", { error: messageOf(error) });
    }
    this.#pulls.add(1, { result });
    this.#upToDate.set(result === "taken" || (result === "unchanged" && this.#refused === undefined) ? 1 : 0);
  }

  async #round(): Promise<"unchanged" | "taken" | "refused"> {
    const set = await this.#fetch();
    if (set === undefined) return "unchanged";
    if (this.#refused?.version === set.version && Date.now() - this.#refused.at < RETRY_REFUSED) return "unchanged";
    if (!(await this.deps.target.isReady())) throw new Error("the program beside is not ready");
    const reasons = await this.#take(set);
    if (reasons.length === 0) {
      this.#active = set.version;
      this.#refused = undefined;
      log("info", "rules taken", { version: set.version, files: Object.keys(set.files).length });
    } else {
      this.#active = "";
      this.#refused = { version: set.version, reason: reasons.join("; "), at: Date.now() };
      log("warn", "rules refused", { version: set.version, reasons });
    }
    // At once: prometheus-configmanager's client waits for it.
    await this.#fetch().catch(() => undefined);
    return reasons.length === 0 ? "taken" : "refused";
  }

  /** Asks for the set and tells what is run; undefined when that is the newest. */
  async #fetch(): Promise<RuleSet | undefined> {
    const { url, name } = this.deps;
    const query = new URLSearchParams({ consumer: name, active: this.#active });
    if (this.#refused !== undefined) {
      query.set("refused", this.#refused.version);
      query.set("reason", this.#refused.reason.slice(0, 2_000));
    }
    const { status, text } = await ask("GET", `${url}?${query.toString()}`, PULL_TIMEOUT);
    if (status === 204) return undefined;
    if (status !== 200) throw new Error(`GET ${url}: ${String(status)}: ${text.slice(0, 200).trim()}`);
    return parseRuleSet(text);
  }

  /** Returns what was refused, and why. */
  async #take(set: RuleSet): Promise<readonly string[]> {
    const { store, labels } = this.deps;
    const before = store.read();
    const wanted: Files = Object.fromEntries(
      Object.entries(set.files).map(([name, text]) => [name, withGroupLabels(text, labels)]),
    );
    const names = Object.keys(wanted);
    const unchanged = only(
      wanted,
      names.filter((name) => before[name] === wanted[name]),
    );
    const reasons: string[] = [];
    const settle = async (base: Files, changed: readonly string[]): Promise<Files> => {
      const tried = { ...base, ...only(wanted, changed) };
      try {
        await this.#apply(tried);
        return tried;
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        const [first, ...others] = changed;
        if (first === undefined || others.length === 0) {
          reasons.push(`${first ?? "the rest"}: ${error.message}`);
          return { ...base, ...only(before, first === undefined ? [] : [first]) };
        }
        const half = Math.ceil(changed.length / 2);
        return settle(await settle(base, changed.slice(0, half)), changed.slice(half));
      }
    };
    try {
      const good = await settle(
        unchanged,
        names.filter((name) => before[name] !== wanted[name]),
      );
      if (reasons.length > 0) await this.#apply(good);
      return reasons;
    } catch (error) {
      // Not told yes to: what the program may start with has to be what it once took.
      store.write(before);
      if (error instanceof Refused) return [...reasons, error.message];
      throw error;
    }
  }

  async #apply(files: Files): Promise<void> {
    const takenUp = await this.deps.target.expectChange();
    this.deps.store.write(files);
    await takenUp(files);
  }
}

function only(files: Files, names: readonly string[]): Files {
  return Object.fromEntries(names.flatMap((name) => (files[name] === undefined ? [] : [[name, files[name]]])));
}
