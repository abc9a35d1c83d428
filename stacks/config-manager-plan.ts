import type { AlertmanagerArgs } from "../components/alertmanager";
import type { ConfigManagerArgs } from "../components/config-manager";
import { ALERTMANAGER_PATHS, CONFIG_MANAGER_PATHS, PROMETHEUS_PATHS, RULER_PATHS } from "../components/kit/paths";
import type { RulesPullerArgs } from "../components/kit/rules-puller";
import { NOBODY_UID, THANOS_UID } from "../components/kit/security";
import { NAMES, PIPELINE_LABELS, PORTS, prometheusName, serviceHost } from "../model/names";
import type { Config } from "./config";
import { RULER_REPLICAS } from "./outputs";

/** Label that tells tenants' alerts and routes apart; Magma's. */
export const TENANT_LABEL = "networkID";

/** Volume of rule files: a few KB per tenant, and no storage class is known that makes smaller ones than this. */
const STORAGE_SIZE = "1Gi";

/** Pods that evaluate the rules: the Rulers, or the one Prometheus. */
function consumers(config: Config): readonly string[] {
  if (!config.createThanos) return [`${prometheusName(0, "a")}-0`];
  return Array.from({ length: RULER_REPLICAS }, (_, index) => `${NAMES.ruler}-${String(index)}`);
}

/** prometheus-configmanager, where the config asks for it. */
export function configManagerPlan(config: Config): { readonly configManager?: ConfigManagerArgs } {
  if (!config.configManager) return {};
  return {
    configManager: {
      flags: {
        // Without it, it writes log files, and ends where it can't.
        logtostderr: true,
        "multitenant-label": TENANT_LABEL,
        port: PORTS.configManager,
        // What it takes for Prometheus answers when all who evaluate the rules have taken them. Without a scheme.
        prometheusURL: `127.0.0.1:${String(PORTS.managedReload)}`,
        // As Magma does: a tenant's expressions see the tenant's own series only.
        "restrict-queries": true,
        "rules-dir": CONFIG_MANAGER_PATHS.rules,
      },
      consumers: consumers(config),
      storageSize: STORAGE_SIZE,
      ...(config.storage.className === undefined ? {} : { storageClassName: config.storage.className }),
      isProtected: config.deletionProtection,
    },
  };
}

/** Who pulls the rules in a pod that evaluates them. */
export function configManagerPuller(
  config: Config,
  target: RulesPullerArgs["target"],
): { readonly puller?: RulesPullerArgs } {
  // A shard behind Thanos sees a part of the series only.
  if (!config.configManager || config.createThanos !== (target === "ruler")) return {};
  const from = `http://${serviceHost(NAMES.configManager, config.namespace.name)}:${String(PORTS.managedRules)}/rules`;
  if (target === "ruler") {
    const url = `http://127.0.0.1:${String(PORTS.thanosHttp)}`;
    const { managedRules: into, data } = RULER_PATHS;
    return { puller: { from, target, url, into, data, uid: THANOS_UID } };
  }
  const { managedRules: into, data } = PROMETHEUS_PATHS;
  return {
    puller: {
      from,
      target,
      url: `http://127.0.0.1:${String(PORTS.prometheus)}`,
      into,
      data,
      labels: { [PIPELINE_LABELS.cluster]: config.clusterLabel, [PIPELINE_LABELS.shard]: "0" },
      uid: NOBODY_UID,
    },
  };
}

/** alertmanager-configurer beside Alertmanager, where the config asks for it. */
export function alertmanagerConfigurer(config: Config): Pick<AlertmanagerArgs, "configurerFlags"> {
  if (!config.configManager) return {};
  return {
    configurerFlags: {
      // It reads and writes "/" and what stands here.
      "alertmanager-conf": `${ALERTMANAGER_PATHS.managed}/${ALERTMANAGER_PATHS.managedFile}`,
      alertmanagerURL: `127.0.0.1:${String(PORTS.alertmanager)}`,
      "delete-route-with-receiver": true,
      logtostderr: true,
      "multitenant-label": TENANT_LABEL,
      port: PORTS.alertmanagerConfigurer,
      "template-directory": `${ALERTMANAGER_PATHS.templates}/`,
    },
  };
}
