import type { types } from "@pulumi/kubernetes";
import { NAMES, PORTS } from "../../model/names";
import type { Platform } from "./platform";
import { serviceContainer } from "./pod";
import { quickProbes } from "./probes";

/** What pulls prometheus-configmanager's rules for the program beside it. */
export interface RulesPullerArgs {
  /** `http://configmanager.namespace.svc:9102/rules` */
  readonly from: string;
  /** The program beside. */
  readonly target: "ruler" | "prometheus";
  /** Base URL of the program beside, on loopback. */
  readonly url: string;
  /** Folder on the data's volume, from which the program beside reads them. */
  readonly into: string;
  /** Path of the volume `data` in every container of the pod. */
  readonly data: string;
  /** Labels for every rule, as every rule of the pipeline's own has them; default: none. */
  readonly labels?: Readonly<Record<string, string>>;
  /** User of the program beside: both write to the volume. */
  readonly uid: number;
}

/** The container that keeps the last good copy of the rules on the volume, so that it outlives pod and configmanager. */
export function rulesPuller(platform: Platform, args: RulesPullerArgs): types.input.core.v1.Container {
  const labels = Object.entries(args.labels ?? {}).map(([name, value]) => `${name}=${value}`);
  return serviceContainer(platform, {
    // With the resources of rules-sync: both are small programs of ours that do the same kind of work.
    name: "rules-sync",
    containerName: "rules-puller",
    args: [
      "--from",
      args.from,
      "--name",
      "$(POD_NAME)",
      "--into",
      args.into,
      "--target",
      args.target,
      "--url",
      args.url,
      ...(labels.length === 0 ? [] : ["--labels", labels.join(",")]),
      "--ops",
      `0.0.0.0:${String(PORTS.pullerOps)}`,
    ],
    env: [{ name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
    ports: { "puller-ops": PORTS.pullerOps },
    probes: quickProbes("puller-ops"),
    mounts: { [NAMES.claimTemplate]: args.data },
    writable: [NAMES.claimTemplate],
    uid: args.uid,
  });
}
