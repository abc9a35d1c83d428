/** Parts that have an image of their own. */
export const IMAGE_NAMES = [
  "prometheus",
  "thanos",
  "alertmanager",
  "hub",
  "node",
  "prometheusConfigurer",
  "alertmanagerConfigurer",
] as const;

/** One of {@link IMAGE_NAMES}. */
export type ImageName = (typeof IMAGE_NAMES)[number];

/** Images by part: full references with a tag or a digest. */
export type Images = Readonly<Record<ImageName, string>>;

/** Public images that the pipeline is tested with; each can be overridden by config. */
export const DEFAULT_IMAGES: Images = {
  prometheus: "quay.io/prometheus/prometheus:v3.14.0",
  thanos: "quay.io/thanos/thanos:v0.42.4",
  alertmanager: "quay.io/prometheus/alertmanager:v0.31.1",
  hub: "docker.io/facebookincubator/prometheus-edge-hub:1.1.0",
  node: "docker.io/library/node:24.21.0-bookworm-slim",
  prometheusConfigurer: "docker.io/facebookincubator/prometheus-configurer:1.0.4",
  alertmanagerConfigurer: "docker.io/facebookincubator/alertmanager-configurer:1.0.4",
};

/** Three numbers of a version tag. */
export type Version = readonly [major: number, minor: number, patch: number];

/** The version in an image's tag (`v3.14.0`, `24.21.0-slim`), or undefined where the reference does not tell (digest, other tags). */
export function imageVersion(reference: string): Version | undefined {
  const tag = /:([^/:@]+)(?:@.*)?$/.exec(reference)?.[1];
  const parts = tag === undefined ? null : /^v?(\d+)\.(\d+)\.(\d+)/.exec(tag);
  return parts === null ? undefined : [Number(parts[1]), Number(parts[2]), Number(parts[3])];
}

/** -1, 0 or 1. */
export function compareVersions(left: Version, right: Version): number {
  for (const index of [0, 1, 2] as const) {
    if (left[index] !== right[index]) return left[index] < right[index] ? -1 : 1;
  }
  return 0;
}

/**
 * Moves an image to another registry: the first path element is replaced when it is a host
 * (`quay.io/prometheus/prometheus:v3` in `mirror.example` becomes `mirror.example/prometheus/prometheus:v3`).
 */
export function inRegistry(reference: string, registry: string): string {
  const [first = "", ...rest] = reference.split("/");
  const isHost = rest.length > 0 && (first.includes(".") || first.includes(":") || first === "localhost");
  return [registry.replace(/\/+$/, ""), ...(isHost ? rest : [first, ...rest])].join("/");
}
