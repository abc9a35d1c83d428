/** Paths inside the Prometheus container. Both containers of the pod that open the data must see it at the same path. */
export const PROMETHEUS_PATHS = {
  config: "/etc/prometheus",
  file: "prometheus.yaml",
  /** Rule files stand beside prometheus.yaml with this before their names. */
  rulePrefix: "rules-",
  data: "/prometheus",
  /** Rules that came over prometheus-configmanager's API, on the data's volume: they outlive the pod. */
  managedRules: "/prometheus/managed-rules",
} as const;

/** The file in which a sidecar notes what it has uploaded, and from which Prometheus learns what it may compact. */
export const SHIPPER_META_FILE = "thanos.shipper.json";

/** Path of the object storage configuration, and of the data, inside every container that reads or writes the bucket. */
export const STORAGE_PATHS = { config: "/etc/object-storage", file: "object-storage.yaml", data: "/data" } as const;

/** Paths inside the Prometheus that watches the pipeline. */
export const MONITORING_PATHS = {
  config: "/etc/prometheus",
  file: "prometheus.yaml",
  alerts: "alerts.yaml",
  data: "/prometheus",
} as const;

/** Paths inside the containers of a root Querier's pod. */
export const QUERIER_PATHS = { config: "/etc/thanos", endpoints: "endpoints.yaml", expected: "expected.json" } as const;

/** Paths inside the containers of a leaf's pod. */
export const LEAF_PATHS = { config: "/etc/thanos", endpoints: "endpoints.yaml", adapter: "adapter.json" } as const;

/** Paths inside the Ruler container. */
export const RULER_PATHS = {
  rules: "/etc/thanos/rules",
  data: "/var/thanos",
  /** As {@link PROMETHEUS_PATHS}.managedRules. */
  managedRules: "/var/thanos/managed-rules",
} as const;

/** Files in a `managedRules` folder: the rules, and one that rules-puller writes so that each change is noticed. */
export const MANAGED_RULES_GLOB = "[^.]*.yml";

/** Path of prometheus-configmanager's volume: rule files stand right in it. */
export const CONFIG_MANAGER_PATHS = { rules: "/rules" } as const;

/** Paths inside the Alertmanager container. */
export const ALERTMANAGER_PATHS = {
  config: "/etc/alertmanager",
  file: "alertmanager.yaml",
  data: "/alertmanager",
  /** On the data's volume: the configuration that alertmanager-configurer writes, and its templates. */
  managed: "/alertmanager/config",
  managedFile: "alertmanager.yml",
  templates: "/alertmanager/config/templates",
} as const;
