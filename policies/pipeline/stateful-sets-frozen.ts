import { partOf, replicaOf } from "../kit/pipeline";
import { at, fields, items, text, textFields } from "../kit/values";
import { workloads, type Workload } from "../kit/workloads";
import { stackPolicy } from "../kit/policy";

/** Written out, not taken from model/names.ts: a change there is what this has to find. */
const CLAIM = "data";
/** Labels that a frozen selector may have. */
const SELECTOR = /^(app\.kubernetes\.io\/name|scaled-prometheus\/(shard|replica))$/;
/** Fields of a claim template's spec that exist. A storage class is there only where the stack names one. */
const CLAIM_FIELDS: ReadonlySet<string> = new Set(["accessModes", "resources", "storageClassName", "volumeMode"]);

function problems(set: Workload): readonly string[] {
  const { spec, name } = set;
  const id = replicaOf(set);
  const selector = textFields(at(spec, "selector", "matchLabels"));
  const claims = items(at(spec, "volumeClaimTemplates"));
  const claim = claims[0];
  return [
    ...(partOf(set) !== "prometheus" || id === undefined || name === `prometheus-shard-${id.shard}-${id.replica}`
      ? []
      : ["is not named after its shard and replica"]),
    ...([name, `${name}-pods`].includes(text(at(spec, "serviceName")) ?? "")
      ? []
      : ["has a serviceName that is neither its own name nor that with -pods"]),
    ...(at(spec, "podManagementPolicy") === "Parallel" ? [] : ["has not the podManagementPolicy Parallel"]),
    ...(at(spec, "revisionHistoryLimit") === undefined || at(spec, "revisionHistoryLimit") === 10
      ? []
      : ["sets revisionHistoryLimit, whose change the provider makes a replacement"]),
    ...(Object.keys(selector).every((key) => SELECTOR.test(key)) && selector["app.kubernetes.io/name"] === partOf(set)
      ? []
      : ["selects by labels that are not frozen"]),
    ...(claims.length <= 1 && (claim === undefined || at(claim, "metadata", "name") === CLAIM)
      ? []
      : [`has claims other than ${CLAIM}`]),
    ...(claim === undefined || JSON.stringify(at(claim, "spec", "accessModes")) === '["ReadWriteOnce"]'
      ? []
      : ["has a claim that is not ReadWriteOnce"]),
    ...Object.keys(fields(at(claim, "spec")))
      .filter((key) => !CLAIM_FIELDS.has(key))
      .map((key) => `has the field ${key} in its claim`),
  ];
}

/** What Kubernetes never lets a StatefulSet change is as the first release made it: a change would replace the set. */
export const statefulSetsFrozen = stackPolicy(
  {
    name: "stateful-sets-frozen",
    description:
      "What Kubernetes never lets a StatefulSet change is as the first release made it: a change would replace the set.",
    severity: "critical",
    remediation: "put the old value back; a new shape needs a new name and a migration",
    url: "https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/",
  },
  (resources) =>
    workloads(resources)
      .filter(({ resource }) => resource.type === "kubernetes:apps/v1:StatefulSet")
      .flatMap((set) => problems(set).map((message) => ({ message: `${set.name} ${message}`, urn: set.resource.urn }))),
);
