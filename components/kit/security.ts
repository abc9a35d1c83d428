import type { types } from "@pulumi/kubernetes";

/** User "nobody" of the Prometheus, Alertmanager and hub pods. */
export const NOBODY_UID = 65534;
/** User of the Thanos image. */
export const THANOS_UID = 1001;

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
