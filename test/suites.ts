/** End-to-end suites, by the name that ONLY takes. */
export interface Suite {
  readonly name: string;
  readonly file: string;
  readonly shows: string;
  /** It needs the command line tools only. */
  readonly withoutCluster?: boolean;
}

/** Every end-to-end suite; each has a short form (`make test`) and a long one (`make test-full`). */
export const suites: readonly Suite[] = [
  {
    name: "main",
    file: "test/e2e/main.e2e.ts",
    shows: "make up, the answer beside the ledger, pushes good and bad, plain Pulumi, drift",
  },
  {
    name: "rescale",
    file: "test/e2e/rescale.e2e.ts",
    shows: "2 -> 3 -> 2 under the feed, retired shards, protection, single -> 1 -> 3",
  },
  {
    name: "rules",
    file: "test/e2e/rules.e2e.ts",
    shows: "alerts over shards, hot reload, sharded rules beside the unsharded ones, bad files, the single size",
  },
  {
    name: "object-storage",
    file: "test/e2e/object-storage.e2e.ts",
    shows: "blocks uploaded to a real S3 server, compacted and served; switching it on for a running stack",
  },
  {
    name: "query",
    file: "test/e2e/query.e2e.ts",
    shows:
      "pairs: both replicas hold the same, a killed hub costs no answer, an update does a and then b; a lost shard is an error that names it; one replica away under load is no wrong answer",
  },
  {
    name: "stacks",
    file: "test/e2e/stacks.e2e.ts",
    shows: "prod and prod-cluster through the echo provider, previews of pull requests; monitoring and dashboards",
  },
  {
    name: "chaos",
    file: "test/e2e/chaos.e2e.ts",
    shows: "kills, hangs, cuts and rescales under the feed: nothing lost, no step wrong (make chaos)",
  },
];

/** Seconds that one suite's short form may take, and all of `make test` with its checks. */
export const budget = { suiteSeconds: 240, allSeconds: 36 * 60 } as const;

/** The suites that ONLY names; all of them when it is empty. Throws an error that lists them for an unknown name. */
export function chosenSuites(only: readonly string[]): readonly Suite[] {
  const names = only.flatMap((each) => each.split(/[,\s]+/)).filter((each) => each !== "");
  const unknown = names.filter((name) => !suites.some((suite) => suite.name === name));
  if (unknown.length > 0) {
    const list = suites.map((suite) => `  ${suite.name.padEnd(14)} ${suite.shows}`).join("\n");
    throw new Error(`ONLY=${unknown.join(",")}: there is no such suite. The suites are:\n${list}`);
  }
  return suites.filter(({ name }) => names.length === 0 || names.includes(name));
}
