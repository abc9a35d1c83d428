import { hubName, hubScrapeName } from "../../model/names";
import { hostsOf, isSelected, partOf, partsNamed, replicaOf, scrapeConfigs, services } from "../kit/pipeline";
import { at, items, text } from "../kit/values";
import type { Workload } from "../kit/workloads";
import { stackPolicy } from "../kit/policy";

/** Services through which a Prometheus may reach its own hub. */
function ownHosts(workload: Workload): readonly string[] {
  const id = replicaOf(workload);
  if (id === undefined) return [];
  const [shard, replica] = [Number(id.shard), id.replica === "b" ? "b" : "a"] as const;
  return [hubName(shard, replica), hubScrapeName(shard, replica)];
}

/** Only its own Prometheus scrapes the metrics of a hub; anybody else would take samples away for good. */
export const hubScrapedByItsOwnOnly = stackPolicy(
  {
    name: "hub-scraped-by-its-own-only",
    description: "Only its own Prometheus scrapes the metrics of a hub; anybody else would take samples away for good.",
    severity: "critical",
    remediation:
      "scrape /internal instead; the job of /metrics belongs to the Prometheus of the same shard and replica",
    url: "https://github.com/facebookarchive/prometheus-edge-hub#readme",
  },
  (resources) => {
    const hubs = partsNamed(resources, "hub");
    const hostsBy = (hub: Workload) =>
      services(resources)
        .filter(({ selector }) => isSelected(hub, selector))
        .map(({ name }) => name);
    const jobs = scrapeConfigs(resources).flatMap(({ workload, config }) =>
      items(at(config, "scrape_configs")).map((job) => ({ workload, job })),
    );
    const emptying = jobs.filter(({ job }) => (at(job, "metrics_path") ?? "/metrics") === "/metrics");
    return [
      ...emptying.flatMap(({ workload, job }) => {
        const hosts = hostsOf(job).map((host) => host.split(".")[0] ?? host);
        const own = partOf(workload) === "prometheus" ? ownHosts(workload) : [];
        const discovers = at(job, "kubernetes_sd_configs") !== undefined;
        const foreign = hubs.filter((hub) => hostsBy(hub).some((host) => hosts.includes(host) && !own.includes(host)));
        const message = `job ${String(at(job, "job_name"))} of ${workload.name}`;
        return [
          ...foreign.map((hub) => ({ message: `${message} scrapes ${hub.name}`, urn: workload.resource.urn })),
          ...(discovers
            ? [{ message: `${message} finds its targets by itself and may find hubs`, urn: workload.resource.urn }]
            : []),
        ];
      }),
      ...hubs.flatMap((hub) => {
        const probes = hub.containers.flatMap(({ value }) =>
          ["readinessProbe", "livenessProbe", "startupProbe"].flatMap(
            (key) => text(at(value, key, "httpGet", "path")) ?? [],
          ),
        );
        const bad = probes.filter((path) => path !== "/").map((path) => `a probe asks for ${path}`);
        const annotated = hub.annotations["prometheus.io/scrape"] === "true" ? ["its pods ask to be scraped"] : [];
        return [...bad, ...annotated].map((message) => ({ message: `${hub.name}: ${message}`, urn: hub.resource.urn }));
      }),
    ];
  },
);
