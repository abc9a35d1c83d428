import { isSelected, mountedFiles, partsNamed, services, thanos } from "../kit/pipeline";
import { at, items, text, yaml } from "../kit/values";
import { workloads, type Workload } from "../kit/workloads";
import { stackPolicy } from "../kit/policy";

/** A lookup that may come back empty: `dns+`, `dnssrv+`. */
const LOOKUP = /^[a-z]+\+/;

/** The Queriers list every shard, strictly, by a fixed address: what is not listed is missing from every answer. */
export const everyShardIsQueried = stackPolicy(
  {
    name: "every-shard-is-queried",
    description:
      "The Queriers list every shard, strictly, by a fixed address: what is not listed is missing from every answer.",
    severity: "critical",
    remediation: "leave the endpoint file to stacks/topology.ts",
    url: "https://thanos.io/tip/components/query.md/#endpoint-discovery",
  },
  (resources) => {
    const servers = partsNamed(resources, "prometheus");
    const all = services(resources);
    return thanos(resources, "query").flatMap(({ workload }) => {
      const endpoints = mountedFiles(resources, workload)
        .flatMap(({ content }) => items(at(yaml(content), "endpoints")))
        .map((each) => ({ address: text(at(each, "address")) ?? "", isStrict: at(each, "strict") === true }));
      const behind = (address: string) =>
        all.find(({ name }) => name === address.replace(LOOKUP, "").split(".")[0])?.selector ?? {};
      const strictly = endpoints
        .filter(({ address, isStrict }) => isStrict && !LOOKUP.test(address))
        .map(({ address }) => behind(address));
      const isListed = (each: Workload) => strictly.some((selector) => isSelected(each, selector));
      const problems = [
        ...servers.filter((each) => !isListed(each)).map(({ name }) => `does not list ${name} strictly`),
        // Pods one by one, where the same pods are behind a strict address too, only add to it.
        ...endpoints
          .filter(({ address, isStrict }) => !isStrict || LOOKUP.test(address))
          .filter(({ address }) => {
            const pods = workloads(resources).filter((each) => isSelected(each, behind(address)));
            return pods.length === 0 || !pods.every(isListed);
          })
          .map(({ address }) => `lists ${address} in a way that it may silently vanish`),
      ];
      return problems.map((message) => ({ message: `${workload.name} ${message}`, urn: workload.resource.urn }));
    });
  },
);
