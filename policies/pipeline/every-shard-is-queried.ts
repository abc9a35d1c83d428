import { isSelected, mountedFiles, partsNamed, services, thanos } from "../kit/pipeline";
import { at, items, text, yaml } from "../kit/values";
import { stackPolicy } from "../kit/policy";

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
    return thanos(resources, "query").flatMap(({ workload }) => {
      const endpoints = mountedFiles(resources, workload).flatMap(({ content }) =>
        items(at(yaml(content), "endpoints")),
      );
      const hosts = endpoints.map((each) => (text(at(each, "address")) ?? "").split(".")[0]);
      const listed = services(resources).filter(({ name }) => hosts.includes(name));
      const problems = [
        ...servers
          .filter((server) => !listed.some(({ selector }) => isSelected(server, selector)))
          .map(({ name }) => `does not list ${name}`),
        ...endpoints
          .filter((each) => at(each, "strict") !== true)
          .map((each) => `lists ${String(at(each, "address"))} without strict`),
        ...endpoints
          .filter((each) => /^[a-z]+\+/.test(text(at(each, "address")) ?? ""))
          .map((each) => `lists ${String(at(each, "address"))}, whose lookup may come back empty`),
      ];
      return problems.map((message) => ({ message: `${workload.name} ${message}`, urn: workload.resource.urn }));
    });
  },
);
