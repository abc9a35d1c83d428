import type { Alert, AlertScope } from "./alert";

/** Seconds without numbers that the placement believes: many looks, and an exporter's first minutes. */
const STUCK_SECONDS = 600;

/** The table that exporters route by, where there is one. */
export function placementAlerts(scope: AlertScope): Alert[] {
  if (!Object.hasOwn(scope.replicas, "placement")) return [];
  return [
    {
      name: "PlacementStuck",
      expr: `time() - placement_input_good_timestamp_seconds > ${String(STUCK_SECONDS)}`,
      for: "10m",
      severity: "warning",
      part: "placement",
      summary: "the placement has not believed its input for 10 minutes or more",
      description: "Keys stay where they are: shards may grow apart, and nothing is wrong in any answer.",
    },
    {
      name: "TablesDiffer",
      expr: `count(count by (version) ({__name__=~"exporter_table_info|placement_table_info"})) > 1`,
      for: "5m",
      severity: "critical",
      part: "exporter",
      summary: "exporters and placement use {{ $value }} different tables",
      description: "Exporters that disagree send the same series to different shards: it is counted twice.",
    },
  ];
}
