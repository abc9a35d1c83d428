import { compareVersions, imageVersion } from "../../model/images";
import { partOf } from "../kit/pipeline";
import { podPolicy } from "../kit/workloads";

/** A shard's Prometheus is 3.14 or a later 3.x: older ones lose late samples, newer ones write blocks that Thanos can't read. */
export const supportedPrometheus = podPolicy(
  {
    name: "supported-prometheus",
    description:
      "A shard's Prometheus is 3.14 or a later 3.x: older ones lose late samples, newer ones write blocks that Thanos can't read.",
    severity: "high",
    remediation: "choose a 3.x image from 3.14.0 on",
    url: "https://github.com/prometheus/prometheus/issues/14503",
  },
  (pod) =>
    pod.containers
      .filter(({ name }) => partOf(pod) === "prometheus" && name === "prometheus")
      .flatMap(({ image }) => {
        const version = imageVersion(image);
        // A digest does not tell.
        if (version === undefined) return [];
        const isRight = compareVersions(version, [3, 14, 0]) >= 0 && compareVersions(version, [4, 0, 0]) < 0;
        return isRight ? [] : [`image ${image} is no 3.x from 3.14.0 on`];
      }),
);
