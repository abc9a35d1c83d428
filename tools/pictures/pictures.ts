/** The pictures of README.md and docs/, by file name in docs/pictures/. `make docs` writes them. */

import { hubName, leafName, NAMES, PORTS, prometheusName, shardName, storeName } from "../../model/names";
import type { Arrow, Box, Look, Panel, Picture } from "./svg";

const QUERY = `${NAMES.query}:${String(PORTS.query)}`;

const CONTROLLERS = { id: "controllers", title: "controllers", lines: ["POST /metrics,", "or gRPC"] } as const;
const EXPORTER = { id: "exporter", title: NAMES.exporter, lines: ["checks, hashes", "gatewayID"] } as const;
const HUB_LINES = ["keeps pushes", "until scraped"];
const MONITORING = {
  id: "monitoring",
  title: NAMES.monitoring,
  lines: ["watches all parts,", "alerts on them"],
} as const;
const ALERTMANAGER = { id: "alertmanager", title: NAMES.alertmanager, lines: ["notifies people"] } as const;

const single: Picture = {
  description: "Data flow of the single size: controllers, exporter, one hub, one Prometheus, query",
  panels: [
    {
      heading: "",
      boxes: [
        { ...CONTROLLERS, column: 0, row: 0 },
        { ...EXPORTER, column: 1, row: 0 },
        { id: "hub", column: 2, row: 0, title: hubName(0, "a"), lines: HUB_LINES },
        {
          id: "prometheus",
          column: 3,
          row: 0,
          title: prometheusName(0, "a"),
          lines: ["stores, evaluates", "the rules"],
        },
        { id: "query", column: 4, row: 0, title: QUERY, lines: ["dashboards,", "make query"] },
        { ...MONITORING, column: 2, row: 1 },
        { ...ALERTMANAGER, column: 3, row: 1 },
      ],
      arrows: [
        { from: "controllers", to: "exporter" },
        { from: "exporter", to: "hub" },
        { from: "hub", to: "prometheus" },
        { from: "prometheus", to: "query" },
        { from: "prometheus", to: "alertmanager" },
        { from: "monitoring", to: "alertmanager" },
      ],
      notes: [],
    },
  ],
};

/** Hub and Prometheus of one shard. */
function pair(shard: number): readonly Box[] {
  return [
    { id: `hub-${String(shard)}`, column: 2, row: shard, title: hubName(shard, "a"), lines: HUB_LINES },
    {
      id: `prometheus-${String(shard)}`,
      column: 3,
      row: shard,
      title: prometheusName(shard, "a"),
      lines: ["gate, Prometheus,", "sidecar"],
    },
  ];
}

const SHARDS = [0, 1, 2] as const;

const sharded: Picture = {
  description:
    "Data flow of the sharded sizes: the exporter hashes gateways over N hubs, but for those that the placement moved, each with its own Prometheus; each " +
    "shard has a leaf, with object storage also over its Store Gateway; the roots ask all leaves, the frontend asks the roots",
  panels: [
    {
      heading: "",
      boxes: [
        { ...CONTROLLERS, column: 0, row: 1 },
        { ...EXPORTER, column: 1, row: 1 },
        { id: "placement", column: 1, row: 2, title: NAMES.placement, lines: ["which keys go", "elsewhere"] },
        ...SHARDS.flatMap(pair),
        ...SHARDS.map((shard) => ({
          id: `leaf-${String(shard)}`,
          column: 4,
          row: shard,
          title: leafName(shard),
          lines: ["adapter,", "leaf Querier"],
        })),
        {
          id: "querier",
          column: 5,
          row: 1,
          title: `${NAMES.querier}, gate`,
          lines: ["roots: complete,", "or an error"],
        },
        { id: "frontend", column: 5, row: 0, title: NAMES.queryFrontend, lines: ["splits, caches;", QUERY] },
        { id: "ruler", column: 5, row: 2, title: `${NAMES.ruler} (2)`, lines: ["rules, alerts"] },
        { ...ALERTMANAGER, column: 5, row: 3 },
        { ...MONITORING, column: 0, row: 3 },
        { id: "compactor", column: 2, row: 3, title: NAMES.compactor, lines: ["merges, thins"], look: "optional" },
        { id: "bucket", column: 3, row: 3, title: "bucket", lines: ["objectStorage"], look: "optional" },
        { id: "store", column: 4, row: 3, title: storeName(2), lines: ["one per shard"], look: "optional" },
      ],
      arrows: [
        { from: "controllers", to: "exporter" },
        { from: "placement", to: "exporter" },
        ...SHARDS.flatMap((shard): Arrow[] => [
          { from: "exporter", to: `hub-${String(shard)}` },
          { from: `hub-${String(shard)}`, to: `prometheus-${String(shard)}` },
          { from: `prometheus-${String(shard)}`, to: `leaf-${String(shard)}` },
          { from: `leaf-${String(shard)}`, to: "querier" },
        ]),
        { from: "querier", to: "frontend" },
        { from: "querier", to: "ruler" },
        { from: "ruler", to: "alertmanager" },
        { from: "prometheus-2", to: "bucket", look: "optional" },
        { from: "bucket", to: "compactor", look: "optional" },
        { from: "bucket", to: "store", look: "optional" },
        { from: "store", to: "leaf-2", look: "optional" },
      ],
      notes: [
        "Here serversCount is 3. Arrows: where samples, alerts and the placement's table go. Dashed: with objectStorage; every sidecar uploads.",
      ],
    },
  ],
};

/** A shard as the pictures of a rescale show it. */
interface ShardState {
  readonly look: Look;
  readonly lines: readonly string[];
  /** It is in the ring. */
  readonly takesPushes: boolean;
  /** The Querier asks it. */
  readonly answers: boolean;
}

const untouched: ShardState = {
  look: "plain",
  lines: ["hub, Prometheus,", "volume"],
  takesPushes: true,
  answers: true,
};

function rescale(
  heading: string,
  shards: readonly ShardState[],
  changed: { readonly ring: boolean; readonly list: boolean },
  notes: readonly string[],
): Panel {
  const row = (shards.length - 1) / 2;
  const front = (isChanged: boolean, what: string): Pick<Box, "lines" | "look"> =>
    isChanged ? { lines: [`new ${what}`], look: "changed" } : { lines: [`its ${what}`] };
  return {
    heading,
    boxes: [
      { id: "exporter", column: 0, row, title: NAMES.exporter, ...front(changed.ring, "ring") },
      ...shards.map(({ look, lines }, index) => {
        const name = shardName(index);
        return { id: name, column: 1, row: index, title: name, lines, look };
      }),
      { id: "querier", column: 2, row, title: NAMES.querier, ...front(changed.list, "list") },
    ],
    arrows: shards.flatMap(({ look, takesPushes, answers }, index): Arrow[] => {
      const name = shardName(index);
      const more: { look?: Look } = look === "new" ? { look } : {};
      return [
        ...(takesPushes ? [{ from: "exporter", to: name, ...more }] : []),
        ...(answers ? [{ from: name, to: "querier", ...more }] : []),
      ];
    }),
    notes,
  };
}

const scaleOut: Picture = {
  description: "Scale-out from two to three shards: shard-2 is new, exporter and Querier learn of it, the others stay",
  panels: [
    rescale("serversCount: 2", [untouched, untouched], { ring: false, list: false }, []),
    rescale("serversCount: 3", [untouched, untouched, { ...untouched, look: "new" }], { ring: true, list: true }, [
      "About 1 key in 3 moves to shard-2.",
      "shard-0, shard-1: not touched.",
    ]),
  ],
};

const retired: ShardState = {
  look: "changed",
  lines: ["Prometheus, volume", "no hub"],
  takesPushes: false,
  answers: true,
};

const gone: ShardState = {
  look: "gone",
  lines: ["only its volume", "claim is kept"],
  takesPushes: false,
  answers: false,
};

const scaleIn: Picture = {
  description:
    "Scale-in from three to two shards: first shard-2 retires, which takes its hub away and leaves its history queried; " +
    "when its retention has passed its Prometheus goes, and its volume claim is kept",
  panels: [
    rescale("1. serversCount: 2, retiredShards: [2]", [untouched, untouched, retired], { ring: true, list: false }, [
      "shard-2 gets no new series,",
      "and still answers for its past.",
    ]),
    rescale("2. retiredShards: []", [untouched, untouched, gone], { ring: false, list: true }, [
      "When the retention has passed:",
      "nobody asks shard-2 any more.",
    ]),
  ],
};

/** Every picture by its file name. */
export const pictures: Readonly<Record<string, Picture>> = {
  "data-flow-single.svg": single,
  "data-flow-sharded.svg": sharded,
  "scale-out.svg": scaleOut,
  "scale-in.svg": scaleIn,
};
