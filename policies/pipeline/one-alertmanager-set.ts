import { partsNamed, prometheusConfigs, thanos } from "../kit/pipeline";
import { at, items } from "../kit/values";
import { flags } from "../kit/workloads";
import { stackPolicy } from "../kit/policy";

/** Host and port of an Alertmanager, however it is written. */
function host(target: unknown): string {
  return String(target)
    .replace(/^[a-z+]+:\/\//, "")
    .replace(/\/$/, "");
}

/** Everything that sends alerts sends them to the same Alertmanager, which is one pod: two without gossip notify twice. */
export const oneAlertmanagerSet = stackPolicy(
  {
    name: "one-alertmanager-set",
    description:
      "Everything that sends alerts sends them to the same Alertmanager, which is one pod: two without gossip notify twice.",
    severity: "high",
    remediation: "send to the Service `alertmanager`, and leave it at one replica",
    url: "https://prometheus.io/docs/alerting/latest/alertmanager/#high-availability",
  },
  (resources) => {
    const senders = [
      ...prometheusConfigs(resources).map(({ workload, config }) => ({
        workload,
        targets: items(at(config, "alerting", "alertmanagers"))
          .flatMap((each) => items(at(each, "static_configs")))
          .flatMap((each) => items(at(each, "targets")).map(host)),
      })),
      ...thanos(resources, "rule").map(({ workload, container }) => ({
        workload,
        targets: flags(container.args, "alertmanagers.url").map(host),
      })),
    ].filter(({ targets }) => targets.length > 0);
    const first = senders[0]?.targets.join() ?? "";
    return [
      ...senders
        .filter(({ targets }) => targets.join() !== first || targets.length > 1)
        .map(({ workload, targets }) => ({
          message: `${workload.name} sends to ${targets.join(" and ")}, others to ${first}`,
          urn: workload.resource.urn,
        })),
      ...partsNamed(resources, "alertmanager")
        .filter(({ spec }) => at(spec, "replicas") !== 1)
        .map(({ name, resource }) => ({ message: `${name} has not exactly 1 replica`, urn: resource.urn })),
    ];
  },
);
