import type { types } from "@pulumi/kubernetes";
import { NAMES, PORTS } from "../../model/names";
import { flagList, type Flags } from "./flags";
import { ALERTMANAGER_PATHS } from "./paths";
import type { Platform } from "./platform";
import { container, serviceContainer } from "./pod";
import { NO_PROBES, rootProbes } from "./probes";
import { NOBODY_UID } from "./security";

type Container = types.input.core.v1.Container;

/** The container of alertmanager-configurer: tenants' receivers and routes over HTTP, written to Alertmanager's volume. */
export function alertmanagerConfigurerContainer(platform: Platform, flags: Flags): Container {
  return container(platform, {
    // With the resources of the other half of prometheus-configmanager.
    name: "configmanager",
    containerName: "alertmanager-configurer",
    image: platform.images.alertmanagerConfigurer,
    args: flagList(flags),
    ports: { configurer: PORTS.alertmanagerConfigurer },
    probes: rootProbes("configurer"),
    mounts: { [NAMES.claimTemplate]: ALERTMANAGER_PATHS.data },
    writable: [NAMES.claimTemplate],
    uid: NOBODY_UID,
  });
}

/** Puts the configuration that Alertmanager starts with on its volume where there is none yet. */
export function seedContainer(platform: Platform): Container {
  return serviceContainer(platform, {
    name: "rules-sync",
    containerName: "config-seed",
    args: [
      "--from",
      `${ALERTMANAGER_PATHS.config}/${ALERTMANAGER_PATHS.file}`,
      "--to",
      `${ALERTMANAGER_PATHS.managed}/${ALERTMANAGER_PATHS.managedFile}`,
      "--folder",
      ALERTMANAGER_PATHS.templates,
    ],
    ports: {},
    probes: NO_PROBES,
    mounts: { config: ALERTMANAGER_PATHS.config, [NAMES.claimTemplate]: ALERTMANAGER_PATHS.data },
    writable: [NAMES.claimTemplate],
    uid: NOBODY_UID,
  });
}
