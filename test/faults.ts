/** Faults of `make chaos`, by the name that ONLY takes there. */
export interface FaultName {
  readonly name: string;
  readonly shows: string;
  /** The short form belongs to `make test`; the long one is everything. */
  readonly form: "short" | "long";
  /** What is acknowledged within one scrape interval before it may be lost: the bound is checked, and the loss is told. */
  readonly loses?: true;
}

/** Every fault, in the order in which they run. */
export const faultNames = [
  { name: "hub-killed", form: "short", shows: "one hub of a shard is killed, and later the other replica's" },
  { name: "hubs-killed", form: "short", shows: "both hubs of a shard are killed at once, stay away, and come back" },
  { name: "hub-hung", form: "short", shows: "a hub hangs (SIGSTOP) and goes on" },
  { name: "exporters-restarted", form: "short", shows: "all exporters are restarted, and then killed at once" },
  { name: "exporter-killed", form: "long", shows: "each exporter is killed in the middle of its pushes" },
  { name: "hub-full", form: "long", shows: "a hub is not scraped and answers 406, then both of its shard" },
  { name: "hubs-hung", form: "long", shows: "both hubs of a shard hang, so that pushes time out on both, and go on" },
  { name: "exporter-cut-off", form: "long", shows: "one exporter alone is cut off from one hub" },
  { name: "exporters-disagree", form: "long", shows: "one exporter alone is cut off from a whole shard for 2 minutes" },
  { name: "retry-after-503", form: "long", shows: "every hub hangs, clients get 503 and retry into a failover" },
  {
    name: "hubs-and-exporters-killed",
    form: "long",
    shows: "both hubs of a shard and all exporters are killed at once",
    loses: true,
  },
  {
    name: "hub-and-exporter-killed",
    form: "long",
    shows: "without highAvailability: the only hub of a shard and an exporter are killed at once",
    loses: true,
  },
  { name: "rescale", form: "long", shows: "2 -> 3 -> 2 -> 4 shards" },
] as const satisfies readonly FaultName[];

/** Name of a fault. */
export type Fault = (typeof faultNames)[number]["name"];
/** Name of a fault that loses what it may lose. */
export type LossFault = Extract<(typeof faultNames)[number], { readonly loses: true }>["name"];

/** The faults that ONLY names; those of the form when it is empty. Throws an error that lists them for an unknown name. */
export function chosenFaults(only: string, form: FaultName["form"]): readonly (typeof faultNames)[number][] {
  const names = only.split(/[,\s]+/).filter((each) => each !== "");
  const unknown = names.filter((name) => !faultNames.some((fault) => fault.name === name));
  if (unknown.length > 0) {
    const list = faultNames.map((fault) => `  ${fault.name.padEnd(20)} ${fault.shows}`).join("\n");
    throw new Error(`ONLY=${unknown.join(",")}: there is no such fault. The faults are:\n${list}`);
  }
  if (names.length > 0) return faultNames.filter(({ name }) => names.includes(name));
  return form === "long" ? faultNames : faultNames.filter((fault) => fault.form === "short");
}
