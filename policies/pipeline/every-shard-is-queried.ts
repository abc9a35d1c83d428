import { SHARD_LABEL, isSelected, mountedFiles, partOf, partsNamed, services, thanos } from "../kit/pipeline";
import type { Resource } from "../kit/policy";
import { at, items, text, yaml } from "../kit/values";
import { flag, workloads, type Workload } from "../kit/workloads";
import { stackPolicy } from "../kit/policy";

/** A lookup that may come back empty: `dns+`, `dnssrv+`. */
const LOOKUP = /^[a-z]+\+/;

/** One entry of an endpoint file, and whose pods are behind it. */
interface Endpoint {
  readonly address: string;
  readonly isStrict: boolean;
  readonly pods: readonly Workload[];
}

function endpointsOf(resources: readonly Resource[], workload: Workload): readonly Endpoint[] {
  const all = services(resources);
  return mountedFiles(resources, workload)
    .flatMap(({ content }) => items(at(yaml(content), "endpoints")))
    .flatMap((each) => {
      const address = text(at(each, "address")) ?? "";
      // What the gate of a root expects is in the same form, and is no endpoint file.
      if (at(each, "shard") !== undefined) return [];
      const name = address.replace(LOOKUP, "").split(".")[0];
      const selector = all.find((service) => service.name === name)?.selector ?? {};
      const pods = workloads(resources).filter((other) => isSelected(other, selector));
      return [{ address, isStrict: at(each, "strict") === true && !LOOKUP.test(address), pods }];
    });
}

/** Whether a workload is among others; each reading of a stack makes new objects of them. */
function has(list: readonly Workload[], workload: Workload): boolean {
  return list.some(({ resource }) => resource.urn === workload.resource.urn);
}

const shardOf = (workload: Workload) => workload.labels[SHARD_LABEL] ?? "";

/** What is wrong with the endpoint file of a root: exactly one strict endpoint for every leaf. */
function rootProblems(resources: readonly Resource[], root: Workload): readonly string[] {
  const endpoints = endpointsOf(resources, root);
  const leaves = partsNamed(resources, "leaf");
  const twice = endpoints.filter(({ address }, index) => endpoints.findIndex((one) => one.address === address) < index);
  return [
    ...leaves
      .filter((leaf) => !endpoints.some(({ isStrict, pods }) => isStrict && has(pods, leaf)))
      .map(({ name }) => `does not list ${name} strictly`),
    ...endpoints
      .filter(({ isStrict }) => !isStrict)
      .map(({ address }) => `lists ${address} in a way that it may vanish`),
    ...endpoints
      .filter(({ pods }) => !pods.some((pod) => has(leaves, pod)))
      .map(({ address }) => `lists ${address}, which is no leaf`),
    ...twice.map(({ address }) => `lists ${address} twice`),
  ];
}

/** What is wrong with the endpoint file of a leaf: all TSDBs of its shard, and of no other one. */
function leafProblems(resources: readonly Resource[], leaf: Workload): readonly string[] {
  const endpoints = endpointsOf(resources, leaf);
  const own = ["prometheus", "store"]
    .flatMap((part) => partsNamed(resources, part))
    .filter((each) => shardOf(each) === shardOf(leaf));
  const behind = endpoints.flatMap(({ pods }) => pods);
  return [
    ...own.filter((each) => !has(behind, each)).map(({ name }) => `does not list ${name}`),
    ...endpoints
      .filter(({ isStrict, pods }) => !isStrict && pods.some((pod) => partOf(pod) === "store"))
      .map(({ address }) => `lists ${address} in a way that it may vanish`),
    ...behind
      .filter((each) => shardOf(each) !== "" && shardOf(each) !== shardOf(leaf))
      .map(({ name }) => `lists ${name}, which is of another shard`),
  ];
}

/** Roots list every leaf once, strictly, by a fixed address, and every leaf all of its shard: what is not listed is missing. */
export const everyShardIsQueried = stackPolicy(
  {
    name: "every-shard-is-queried",
    description:
      "Roots list every leaf once, strictly, by a fixed address, and every leaf all of its shard: what is not listed is missing.",
    severity: "critical",
    remediation: "leave the endpoint files to stacks/query-plan.ts and stacks/leaf-plan.ts",
    url: "https://thanos.io/tip/components/query.md/#endpoint-discovery",
  },
  (resources) => {
    const leaves = partsNamed(resources, "leaf");
    const queriers = thanos(resources, "query");
    const orphans = partsNamed(resources, "prometheus").filter(
      (each) => queriers.length > 0 && !leaves.some((leaf) => shardOf(leaf) === shardOf(each)),
    );
    return [
      ...orphans.map((each) => ({ workload: each, message: "has no leaf" })),
      ...queriers.flatMap(({ workload, container }) =>
        (flag(container.args, "query.mode") === "distributed" ? rootProblems : leafProblems)(resources, workload).map(
          (message) => ({ workload, message }),
        ),
      ),
    ].map(({ workload, message }) => ({ message: `${workload.name} ${message}`, urn: workload.resource.urn }));
  },
);
