/** Parts that run as pods of their own. */
export const POD_COMPONENTS = [
  "prometheus",
  "hub",
  "leaf",
  "querier",
  "query-frontend",
  "ruler",
  "exporter",
  "alertmanager",
  "store",
  "compactor",
  "monitoring",
  "configmanager",
] as const;

/** A part that runs as a pod of its own. */
export type PodComponent = (typeof POD_COMPONENTS)[number];

/** Containers whose resources can be set. */
export const CONTAINER_COMPONENTS = [...POD_COMPONENTS, "adapter", "gate", "sidecar", "rules-sync"] as const;

/** A container whose resources can be set. */
export type ContainerComponent = (typeof CONTAINER_COMPONENTS)[number];
