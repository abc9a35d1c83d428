import { describe, expect, test } from "vitest";
import {
  BATCH_METRIC,
  claimName,
  dashboardMapName,
  hubName,
  hubScrapeName,
  leafName,
  leafPodsName,
  NAMES,
  pairName,
  PIPELINE_LABELS,
  PORTS,
  PROJECT,
  prometheusName,
  replicaName,
  RULER_SHARD,
  serviceHost,
  shardName,
  sidecarName,
} from "../../../model/names";

/** The frozen name table (design, section 1): renaming one of these loses volumes. Changing a line here is a migration. */
describe("frozen names", () => {
  test.each([
    ["project and config namespace", PROJECT, "scaled-prometheus"],
    ["shard", shardName(0), "shard-0"],
    ["shard, two digits", shardName(63), "shard-63"],
    ["replica of a shard", replicaName(0, "a"), "shard-0-a"],
    ["other replica", replicaName(12, "b"), "shard-12-b"],
    ["StatefulSet", prometheusName(0, "a"), "prometheus-shard-0-a"],
    ["claim template", NAMES.claimTemplate, "data"],
    ["claim", claimName(prometheusName(0, "a")), "data-prometheus-shard-0-a-0"],
    ["hub", hubName(0, "a"), "hub-shard-0-a"],
    ["hub's Service for its Prometheus", hubScrapeName(0, "a"), "hub-shard-0-a-scrape"],
    ["sidecar", sidecarName(0, "a"), "sidecar-shard-0-a"],
    ["budget of both Prometheus servers", pairName("prometheus", 0), "prometheus-shard-0"],
    ["budget of both hubs", pairName("hub", 0), "hub-shard-0"],
    ["numbers of writes", BATCH_METRIC, "pipeline_push_batch"],
    ["query", NAMES.query, "query"],
    ["querier", NAMES.querier, "querier"],
    ["exporter", NAMES.exporter, "exporter"],
    ["Alertmanager", NAMES.alertmanager, "alertmanager"],
    ["Ruler", NAMES.ruler, "ruler"],
    ["claim of a Ruler", claimName(NAMES.ruler), "data-ruler-0"],
    ["every root Querier", NAMES.querierPods, "querier-pods"],
    ["query frontend", NAMES.queryFrontend, "query-frontend"],
    ["leaf of a shard", leafName(0), "leaf-shard-0"],
    ["leaf of the Rulers", leafName(RULER_SHARD), "leaf-ruler"],
    ["its pods", leafPodsName(0), "leaf-shard-0-pods"],
    ["shard of what the Ruler records", RULER_SHARD, "ruler"],
    ["monitoring", NAMES.monitoring, "monitoring"],
    ["the exporters' Service for it", NAMES.exporterScrape, "exporter-scrape"],
    ["the frontends' Service for it", NAMES.queryFrontendScrape, "query-frontend-scrape"],
    ["data sources", NAMES.datasources, "grafana-datasources"],
    ["dashboard", dashboardMapName("pipeline"), "dashboard-pipeline"],
    ["label of the pipeline", PIPELINE_LABELS.cluster, "cluster"],
    ["label of the shard", PIPELINE_LABELS.shard, "shard"],
    ["label of the replica", PIPELINE_LABELS.replica, "prometheus_replica"],
    ["host name", serviceHost("query", "metrics"), "query.metrics.svc"],
  ])("%s", (_what, name, frozen) => {
    expect(name).toBe(frozen);
  });

  test("ports", () => {
    expect(PORTS).toStrictEqual({
      query: 9090,
      gate: 9090,
      prometheus: 9095,
      ops: 8080,
      push: 9091,
      hub: 9091,
      thanosGrpc: 10901,
      thanosHttp: 10902,
      leafGrpc: 10911,
      rootHttp: 10912,
      alertmanager: 9093,
      configManager: 9100,
      alertmanagerConfigurer: 9101,
      managedRules: 9102,
      managedReload: 9103,
      pullerOps: 8081,
    });
  });

  test("every name of the largest shard is a valid Kubernetes name", () => {
    const names = [
      shardName(63),
      claimName(prometheusName(63, "b")),
      hubScrapeName(63, "b"),
      sidecarName(63, "b"),
      leafPodsName(63),
    ];
    for (const name of names) expect(name).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/);
  });
});
