import { milliseconds, seconds } from "../model/durations";
import { INTERVALS_TO_STORE, type ExporterConfig } from "../model/exporter-config";
import { hubName, PORTS, prometheusName, serviceHost, shardName, type ReplicaLetter } from "../model/names";
import { quantity } from "../model/quantities";
import { ringVersion } from "../model/ring";
import type { Config } from "./config";
import { placementUrl } from "./placement-plan";
import type { QueriedShard } from "./queried-shards";

/** Old samples are refused this much before Prometheus would refuse them, at least: they travel, and clocks differ. */
const LEAST_AGE_MARGIN_SECONDS = 300;

/**
 * What is sent again must be stored while it is in the window. That ends at the newest sample, which may be as far ahead as a
 * sample may be, and a scrape comes up to a minute later.
 */
const RESEND_MARGIN_SECONDS = 120;

/**
 * Scrape intervals in which a write that a scrape lost is sent again and stored: it is found missing, which may take part of
 * one, and the next scrape takes it. A sample that is accepted must be young enough for it, and a stopping exporter waits.
 */
const RESEND_INTERVALS = INTERVALS_TO_STORE + 2;

/** The exporter's configuration file: the ring, the retired shards where series are ended, and what a push may hold. */
export function exporterConfig(config: Config, queried: readonly QueriedShard[]): ExporterConfig {
  const { push, namespace } = config;
  const prometheusUrl = (index: number, replica: ReplicaLetter): string =>
    `http://${serviceHost(prometheusName(index, replica), namespace.name)}:${String(PORTS.gateExporters)}`;
  const inRing = queried.filter(({ isRetired }) => !isRetired);
  const shards = inRing.map(({ index, replicas }) => ({
    index,
    name: shardName(index),
    hubs: replicas.map((replica) => ({
      replica,
      url: `http://${serviceHost(hubName(index, replica), namespace.name)}:${String(PORTS.hub)}`,
      prometheusUrl: prometheusUrl(index, replica),
    })),
  }));
  // What is left of one without a Prometheus is in the bucket: its series ended long ago.
  const retired = queried
    .filter(({ isRetired, replicas }) => isRetired && replicas.length > 0)
    .map(({ index, replicas }) => ({
      index,
      name: shardName(index),
      replicas: replicas.map((replica) => ({ replica, prometheusUrl: prometheusUrl(index, replica) })),
    }));
  const { shardLabel, homeShard } = push;
  const { perTenant } = push.limits;
  const resendMargin = seconds(push.limits.maxFuture) + RESEND_MARGIN_SECONDS;
  const resendSeconds = RESEND_INTERVALS * seconds(push.scrapeInterval);
  const ageMargin = Math.max(LEAST_AGE_MARGIN_SECONDS, resendMargin + resendSeconds);
  return {
    version: ringVersion({ shardLabel, homeShard, shards }),
    shardLabel,
    homeShard,
    shards,
    ...(retired.length === 0 ? {} : { retired }),
    limits: {
      maxBodyBytes: quantity(push.limits.maxBodySize),
      maxMessageBytes: quantity(push.limits.maxMessageSize),
      maxFutureSeconds: seconds(push.limits.maxFuture),
      maxAgeSeconds: seconds(config.outOfOrderWindow) - ageMargin,
    },
    commit: {
      bufferBytes: quantity(push.buffer),
      scrapeIntervalMilliseconds: milliseconds(push.scrapeInterval),
      maxResendAgeSeconds: seconds(config.outOfOrderWindow) - resendMargin,
      drainSeconds: resendSeconds,
    },
    ...(perTenant === undefined
      ? {}
      : {
          tenantLimits: {
            label: perTenant.label,
            maxSeries: perTenant.maxSeries ?? 0,
            maxSamplesPerSecond: perTenant.maxSamplesPerSecond ?? 0,
          },
        }),
    pushTimeoutMilliseconds: milliseconds(push.timeout),
    lookbackSeconds: seconds(config.query.lookbackDelta),
    ...placementUrl(config),
  };
}
