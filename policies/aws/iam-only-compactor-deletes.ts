import { PERMISSION_TYPES, permissions, ROLE } from "../kit/aws";
import { resourcePolicy } from "../kit/policy";

/** Deleting, and whatever a wildcard hides it in. */
const DELETES = /^(s3:(Delete.*|\*.*)|\*)$/;

/** Only the Compactor may delete blocks. */
export const iamOnlyCompactorDeletes = resourcePolicy(
  {
    name: "iam-only-compactor-deletes",
    description: "Only the Compactor may delete blocks.",
    severity: "critical",
    remediation: "take s3:DeleteObject out of the part's role",
    url: "https://thanos.io/tip/thanos/storage.md/",
    types: [...PERMISSION_TYPES, ROLE],
  },
  (resource) =>
    /compact/i.test(resource.name)
      ? []
      : permissions(resource)
          .filter(({ isAllow }) => isAllow)
          .flatMap(({ actions }) => actions.filter((action) => DELETES.test(action)))
          .map((action) => `allows ${action}`),
);
