import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { answer, answerJson } from "../plumbing/answers";
import { log, messageOf } from "../plumbing/log";
import { Metrics } from "../plumbing/metrics";
import type { Consumers } from "./consumers";
import type { RuleSet } from "./rule-set";

/** What the server works with. */
export interface RulesServerDeps {
  /** Reads the files until they stand still. */
  readonly read: () => Promise<RuleSet>;
  readonly consumers: Consumers;
  /** Milliseconds that a reload waits for all consumers. */
  readonly reloadTimeout: number;
}

/** Longest reason of a refusal that is kept. */
const LONGEST_REASON = 2_000;

/**
 * Hands the rules that prometheus-configmanager has written to those who evaluate them, read-only, and answers its
 * reload when all of them run with what it wrote. Consumers pull and tell with each pull what they run with, so that
 * nobody has to be reached from here.
 */
export class RulesServer {
  readonly metrics = new Metrics();
  readonly #reloads = this.metrics.counter(
    "rules_server_reloads_total",
    "Reloads asked for, by whether all took part.",
  );
  readonly #upToDate = this.metrics.gauge("rules_server_consumer_up_to_date", "1 while it runs with the newest rules.");
  #set: RuleSet | undefined;

  constructor(readonly deps: RulesServerDeps) {
    for (const result of ["success", "failure"]) this.#reloads.add(0, { result });
    this.metrics.addProcess();
  }

  /** Undefined when there is something to pull, else why not. */
  get notReady(): string | undefined {
    return this.#set === undefined ? "the rules have not been read yet" : undefined;
  }

  /** Reads the files; what has changed is there to be pulled from now on. */
  async refresh(): Promise<RuleSet> {
    const set = await this.deps.read();
    if (set.version !== this.#set?.version) {
      this.deps.consumers.publish(set.version);
      log("info", "rules read", { version: set.version, files: Object.keys(set.files).length });
    }
    this.#set = set;
    return set;
  }

  /** Own metrics. */
  renderMetrics(): string {
    const { consumers } = this.deps;
    for (const [consumer, value] of Object.entries(consumers.upToDate(this.#set?.version ?? ""))) {
      this.#upToDate.set(value, { consumer });
    }
    return this.metrics.render();
  }

  /** `GET /rules?consumer=ruler-0&active=<version>`: the set, or 204 for a consumer that has it. */
  pullServer(): Server {
    return createServer((request, response) => {
      request.resume();
      this.#pull(request, response);
    });
  }

  /** `POST /-/reload`: 200 when all consumers run with what is on disk, else 500 with their names. */
  reloadServer(): Server {
    return createServer((request, response) => {
      request.resume();
      if (request.method !== "POST" || request.url !== "/-/reload") {
        answer(response, 404, "POST /-/reload is all there is\n");
        return;
      }
      this.#reload().then(
        (problems) => {
          this.#reloads.add(1, { result: problems.length === 0 ? "success" : "failure" });
          if (problems.length > 0) log("warn", "not reloaded by all", { problems });
          answer(response, problems.length === 0 ? 200 : 500, problems.map((line) => `${line}\n`).join(""));
        },
        (error: unknown) => {
          this.#reloads.add(1, { result: "failure" });
          log("error", "reload failed", { error: messageOf(error) });
          answer(response, 500, `${messageOf(error)}\n`);
        },
      );
    });
  }

  async #reload(): Promise<readonly string[]> {
    const { version } = await this.refresh();
    return this.deps.consumers.settled(version, this.deps.reloadTimeout);
  }

  #pull(request: IncomingMessage, response: ServerResponse): void {
    // Not new URL(): it throws at some of what clients may ask for.
    const [path = "", text = ""] = (request.url ?? "").split("?", 2);
    if (request.method !== "GET" || path !== "/rules") {
      answer(response, 404, "GET /rules is all there is\n");
      return;
    }
    const { consumers } = this.deps;
    const parameters = new URLSearchParams(text);
    const name = parameters.get("consumer") ?? "";
    if (!consumers.has(name)) {
      answer(response, 403, `${JSON.stringify(name)} is none of ${consumers.names.join(", ")}\n`);
      return;
    }
    const active = parameters.get("active") ?? "";
    const refused = parameters.get("refused");
    const reason = (parameters.get("reason") ?? "").slice(0, LONGEST_REASON);
    consumers.report(name, { active, ...(refused === null ? {} : { refused: { version: refused, reason } }) });
    if (this.#set === undefined) answer(response, 503, `${this.notReady ?? ""}\n`);
    else if (this.#set.version === active) answer(response, 204, "");
    else answerJson(response, 200, this.#set);
  }
}
