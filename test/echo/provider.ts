import { createHash } from "node:crypto";
import type { provider } from "@pulumi/pulumi";
import { differences, isBelow } from "./difference";

/** Properties as the engine sends them. */
export type Properties = Readonly<Record<string, unknown>>;

/** What one resource type does. */
export interface EchoType {
  /** Inputs without which the real provider refuses it. */
  readonly required?: readonly string[];
  /** Paths of inputs of which a change is a replacement. */
  readonly replaces?: readonly string[];
  /** More of them, by the inputs of the last deployment. */
  readonly replacesWhen?: (before: Properties) => readonly string[];
  /** Input that gets a unique name when it is left out. */
  readonly autoname?: string;
  /** What a cloud computes, over the inputs. */
  readonly computed?: (inputs: Properties, made: Made) => Properties;
  /** A replacement is deleted first: the new one needs the old one's name. */
  readonly deletesFirst?: (inputs: Properties) => boolean;
  /** Id; default: something made up. */
  readonly id?: (inputs: Properties, made: Made) => string;
}

/** Names to make values up from; equal resources get equal values. */
export interface Made {
  /** Last part of the URN. */
  readonly name: string;
  /** 32 hexadecimal digits. */
  readonly hash: string;
}

/** A package of resource types. */
export interface EchoPackage {
  readonly version: string;
  /** Undefined: there is no such type. */
  readonly typeOf: (token: string) => EchoType | undefined;
  readonly functions: Readonly<Record<string, (args: Properties) => Properties>>;
}

/** Where the inputs of the last deployment are kept beside the outputs, as Pulumi's Kubernetes provider does. */
const INPUTS = "__inputs";

function asProperties(value: unknown): Properties {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function madeFor(urn: string): Made {
  return { name: urn.split("::").at(-1) ?? urn, hash: createHash("sha256").update(urn).digest("hex").slice(0, 32) };
}

/** A provider that keeps nothing and asks nobody: the state is the cloud. */
export class EchoProvider implements provider.Provider {
  readonly version: string;

  constructor(private readonly contents: EchoPackage) {
    this.version = contents.version;
  }

  check(urn: string, olds: unknown, news: unknown): Promise<provider.CheckResult> {
    const type = this.typeOf(urn);
    const inputs: Record<string, unknown> = { ...asProperties(news) };
    const { autoname } = type;
    if (autoname !== undefined && inputs[autoname] === undefined) {
      const { name, hash } = madeFor(urn);
      inputs[autoname] = asProperties(olds)[autoname] ?? `${name}-${hash.slice(0, 7)}`;
    }
    const missing = (type.required ?? []).filter((property) => inputs[property] === undefined);
    const failures = missing.map((property) => ({ property, reason: `missing required property '${property}'` }));
    return Promise.resolve({ inputs, failures });
  }

  diff(_id: string, urn: string, olds: unknown, news: unknown): Promise<provider.DiffResult> {
    const type = this.typeOf(urn);
    const before = asProperties(asProperties(olds)[INPUTS]);
    const after = asProperties(news);
    const paths = differences(before, after);
    const forcing = [...(type.replaces ?? []), ...(type.replacesWhen?.(before) ?? [])];
    const replaces = paths.filter((path) => isBelow(path, forcing));
    return Promise.resolve({
      changes: paths.length > 0,
      replaces,
      deleteBeforeReplace: replaces.length > 0 && type.deletesFirst?.(after) === true,
    });
  }

  create(urn: string, inputs: unknown): Promise<provider.CreateResult> {
    const type = this.typeOf(urn);
    const made = madeFor(urn);
    const properties = asProperties(inputs);
    const id = type.id?.(properties, made) ?? `${made.name}-${made.hash.slice(0, 12)}`;
    return Promise.resolve({ id, outs: this.outputs(type, properties, made) });
  }

  read(id: string, _urn: string, props?: unknown): Promise<provider.ReadResult> {
    const properties = asProperties(props);
    return Promise.resolve({ id, props: properties, inputs: asProperties(properties[INPUTS]) });
  }

  update(_id: string, urn: string, _olds: unknown, news: unknown): Promise<provider.UpdateResult> {
    return Promise.resolve({ outs: this.outputs(this.typeOf(urn), asProperties(news), madeFor(urn)) });
  }

  delete(): Promise<void> {
    return Promise.resolve();
  }

  invoke(token: string, args: unknown): Promise<provider.InvokeResult> {
    const found = this.contents.functions[token];
    if (found === undefined) return Promise.reject(new Error(`the echo provider has no function ${token}`));
    return Promise.resolve({ outputs: found(asProperties(args)) });
  }

  private outputs(type: EchoType, inputs: Properties, made: Made): Properties {
    return { ...inputs, ...type.computed?.(inputs, made), [INPUTS]: inputs };
  }

  private typeOf(urn: string): EchoType {
    const token = urn.split("::")[2]?.split("$").at(-1) ?? "";
    const type = this.contents.typeOf(token);
    if (type === undefined) throw new Error(`the echo provider has no type ${token}`);
    return type;
  }
}
