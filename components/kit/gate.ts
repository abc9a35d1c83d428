import type { types } from "@pulumi/kubernetes";
import { PORTS } from "../../model/names";
import type { Platform } from "./platform";
import { serviceContainer } from "./pod";
import { quickProbes } from "./probes";
import { NOBODY_UID } from "./security";

/** Where the Prometheus of the same pod listens. */
export const GATE_UPSTREAM = `http://127.0.0.1:${String(PORTS.prometheus)}`;

/**
 * The container through which others reach the Prometheus of the same pod, as user "nobody".
 * @param readyAfterScrape Scrape job whose targets buffer while Prometheus is away: it is ready when it has what they kept.
 */
export function gateContainer(platform: Platform, readyAfterScrape?: string): types.input.core.v1.Container {
  return serviceContainer(platform, {
    name: "gate",
    args: [
      "--listen",
      `0.0.0.0:${String(PORTS.gate)}`,
      "--upstream",
      GATE_UPSTREAM,
      "--ops",
      `0.0.0.0:${String(PORTS.ops)}`,
      ...(readyAfterScrape === undefined ? [] : ["--ready-after-scrape", readyAfterScrape]),
    ],
    ports: { http: PORTS.gate, ops: PORTS.ops },
    probes: quickProbes("ops"),
    mounts: {},
    uid: NOBODY_UID,
  });
}
