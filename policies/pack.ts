import { claimsRetained } from "./availability/claims-retained";
import { clusterIdentifier } from "./availability/cluster-identifier";
import { disruptionBudgets } from "./availability/disruption-budgets";
import { shardsProtected } from "./availability/shards-protected";
import { terminationGrace } from "./availability/termination-grace";
import { eksLogs } from "./aws/eks-logs";
import { eksPrivateEndpoint } from "./aws/eks-private-endpoint";
import { eksSecretsEncrypted } from "./aws/eks-secrets-encrypted";
import { eksSupportedVersion } from "./aws/eks-supported-version";
import { iamNoWildcards } from "./aws/iam-no-wildcards";
import { iamOnlyCompactorDeletes } from "./aws/iam-only-compactor-deletes";
import { iamTrustNarrow } from "./aws/iam-trust-narrow";
import { kmsPolicyNarrow } from "./aws/kms-policy-narrow";
import { kmsRotated } from "./aws/kms-rotated";
import { s3KmsEncrypted } from "./aws/s3-kms-encrypted";
import { s3Lifecycle } from "./aws/s3-lifecycle";
import { s3NeverEmptied } from "./aws/s3-never-emptied";
import { s3OwnerEnforced } from "./aws/s3-owner-enforced";
import { s3PublicAccessBlocked } from "./aws/s3-public-access-blocked";
import { s3TlsOnly } from "./aws/s3-tls-only";
import { s3Versioned } from "./aws/s3-versioned";
import { clientsAreLetThrough } from "./network/clients-are-let-through";
import { defaultDeny } from "./network/default-deny";
import { internalServices } from "./network/internal-services";
import { noAdminEndpoints } from "./network/no-admin-endpoints";
import { onlyListedEdges } from "./network/only-listed-edges";
import { prometheusBehindGate } from "./network/prometheus-behind-gate";
import { everyShardIsQueried } from "./pipeline/every-shard-is-queried";
import { hubScrapedByItsOwnOnly } from "./pipeline/hub-scraped-by-its-own-only";
import { labelsForced } from "./pipeline/labels-forced";
import { noPartialResponse } from "./pipeline/no-partial-response";
import { noTwoWriters } from "./pipeline/no-two-writers";
import { oneAlertmanagerSet } from "./pipeline/one-alertmanager-set";
import { oneClusterLabel } from "./pipeline/one-cluster-label";
import { oneCompactor } from "./pipeline/one-compactor";
import { oneConfigManager } from "./pipeline/one-config-manager";
import { oneHubPerPrometheus } from "./pipeline/one-hub-per-prometheus";
import { readableBlocks } from "./pipeline/readable-blocks";
import { replicaLabelsConsistent } from "./pipeline/replica-labels-consistent";
import { retentionArithmetic } from "./pipeline/retention-arithmetic";
import { shardsHaveShardRulesOnly } from "./pipeline/shards-have-shard-rules-only";
import { statefulSetsFrozen } from "./pipeline/stateful-sets-frozen";
import { supportedPrometheus } from "./pipeline/supported-prometheus";
import { uniqueExternalLabels } from "./pipeline/unique-external-labels";
import { noAdminBindings } from "./rbac/no-admin-bindings";
import { noClusterWideRights } from "./rbac/no-cluster-wide-rights";
import { noDangerousRights } from "./rbac/no-dangerous-rights";
import { noRbacWildcards } from "./rbac/no-rbac-wildcards";
import { coreVolumeTypes } from "./workload/core-volume-types";
import { dropAllCapabilities } from "./workload/drop-all-capabilities";
import { namedNamespace } from "./workload/named-namespace";
import { noAddedCapabilities } from "./workload/no-added-capabilities";
import { noCpuLimits } from "./workload/no-cpu-limits";
import { noHostNamespaces } from "./workload/no-host-namespaces";
import { noHostPaths } from "./workload/no-host-paths";
import { noPlainSecrets } from "./workload/no-plain-secrets";
import { noPrivilegeEscalation } from "./workload/no-privilege-escalation";
import { noServiceAccountToken } from "./workload/no-service-account-token";
import { notPrivileged } from "./workload/not-privileged";
import { ownServiceAccount } from "./workload/own-service-account";
import { pinnedImages } from "./workload/pinned-images";
import { probesSet } from "./workload/probes-set";
import { qualifiedImages } from "./workload/qualified-images";
import { readOnlyRoot } from "./workload/read-only-root";
import { resourcesSet } from "./workload/resources-set";
import { restrictedNamespace } from "./workload/restricted-namespace";
import { runAsHighUser } from "./workload/run-as-high-user";
import { runAsNonRoot } from "./workload/run-as-non-root";
import { seccompProfile } from "./workload/seccomp-profile";
import { volumesHaveGroup } from "./workload/volumes-have-group";
import type { Policy } from "./kit/policy";

/** Every policy of the pack, by what it looks at. */
export const POLICIES: readonly Policy[] = [
  // Pods and what they run as.
  coreVolumeTypes,
  dropAllCapabilities,
  namedNamespace,
  noAddedCapabilities,
  noCpuLimits,
  noHostNamespaces,
  noHostPaths,
  noPlainSecrets,
  noPrivilegeEscalation,
  noServiceAccountToken,
  notPrivileged,
  ownServiceAccount,
  pinnedImages,
  probesSet,
  qualifiedImages,
  readOnlyRoot,
  resourcesSet,
  restrictedNamespace,
  runAsHighUser,
  runAsNonRoot,
  seccompProfile,
  volumesHaveGroup,
  // Rights in Kubernetes.
  noAdminBindings,
  noClusterWideRights,
  noDangerousRights,
  noRbacWildcards,
  // Who reaches whom.
  clientsAreLetThrough,
  defaultDeny,
  internalServices,
  noAdminEndpoints,
  onlyListedEdges,
  prometheusBehindGate,
  // What survives a restart, a drain and a mistake.
  claimsRetained,
  clusterIdentifier,
  disruptionBudgets,
  shardsProtected,
  terminationGrace,
  // The pipeline's own constraints (design, section 9).
  everyShardIsQueried,
  hubScrapedByItsOwnOnly,
  labelsForced,
  noPartialResponse,
  noTwoWriters,
  oneAlertmanagerSet,
  oneClusterLabel,
  oneCompactor,
  oneConfigManager,
  oneHubPerPrometheus,
  readableBlocks,
  replicaLabelsConsistent,
  retentionArithmetic,
  shardsHaveShardRulesOnly,
  statefulSetsFrozen,
  supportedPrometheus,
  uniqueExternalLabels,
  // The cloud.
  eksLogs,
  eksPrivateEndpoint,
  eksSecretsEncrypted,
  eksSupportedVersion,
  iamNoWildcards,
  iamOnlyCompactorDeletes,
  iamTrustNarrow,
  kmsPolicyNarrow,
  kmsRotated,
  s3KmsEncrypted,
  s3Lifecycle,
  s3NeverEmptied,
  s3OwnerEnforced,
  s3PublicAccessBlocked,
  s3TlsOnly,
  s3Versioned,
];
