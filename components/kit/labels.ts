import { PROJECT, type ReplicaLetter, type RULER_SHARD } from "../../model/names";
import type { PodComponent } from "../../model/parts";

/** Labels of a Kubernetes object. */
export type Labels = Readonly<Record<string, string>>;

/** Which part an object belongs to. */
export interface Part {
  readonly component: PodComponent;
  /** The shard, for parts that exist once per shard or per replica of one. */
  readonly shard?: number | typeof RULER_SHARD;
  readonly replica?: ReplicaLetter;
}

/**
 * Labels that selectors use. Frozen: a StatefulSet's selector can't be changed, so neither the version nor anything
 * from config is in it.
 */
export function selectorLabels(part: Part): Labels {
  return {
    "app.kubernetes.io/name": part.component,
    ...(part.shard === undefined ? {} : { [`${PROJECT}/shard`]: String(part.shard) }),
    ...(part.replica === undefined ? {} : { [`${PROJECT}/replica`]: part.replica }),
  };
}

/** Labels of every object: the selector's, who made it, and the user's own. */
export function commonLabels(part: Part, userLabels: Labels): Labels {
  return { ...userLabels, ...ownLabels(), ...selectorLabels(part) };
}

/** Labels of objects that belong to no single part. */
export function ownLabels(): Labels {
  return { "app.kubernetes.io/part-of": PROJECT, "app.kubernetes.io/managed-by": "pulumi" };
}
