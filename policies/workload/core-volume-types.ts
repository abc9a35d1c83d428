import { at, fields, items } from "../kit/values";
import { podPolicy } from "../kit/workloads";

/** Volume types of the `restricted` Pod Security Standard. */
const ALLOWED: ReadonlySet<string> = new Set([
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
]);

/** Pods use only the volume types that the restricted Pod Security Standard allows. */
export const coreVolumeTypes = podPolicy(
  {
    name: "core-volume-types",
    description: "Pods use only the volume types that the restricted Pod Security Standard allows.",
    severity: "high",
    remediation: "use a claim, a ConfigMap, a Secret or an emptyDir",
    url: "https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted",
  },
  ({ pod }) =>
    items(at(pod, "volumes")).flatMap((volume) =>
      Object.keys(fields(volume))
        .filter((key) => key !== "name" && !ALLOWED.has(key))
        .map((type) => `volume ${String(at(volume, "name"))} is of type ${type}`),
    ),
);
