import { dump } from "js-yaml";

/** Canonical YAML: keys sorted, no references, no line breaks inside values, so that equal objects give equal text. */
export function toYaml(value: object): string {
  return dump(value, { sortKeys: true, noRefs: true, lineWidth: -1 });
}
