import type * as pulumi from "@pulumi/pulumi";
import * as apps from "@pulumi/kubernetes/apps/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import * as disruption from "@pulumi/kubernetes/policy/v1";
import { exporterConfigText, type ExporterConfig } from "../model/exporter-config";
import { NAMES, PORTS } from "../model/names";
import { Component } from "./kit/component";
import { contentName } from "./kit/content-name";
import { disruptionBudget } from "./kit/disruption";
import { commonLabels, selectorLabels } from "./kit/labels";
import type { Platform } from "./kit/platform";
import { podTemplate, serviceContainer, servicesVolume } from "./kit/pod";
import { quickProbes } from "./kit/probes";
import { NOBODY_UID } from "./kit/security";
import { clusterIpSpec } from "./kit/service";
import { goneAtOnce, withoutWaiting, workloadTimeouts } from "./kit/waiting";

const PATHS = {
  config: "/etc/exporter",
  file: "exporter.json",
  tls: "/etc/exporter-tls",
  token: "/etc/exporter-token",
  tokenFile: "token",
} as const;

/** Seconds that clients have to notice that a pod stops, before it does. */
const DRAIN_SECONDS = 5;
/** Hub pushes that a push may have to wait for, one after another (services/exporter/exporter.ts). */
const HUB_PUSHES = 4;
/** Seconds for the process to end. */
const END_SECONDS = 15;

/** Arguments of {@link Exporter}. */
export interface ExporterArgs {
  readonly replicas: number;
  /** The ring and what a push may hold. */
  readonly config: ExporterConfig;
  /** Takes pushes over gRPC too. */
  readonly hasGrpc: boolean;
  /** Secret of the type kubernetes.io/tls for the push ports; default: no TLS. */
  readonly tlsSecret?: string | undefined;
  /** Secret with bearer tokens under the key `token`; default: whoever reaches the exporter may push. */
  readonly tokenSecret?: string | undefined;
}

/** Seconds that a pod gets: clients leave it, the pushes under way end, and what was acknowledged is stored. */
function graceSeconds({ commit, pushTimeoutMilliseconds }: ExporterConfig): number {
  const pushes = Math.ceil((HUB_PUSHES * pushTimeoutMilliseconds) / 1000);
  return DRAIN_SECONDS + pushes + commit.drainSeconds + END_SECONDS;
}

/** Takes pushes and hands every series to the hub of its shard. Exists in every size. */
export class Exporter extends Component {
  constructor(platform: Platform, args: ExporterArgs, options: pulumi.ComponentResourceOptions = {}) {
    const name = NAMES.exporter;
    super("Exporter", name, options);
    const part = { component: "exporter" } as const;
    const labels = commonLabels(part, platform.labels);
    const selector = selectorLabels(part);
    const grace = graceSeconds(args.config);
    const secrets = mountedSecrets(args);
    const files = { [PATHS.file]: exporterConfigText(args.config) };
    // Content-named: the rollout ends when every exporter uses this very ring.
    const mapName = contentName(name, files);
    const config = new core.ConfigMap(
      `${name}-config`,
      {
        metadata: withoutWaiting({ name: mapName, namespace: platform.namespace, labels }),
        data: files,
        immutable: true,
      },
      this.child(),
    );
    const deployment = new apps.Deployment(
      name,
      {
        metadata: goneAtOnce({ name, namespace: platform.namespace, labels }),
        spec: {
          replicas: args.replicas,
          selector: { matchLabels: selector },
          strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
          template: podTemplate(platform, {
            part,
            uid: NOBODY_UID,
            terminationGracePeriodSeconds: grace,
            volumes: [
              { name: "config", configMap: { name: mapName } },
              servicesVolume(platform),
              ...secrets.map(({ name: volume, secretName }) => ({ name: volume, secret: { secretName } })),
            ],
            containers: [
              serviceContainer(platform, {
                name: "exporter",
                args: [
                  "--config",
                  `${PATHS.config}/${PATHS.file}`,
                  ...(args.hasGrpc ? [] : ["--grpc-listen", "off"]),
                  ...secrets.flatMap(({ flags }) => flags),
                ],
                ports: { http: PORTS.push, ...(args.hasGrpc ? { grpc: PORTS.pushGrpc } : {}), ops: PORTS.ops },
                probes: quickProbes("ops"),
                mounts: {
                  config: PATHS.config,
                  ...Object.fromEntries(secrets.map(({ name: volume, path }) => [volume, path])),
                },
                uid: NOBODY_UID,
                drainSeconds: DRAIN_SECONDS,
              }),
            ],
          }),
        },
      },
      this.child({ dependsOn: config, customTimeouts: workloadTimeouts(10, grace) }),
    );
    new core.Service(
      name,
      {
        metadata: withoutWaiting({ name, namespace: platform.namespace, labels }),
        spec: clusterIpSpec(selector, [
          { name: "http", port: PORTS.push, target: "http" },
          ...(args.hasGrpc ? [{ name: "grpc", port: PORTS.pushGrpc, target: "grpc" }] : []),
        ]),
      },
      this.child({ dependsOn: deployment }),
    );
    if (args.replicas > 1) {
      new disruption.PodDisruptionBudget(
        name,
        { metadata: withoutWaiting({ name, namespace: platform.namespace, labels }), spec: disruptionBudget(selector) },
        this.child(),
      );
    }
    this.registerOutputs();
  }
}

interface MountedSecret {
  /** Name of the volume. */
  readonly name: string;
  readonly secretName: string;
  readonly path: string;
  readonly flags: readonly string[];
}

/** Secrets that the push ports need. They are the user's: the exporter sees a change by itself, and nothing restarts. */
function mountedSecrets({ tlsSecret, tokenSecret }: ExporterArgs): readonly MountedSecret[] {
  const { tls, token, tokenFile } = PATHS;
  return [
    ...(tlsSecret === undefined
      ? []
      : [{ name: "tls", secretName: tlsSecret, path: tls, flags: ["--tls-folder", tls] }]),
    ...(tokenSecret === undefined
      ? []
      : [{ name: "token", secretName: tokenSecret, path: token, flags: ["--token-file", `${token}/${tokenFile}`] }]),
  ];
}
