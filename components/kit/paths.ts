/** Paths inside the Prometheus container. Both containers of the pod that open the data must see it at the same path. */
export const PROMETHEUS_PATHS = { config: "/etc/prometheus", file: "prometheus.yaml", data: "/prometheus" } as const;

/** Paths inside the Prometheus that watches the pipeline. */
export const MONITORING_PATHS = {
  config: "/etc/prometheus",
  file: "prometheus.yaml",
  alerts: "alerts.yaml",
  data: "/prometheus",
} as const;

/** Paths inside the Querier container. */
export const QUERIER_PATHS = { config: "/etc/thanos", endpoints: "endpoints.yaml" } as const;
