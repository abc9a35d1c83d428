import { MANAGED_RULES_GLOB, RULER_PATHS } from "../components/kit/paths";
import type { RulerArgs } from "../components/ruler";
import { rulerRules } from "../components/rules/generate";
import type { RuleFile } from "../components/rules/rule-file";
import { NAMES, PIPELINE_LABELS, PORTS, RULER_SHARD, serviceHost } from "../model/names";
import type { Config } from "./config";
import { configManagerPuller } from "./config-manager-plan";
import type { ObjectStoragePlan } from "./object-storage-plan";
import { RULER_REPLICAS } from "./outputs";
import { ruleQueryOffset } from "./prometheus-plan";

/** The Ruler pair and its rules. */
export function ruler(
  config: Config,
  rules: readonly RuleFile[],
  objectStorage: ObjectStoragePlan | undefined,
): RulerArgs {
  const { query, storage, namespace } = config;
  const url = (service: string, port: number) => `http://${serviceHost(service, namespace.name)}:${String(port)}`;
  const queryUrl = url(NAMES.query, PORTS.query);
  const queryOffset = ruleQueryOffset(config);
  return {
    replicas: RULER_REPLICAS,
    flags: {
      // An alert is the same alert from both Rulers, and before and after a move to another shard or size.
      "alert.label-drop": Object.values(PIPELINE_LABELS),
      "alert.query-url": queryUrl,
      "alertmanagers.url": url(NAMES.alertmanager, PORTS.alertmanager),
      "data-dir": RULER_PATHS.data,
      "enable-auto-gomemlimit": true,
      "eval-interval": query.evaluationInterval,
      "grpc-address": `0.0.0.0:${String(PORTS.thanosGrpc)}`,
      "http-address": `0.0.0.0:${String(PORTS.thanosHttp)}`,
      // The roots one by one, and not their frontend: an alert is about now, and a root that can't answer is passed over.
      query: `dns+${serviceHost(NAMES.querierPods, namespace.name)}:${String(PORTS.thanosHttp)}`,
      // Kubernetes keeps a mounted map in folders whose names begin with dots.
      "rule-file": [
        `${RULER_PATHS.rules}/[^.]*`,
        ...(config.configManager ? [`${RULER_PATHS.managedRules}/${MANAGED_RULES_GLOB}`] : []),
      ],
      "rule-query-offset": queryOffset,
      "tsdb.retention": objectStorage?.localRetention ?? config.retention.sharded,
      ...objectStorage?.rulerFlags,
    },
    labels: { [PIPELINE_LABELS.cluster]: config.clusterLabel, [PIPELINE_LABELS.shard]: RULER_SHARD },
    rules: rulerRules(rules, { interval: query.evaluationInterval, queryOffset }),
    ...configManagerPuller(config, "ruler"),
    storageSize: storage.rulerSize,
    ...(storage.className === undefined ? {} : { storageClassName: storage.className }),
    isProtected: config.deletionProtection,
    ...(objectStorage?.uploads.secret === undefined ? {} : { storageSecret: objectStorage.uploads.secret }),
  };
}
