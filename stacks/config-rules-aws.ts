import type { ClusterConnection } from "../model/cluster";
import { PROJECT } from "../model/names";
import type { Violation } from "./config-rules";
import type { ParsedConfig } from "./schema";

/** Cross-field rules of the keys that are about clusters and AWS. */

type Valid = Partial<ParsedConfig>;
type ClusterKeys = ParsedConfig["cluster"];
type Kind = ClusterKeys["kind"];

/** What belongs to each kind of cluster. */
const KEYS_OF: Readonly<Record<Kind, readonly (keyof ClusterKeys)[]>> = {
  kubeconfig: ["path", "context"],
  eks: ["name", "region"],
  stack: ["ref"],
};

const NEEDED: Readonly<Record<Kind, readonly (keyof ClusterKeys)[]>> = {
  kubeconfig: [],
  eks: KEYS_OF.eks,
  stack: KEYS_OF.stack,
};

const SAMPLES: Readonly<Partial<Record<keyof ClusterKeys, string>>> = {
  name: "the cluster's name",
  region: "its region, such as eu-west-1",
  ref: "the stack that made the cluster, such as prod-cluster",
};

function kindOf(key: keyof ClusterKeys): Kind | undefined {
  return (["kubeconfig", "eks", "stack"] as const).find((kind) => KEYS_OF[kind].includes(key));
}

function clusterKeys({ cluster }: Valid): readonly Violation[] {
  if (cluster === undefined) return [];
  const { kind } = cluster;
  const foreign = (Object.keys(cluster) as (keyof ClusterKeys)[])
    .filter((key) => key !== "kind" && cluster[key] !== undefined && !KEYS_OF[kind].includes(key))
    .map((key) => ({
      path: `cluster.${key}`,
      value: cluster[key],
      rule: `belongs to kind "${kindOf(key) ?? ""}"; ${PROJECT}:cluster.kind is "${kind}"`,
      fix: `set cluster.kind to "${kindOf(key) ?? ""}", or take the key out`,
    }));
  const missing = NEEDED[kind]
    .filter((key) => cluster[key] === undefined)
    .map((key) => ({
      path: `cluster.${key}`,
      value: undefined,
      rule: `needed when ${PROJECT}:cluster.kind is "${kind}"`,
      fix: `name ${SAMPLES[key] ?? key}`,
    }));
  return [...foreign, ...missing];
}

/** Keys that a stack with `program: cluster` may have. */
const CLUSTER_PROGRAM_KEYS: readonly string[] = ["program", "eks", "deletionProtection"];

function programKeys({ program, eks }: Valid, raw: Readonly<Record<string, unknown>>): readonly Violation[] {
  if (program === "pipeline" && eks !== undefined) {
    return [
      {
        path: "eks",
        value: eks,
        rule: `only for ${PROJECT}:program "cluster"; the pipeline finds its cluster by ${PROJECT}:cluster`,
        fix: "move the key to a stack with program: cluster, and name that stack in cluster.ref",
      },
    ];
  }
  if (program !== "cluster") return [];
  const needed =
    raw["eks"] === undefined
      ? [
          {
            path: "eks",
            value: undefined,
            rule: `needed when ${PROJECT}:program is "cluster"`,
            fix: "describe the cluster: name, region, vpcId and subnetIds",
          },
        ]
      : [];
  const foreign = Object.keys(raw)
    .filter((key) => !CLUSTER_PROGRAM_KEYS.includes(key))
    .map((key) => ({
      path: key,
      value: raw[key],
      rule: `has no meaning when ${PROJECT}:program is "cluster", which takes ${CLUSTER_PROGRAM_KEYS.join(", ")}`,
      fix: "move the key to the stack of the pipeline",
    }));
  return [...needed, ...foreign];
}

function endpoint({ eks }: Valid): readonly Violation[] {
  if (eks === undefined) return [];
  const { public: isPublic, publicCidrs } = eks.endpoint;
  const found: Violation[] = [];
  if (isPublic && publicCidrs.length === 0) {
    found.push({
      path: "eks.endpoint.publicCidrs",
      value: publicCidrs,
      rule: `at least one network when ${PROJECT}:eks.endpoint.public is true, else the whole internet reaches the API`,
      fix: "list the networks that may reach it, or set eks.endpoint.public to false",
    });
  }
  if (!isPublic && publicCidrs.length > 0) {
    found.push({
      path: "eks.endpoint.publicCidrs",
      value: publicCidrs,
      rule: `has no effect while ${PROJECT}:eks.endpoint.public is false`,
      fix: "set eks.endpoint.public to true, or take the key out",
    });
  }
  publicCidrs.forEach((cidr, index) => {
    if (!cidr.endsWith("/0")) return;
    found.push({
      path: `eks.endpoint.publicCidrs[${String(index)}]`,
      value: cidr,
      rule: "not the whole internet",
      fix: "list the networks that may reach the API",
    });
  });
  return found;
}

function subnets({ eks }: Valid): readonly Violation[] {
  const ids = eks?.subnetIds ?? [];
  return ids.flatMap((id, index) =>
    ids.indexOf(id) === index
      ? []
      : [
          {
            path: `eks.subnetIds[${String(index)}]`,
            value: id,
            rule: "a subnet is listed once",
            fix: `take the second ${id} out`,
          },
        ],
  );
}

/** What is wrong with keys about clusters and AWS that are right by themselves but not together. */
export function awsViolations(config: Valid, raw: Readonly<Record<string, unknown>>): Violation[] {
  return [...clusterKeys(config), ...programKeys(config, raw), ...endpoint(config), ...subnets(config)];
}

/** The key `cluster` as one of its kinds. Only for keys that {@link awsViolations} finds nothing wrong with. */
export function connectionOf(cluster: ClusterKeys): ClusterConnection {
  const { kind, path, context, name = "", region = "", ref = "" } = cluster;
  switch (kind) {
    case "kubeconfig":
      return { kind, path, context };
    case "eks":
      return { kind, name, region };
    case "stack":
      return { kind, ref };
  }
}
