import { CLUSTER } from "../kit/aws";
import { at, texts } from "../kit/values";
import { resourcePolicy } from "../kit/policy";

/** A cluster encrypts its Secrets with a KMS key. */
export const eksSecretsEncrypted = resourcePolicy(
  {
    name: "eks-secrets-encrypted",
    description: "A cluster encrypts its Secrets with a KMS key.",
    severity: "high",
    remediation: "set encryptionConfig with the resource secrets and a key's ARN",
    url: "https://docs.aws.amazon.com/eks/latest/best-practices/security.html",
    types: [CLUSTER],
  },
  ({ props }) => {
    const config = props["encryptionConfig"];
    return texts(at(config, "resources")).includes("secrets") && at(config, "provider", "keyArn") !== undefined
      ? []
      : ["encryptionConfig does not encrypt secrets with a key"];
  },
);
