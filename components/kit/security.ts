import type { types } from "@pulumi/kubernetes";

/** User "nobody" of the Prometheus, Alertmanager and hub pods. */
export const NOBODY_UID = 65534;
/**
 * User of the Thanos pods and containers: "nobody" as in kube-thanos, not the image's own 1001. Users below 10,000 may be
 * somebody on the node, and a sidecar that uploads writes to the volume of its Prometheus.
 */
export const THANOS_UID = 65534;

/** Pod part of the `restricted` Pod Security Standard; volumes belong to the user's group. */
export function podSecurity(uid: number): types.input.core.v1.PodSecurityContext {
  return {
    fsGroup: uid,
    // Without it kubelet walks through the whole volume at every start, which takes minutes on a large one.
    fsGroupChangePolicy: "OnRootMismatch",
    runAsGroup: uid,
    runAsNonRoot: true,
    runAsUser: uid,
    seccompProfile: { type: "RuntimeDefault" },
  };
}

/** Container part of the `restricted` Pod Security Standard, and a read-only root file system. */
export function containerSecurity(uid: number): types.input.core.v1.SecurityContext {
  return {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"] },
    readOnlyRootFilesystem: true,
    runAsGroup: uid,
    runAsNonRoot: true,
    runAsUser: uid,
    seccompProfile: { type: "RuntimeDefault" },
  };
}

/** Labels by which a namespace enforces the `restricted` Pod Security Standard. */
export const RESTRICTED_NAMESPACE = {
  "pod-security.kubernetes.io/enforce": "restricted",
  "pod-security.kubernetes.io/audit": "restricted",
  "pod-security.kubernetes.io/warn": "restricted",
} as const;
