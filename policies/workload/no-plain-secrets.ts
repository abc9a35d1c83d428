import { resourcePolicy } from "../kit/policy";
import { at, items, text, textFields } from "../kit/values";
import { workload, WORKLOAD_TYPES } from "../kit/workloads";

const CONFIG_MAP = "kubernetes:core/v1:ConfigMap";

const SECRET_NAME = /(password|passwd|secret|token|api_?key|access_?key|private_?key|credential)/i;

/** What a secret looks like in a file: a key with a literal value, a private key, an AWS access key. */
const SECRET_TEXT: readonly RegExp[] = [
  /^\s*"?(\w*password|secret_key|secret_access_key|bearer_token|auth_token|credentials|api_key)"?\s*:\s*["']?[^\s"'{<$]{6,}/im,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /\bAKIA[0-9A-Z]{16}\b/,
];

/** Secrets are in Secrets only: not in ConfigMaps, not in environment variables, not in arguments. */
export const noPlainSecrets = resourcePolicy(
  {
    name: "no-plain-secrets",
    description: "Secrets are in Secrets only: not in ConfigMaps, not in environment variables, not in arguments.",
    severity: "critical",
    remediation: "put the value into a Secret made from a Pulumi secret, and mount it as a file",
    url: "https://kubernetes.io/docs/concepts/security/secrets-good-practices/",
    types: [CONFIG_MAP, ...WORKLOAD_TYPES],
  },
  (resource) => {
    if (resource.type === CONFIG_MAP) {
      return (
        Object.entries(textFields(at(resource.props, "data")))
          // Our own program text; it holds no values of a stack.
          .filter(([file, content]) => !file.endsWith(".cjs") && SECRET_TEXT.some((pattern) => pattern.test(content)))
          .map(([file]) => `${file} holds what looks like a secret`)
      );
    }
    return (workload(resource)?.containers ?? []).flatMap(({ name, args, value }) => [
      ...items(at(value, "env")).flatMap((variable) => {
        const key = text(at(variable, "name")) ?? "";
        const literal = text(at(variable, "value")) ?? "";
        return SECRET_NAME.test(key) && literal !== ""
          ? [`container ${name}: the variable ${key} is in plain text`]
          : [];
      }),
      ...args
        .filter((arg) => SECRET_TEXT.some((pattern) => pattern.test(arg)))
        .map(() => `container ${name}: an argument holds what looks like a secret`),
    ]);
  },
);
