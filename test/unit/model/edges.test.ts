import { describe, expect, it } from "vitest";
import { EDGES, edgesOf, type Edge } from "../../../model/edges";
import { POD_COMPONENTS } from "../../../model/parts";

const ends = (edges: readonly Edge[]) =>
  edges.map(({ from, to }) =>
    [from, to].map((end) => (typeof end === "string" ? end : `(${end.outside})`)).join(" -> "),
  );

describe("the list of edges", () => {
  it("of the single size", () => {
    expect(ends(edgesOf("single", POD_COMPONENTS))).toStrictEqual(
      expect.arrayContaining([
        "(push) -> exporter",
        "exporter -> hub",
        "prometheus -> hub",
        "(query) -> prometheus",
        "prometheus -> alertmanager",
      ]),
    );
    expect(ends(edgesOf("single", POD_COMPONENTS))).not.toContain("querier -> prometheus");
  });

  it("of the sharded size: nobody outside asks a shard, and no shard alerts", () => {
    const edges = ends(edgesOf("sharded", POD_COMPONENTS));
    expect(edges).toStrictEqual(
      expect.arrayContaining([
        "(query) -> query-frontend",
        "query-frontend -> querier",
        "querier -> leaf",
        "leaf -> prometheus",
      ]),
    );
    for (const none of ["(query) -> prometheus", "(query) -> querier", "querier -> prometheus"]) {
      expect(edges).not.toContain(none);
    }
    const without = POD_COMPONENTS.filter((each) => each !== "query-frontend");
    expect(ends(edgesOf("sharded", without))).toContain("(query) -> querier");
    expect(edges).not.toContain("prometheus -> alertmanager");
  });

  it("leaves out edges of parts that a stack does not have", () => {
    const without = POD_COMPONENTS.filter((each) => each !== "querier");
    expect(ends(edgesOf("sharded", without)).filter((each) => each.includes("querier"))).toStrictEqual([]);
  });

  it("names each edge once", () => {
    const keys = EDGES.map((edge) => JSON.stringify([edge.from, edge.to, edge.size, edge.reach]));
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("lets only the exporter, its own Prometheus and the watcher of its own metrics reach a hub", () => {
    const toHub = EDGES.filter(({ to }) => to === "hub");
    expect(ends(toHub)).toStrictEqual(["exporter -> hub", "prometheus -> hub", "monitoring -> hub"]);
    expect(toHub.find(({ from }) => from === "prometheus")?.isWithinReplica).toBe(true);
  });
});
