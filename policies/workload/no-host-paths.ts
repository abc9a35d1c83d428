import { at, items } from "../kit/values";
import { podPolicy } from "../kit/workloads";

/** No pod mounts a path or takes a port of its node. */
export const noHostPaths = podPolicy(
  {
    name: "no-host-paths",
    description: "No pod mounts a path or takes a port of its node.",
    severity: "critical",
    remediation: "use a volume claim instead of hostPath, and a Service instead of hostPort",
    url: "https://hub.armosec.io/docs/c-0044",
  },
  ({ pod, containers }) => [
    ...items(at(pod, "volumes")).flatMap((volume) =>
      at(volume, "hostPath") === undefined ? [] : [`volume ${String(at(volume, "name"))} is a hostPath`],
    ),
    ...containers.flatMap(({ name, value }) =>
      items(at(value, "ports")).flatMap((port) =>
        at(port, "hostPort") === undefined ? [] : [`container ${name} takes hostPort ${String(at(port, "hostPort"))}`],
      ),
    ),
  ],
);
