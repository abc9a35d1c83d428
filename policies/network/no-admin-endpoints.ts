import { containerPolicy, flags } from "../kit/workloads";

/** Flags that let whoever reaches the port stop the server or delete samples. */
const FORBIDDEN = ["web.enable-admin-api", "web.enable-lifecycle"] as const;
/** Lets whoever reaches the port write samples; the gate in the pod, which alone reaches loopback, lets markers through. */
const RECEIVER = "web.enable-remote-write-receiver";

/** No Prometheus serves its lifecycle and admin endpoints, nor remote write beyond its pod: they stop it or change history. */
export const noAdminEndpoints = containerPolicy(
  {
    name: "no-admin-endpoints",
    description:
      "No Prometheus serves its lifecycle or admin endpoints, nor remote write on another address than loopback: whoever reaches them stops it or changes history.",
    severity: "high",
    remediation:
      "take the flag out (configuration is reloaded when its file changes), or listen on 127.0.0.1 behind the gate",
    url: "https://prometheus.io/docs/operating/security/#prometheus",
  },
  ({ args }) => [
    ...FORBIDDEN.filter((name) => flags(args, name).includes(true)).map((name) => `is started with --${name}`),
    ...(flags(args, RECEIVER).includes(true) && !listensOnLoopback(flags(args, "web.listen-address"))
      ? [`is started with --${RECEIVER} and does not listen on loopback only`]
      : []),
  ],
);

function listensOnLoopback(addresses: readonly (string | boolean)[]): boolean {
  return (
    addresses.length > 0 &&
    addresses.every((address) => typeof address === "string" && address.startsWith("127.0.0.1:"))
  );
}
