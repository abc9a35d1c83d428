import type { AlertCase } from "./alert-case";

const goodAt = 'placement_input_good_timestamp_seconds{job="placement",instance="p1"}';
const exporterTable = (instance: string, version: string) =>
  `exporter_table_info{job="exporter",instance="${instance}",version="${version}"}`;
const placementTable = (version: string) => `placement_table_info{job="placement",instance="p1",version="${version}"}`;

/** The table that exporters route by. */
export const PLACEMENT_CASES: readonly AlertCase[] = [
  {
    alert: "PlacementStuck",
    when: "numbers were believed for the first minutes only",
    series: { [goodAt]: "0+60x5 300x40" },
    minute: 30,
    fires: [{ job: "placement", instance: "p1" }],
    part: "placement",
  },
  {
    alert: "PlacementStuck",
    when: "it has just started, or believes every look",
    series: { [goodAt]: "0x8 480+60x40" },
    minute: 30,
    fires: [],
  },
  {
    alert: "TablesDiffer",
    when: "an exporter keeps an old table",
    series: {
      [placementTable("new")]: "1x20",
      [exporterTable("e1", "new")]: "1x20",
      [exporterTable("e2", "old")]: "1x20",
    },
    minute: 10,
    fires: [{}],
    part: "exporter",
  },
  {
    alert: "TablesDiffer",
    when: "all have changed to a new table",
    series: {
      [placementTable("old")]: "1x5 stale",
      [placementTable("new")]: "_x5 1x20",
      [exporterTable("e1", "old")]: "1x6 stale",
      [exporterTable("e1", "new")]: "_x6 1x20",
    },
    minute: 15,
    fires: [],
  },
];
