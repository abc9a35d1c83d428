import type { Images } from "../../model/images";
import type { ContainerComponent, PodComponent } from "../../model/parts";
import type { Labels } from "./labels";
import type { ContainerResources } from "./resources";

/** A taint that pods tolerate. */
export interface Toleration {
  readonly key?: string | undefined;
  readonly operator?: string | undefined;
  readonly value?: string | undefined;
  readonly effect?: string | undefined;
  readonly tolerationSeconds?: number | undefined;
}

/** Where the pods of a component may run. */
export interface Scheduling {
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** As in a pod. */
  readonly tolerations: readonly Toleration[];
  readonly priorityClassName?: string | undefined;
}

/** What every component has to know of the stack. All plain: names and counts come from it. */
export interface Platform {
  /** Name of the namespace of all objects. */
  readonly namespace: string;
  /** The user's own labels for every object. */
  readonly labels: Labels;
  readonly images: Images;
  /** Names of Secrets with registry credentials. */
  readonly pullSecrets: readonly string[];
  readonly scheduling: Readonly<Record<PodComponent, Scheduling>>;
  readonly resources: Readonly<Record<ContainerComponent, ContainerResources>>;
  /** Content-named ConfigMap with the bundle of our own services. */
  readonly servicesMap: string;
}
