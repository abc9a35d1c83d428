import { ConfigFileError, ConfigReader, parseJson } from "./config-reader";

/**
 * What a root Querier must have seen once before it may answer: what the program writes beside the endpoint file, and the
 * gate in the root's pod reads once at its start.
 */

/** One endpoint of the root's file. */
export interface ExpectedEndpoint {
  /** Value of the label `shard`: `0`, `1`, ..., `ruler`. */
  readonly shard: string;
  /** `host:port` as in the endpoint file. */
  readonly address: string;
}

export interface RootGateConfig {
  readonly endpoints: readonly ExpectedEndpoint[];
}

/** All that is wrong with the file; one line per problem: key, value, rule, fix. */
export class RootGateConfigError extends ConfigFileError {
  constructor(problems: readonly string[]) {
    super("root gate", problems);
    this.name = "RootGateConfigError";
  }
}

/**
 * Reads the file's text.
 * @throws RootGateConfigError when it is not JSON, or with every problem.
 */
export function parseRootGateConfigText(text: string): RootGateConfig {
  const { value, problem } = parseJson(text);
  if (problem !== undefined) throw new RootGateConfigError([problem]);
  const read = new ConfigReader();
  const root = read.object("(root)", value, ["endpoints"]);
  const endpoints = read.list("endpoints", root["endpoints"], 1, 10_000).map((each, at): ExpectedEndpoint => {
    const key = `endpoints[${String(at)}]`;
    const fields = read.object(key, each, ["shard", "address"]);
    return {
      shard: read.text(`${key}.shard`, fields["shard"], /^[\x21-\x7e]{1,128}$/, "the value of the label shard"),
      address: read.text(`${key}.address`, fields["address"], /^[^\s:/]+:[0-9]{1,5}$/, "host:port"),
    };
  });
  const addresses = endpoints.map(({ address }) => address);
  if (new Set(addresses).size !== addresses.length) read.report("endpoints", addresses, "addresses must differ");
  if (read.problems.length > 0) throw new RootGateConfigError(read.problems);
  return { endpoints };
}

/** The file's text: equal configurations give equal bytes. */
export function rootGateConfigText({ endpoints }: RootGateConfig): string {
  const content = { endpoints: endpoints.map(({ shard, address }) => ({ shard, address })) };
  const text = `${JSON.stringify(content, null, 2)}\n`;
  parseRootGateConfigText(text);
  return text;
}
