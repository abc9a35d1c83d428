import { containerPolicy, flags } from "../kit/workloads";

/** Flags that let whoever reaches the port stop the server or delete samples. */
const FORBIDDEN = ["web.enable-admin-api", "web.enable-lifecycle", "web.enable-remote-write-receiver"] as const;

/** No Prometheus serves its lifecycle, admin or remote-write endpoints: whoever reaches them stops it or changes history. */
export const noAdminEndpoints = containerPolicy(
  {
    name: "no-admin-endpoints",
    description:
      "No Prometheus serves its lifecycle, admin or remote-write endpoints: whoever reaches them stops it or changes history.",
    severity: "high",
    remediation: "take the flag out; configuration is reloaded when its file changes",
    url: "https://prometheus.io/docs/operating/security/#prometheus",
  },
  ({ args }) => FORBIDDEN.filter((name) => flags(args, name).includes(true)).map((name) => `is started with --${name}`),
);
