/** Who answered the adapters' queries, from their own metrics. */
import type { World } from "./world";

/** Numbers of queries to all adapters. */
export interface Shares {
  readonly pushed: number;
  readonly leaf: number;
  readonly refused: number;
  /** Why the leaf was asked. */
  readonly reasons: Readonly<Record<string, number>>;
}

export async function adapterShares({ adapters }: Pick<World, "adapters">): Promise<Shares> {
  const pages = await Promise.all(adapters.map(async (url) => (await fetch(`${url}/metrics`)).text()));
  const via: Record<string, number> = {};
  const reasons: Record<string, number> = {};
  const metric = /^adapter_(?:queries_total\{via|leaf_queries_total\{reason)="([^"]*)"\} (\S+)$/gm;
  for (const page of pages) {
    for (const [line, value = "", count] of page.matchAll(metric)) {
      const counts = line.startsWith("adapter_queries_total") ? via : reasons;
      if (Number(count) > 0) counts[value] = (counts[value] ?? 0) + Number(count);
    }
  }
  return { pushed: via["prometheus"] ?? 0, leaf: via["leaf"] ?? 0, refused: via["nobody"] ?? 0, reasons };
}
