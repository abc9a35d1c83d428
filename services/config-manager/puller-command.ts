import { setTimeout as sleep } from "node:timers/promises";
import { flagHelp, listenAddress, milliseconds, readFlags, UsageError, type Flag } from "../plumbing/args";
import { closeServer, listen } from "../plumbing/lifecycle";
import { log } from "../plumbing/log";
import { opsServer } from "../plumbing/ops-server";
import { Puller } from "./puller";
import { RuleStore } from "./rule-store";
import { prometheusTarget, rulerTarget } from "./targets";

const flags = {
  from: { help: "URL of rules-server, http://configmanager.namespace.svc:9102/rules" },
  name: { help: "this consumer's name, as rules-server knows it" },
  into: { help: "folder for the rules, which the program beside reads" },
  target: { help: "the program beside: ruler or prometheus" },
  url: { help: "its base URL, http://127.0.0.1:10902" },
  labels: { help: "labels for every rule, cluster=main,shard=0", fallback: "" },
  ops: { help: "address for probes and own metrics", fallback: "0.0.0.0:8081" },
  "interval-milliseconds": { help: "between looks for new rules", fallback: "1000" },
} satisfies Record<string, Flag>;

export const rulesPullerHelp = `rules-puller: copies rules to the program beside and has it take them\n${flagHelp(flags)}`;

/** Runs until SIGTERM. Help: prints and ends. */
export async function runRulesPuller(args: readonly string[]): Promise<void> {
  const values = readFlags(flags, args);
  if (values === undefined) {
    process.stdout.write(rulesPullerHelp);
    return;
  }
  const opsAddress = listenAddress("ops", values.ops);
  const interval = milliseconds("interval-milliseconds", values["interval-milliseconds"]);
  const from = httpUrl("from", values.from);
  const url = httpUrl("url", values.url).replace(/\/+$/, "");
  if (values.target !== "ruler" && values.target !== "prometheus") {
    throw new UsageError(`--target: ${values.target}: must be ruler or prometheus`);
  }
  const puller = new Puller({
    name: values.name,
    url: from,
    store: new RuleStore(values.into),
    target: values.target === "ruler" ? rulerTarget(url) : prometheusTarget(url, values.into),
    labels: labelsOf(values.labels),
  });
  // Ready at once: without prometheus-configmanager the program beside runs with the last rules, and must be asked.
  const ops = opsServer({ notReady: () => undefined, metrics: () => puller.metrics.render() });
  const opsPort = await listen(ops, opsAddress);
  log("info", "rules-puller ready", { opsPort, from, into: values.into });
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  while (!stop.signal.aborted) {
    await puller.look();
    await sleep(interval, undefined, { signal: stop.signal }).catch(() => undefined);
  }
  await closeServer(ops, 0);
  log("info", "stopped");
}

function httpUrl(flag: string, value: string): string {
  if (/^http:\/\/[^/?#@\s]+(\/[^?#\s]*)?$/.test(value) && URL.canParse(value)) return value;
  throw new UsageError(`--${flag}: ${value}: must be a URL like http://127.0.0.1:10902 (http, no query)`);
}

function labelsOf(value: string): Readonly<Record<string, string>> {
  const pairs = value.split(",").filter((pair) => pair !== "");
  return Object.fromEntries(
    pairs.map((pair) => {
      const match = /^([a-zA-Z_][a-zA-Z0-9_]*)=(.*)$/.exec(pair);
      if (match === null) throw new UsageError(`--labels: ${pair}: must be name=value`);
      return [match[1] ?? "", match[2] ?? ""];
    }),
  );
}
