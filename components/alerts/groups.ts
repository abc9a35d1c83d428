import type { Alert, AlertScope } from "./alert";
import { availabilityAlerts } from "./availability";
import { queryPathAlerts } from "./query-path";
import { storageAlerts } from "./storage";
import { writePathAlerts } from "./write-path";

/** Content of the alerts' rule file. */
export interface AlertFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly object[] }[];
}

/** All alerts of a stack by group. */
export function alertsByGroup(scope: AlertScope): Readonly<Record<string, readonly Alert[]>> {
  return {
    availability: availabilityAlerts(scope),
    "write-path": writePathAlerts(scope),
    "query-path": queryPathAlerts(scope),
    storage: storageAlerts(scope),
  };
}

function rule(alert: Alert, runbooks: string): object {
  return {
    alert: alert.name,
    expr: alert.expr,
    for: alert.for,
    labels: { severity: alert.severity, part: alert.part },
    annotations: {
      summary: alert.summary,
      description: alert.description,
      runbook_url: `${runbooks}/${alert.name}.md`,
    },
  };
}

/** The alerts on the pipeline itself as a Prometheus rule file. */
export function alertFile(scope: AlertScope): AlertFile {
  return {
    groups: Object.entries(alertsByGroup(scope)).map(([name, alerts]) => ({
      name: `pipeline-${name}`,
      rules: alerts.map((alert) => rule(alert, scope.runbooks)),
    })),
  };
}
