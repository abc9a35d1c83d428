import { FAILSAFE_SCHEMA, load, YAMLException } from "js-yaml";

/** One value of a YAML text and where it stands. Scalars are text as written: nothing is taken for a number or a date. */
export interface YamlNode {
  /** Line of its first character, from 1; for a value that starts below its key, the key's line. */
  readonly line: number;
  readonly value: unknown;
  /** Of a mapping: its fields in the order of the text. */
  readonly fields?: readonly YamlField[];
  /** Of a sequence. */
  readonly items?: readonly YamlNode[];
}

/** One field of a mapping. */
export interface YamlField {
  readonly key: string;
  readonly line: number;
  readonly node: YamlNode;
}

/** A text that is no YAML. */
export class YamlError extends Error {
  constructor(
    readonly line: number,
    message: string,
  ) {
    super(message);
    this.name = "YamlError";
  }
}

interface Open {
  readonly line: number;
  readonly children: YamlNode[];
}

/**
 * Reads one YAML document with the line of every value.
 * @returns undefined for a text without content.
 * @throws YamlError with the line.
 */
export function readYaml(text: string): YamlNode | undefined {
  const open: Open[] = [];
  const anchored = new Map<unknown, YamlNode>();
  let root: YamlNode | undefined;
  try {
    load(text, {
      schema: FAILSAFE_SCHEMA,
      // js-yaml tells of each node when it starts and when it ends; that is the only place where it tells lines.
      listener: (event, state) => {
        if (event === "open") {
          open.push({ line: state.line + 1, children: [] });
          return;
        }
        const ended = open.pop();
        if (ended === undefined) return;
        root = nodeOf(ended, state.result as unknown, anchored);
        open.at(-1)?.children.push(root);
      },
    });
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new YamlError((error.mark as { line: number } | undefined)?.line ?? 0, error.reason);
  }
  return root?.value === null || root?.value === undefined ? undefined : root;
}

function nodeOf({ line, children }: Open, value: unknown, anchored: Map<unknown, YamlNode>): YamlNode {
  const [only] = children;
  if (typeof value !== "object" || value === null) return { line, value };
  // js-yaml tries some values as the first key of a mapping first: then a node stands around itself.
  if (children.length === 1 && only?.value === value) return only;
  const known = anchored.get(value);
  // An alias has no parts of its own; problems are told where the anchor stands.
  if (children.length === 0 && known !== undefined) return known;
  const node = Array.isArray(value) ? sequence(line, value, children) : mapping(line, value, children);
  anchored.set(value, node);
  return node;
}

function sequence(line: number, value: readonly unknown[], children: readonly YamlNode[]): YamlNode {
  const items = children.length === value.length ? children : value.map((item) => ({ line, value: item }));
  return { line, value, items };
}

function mapping(line: number, value: object, children: readonly YamlNode[]): YamlNode {
  const fields: YamlField[] = Object.entries(value).map(([key, field]) => {
    const at = children.findIndex((child, index) => index % 2 === 0 && child.value === key);
    return {
      key,
      line: children[at]?.line ?? line,
      node: children[at + 1] ?? { line, value: field },
    };
  });
  return { line, value, fields };
}
