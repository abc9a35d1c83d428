import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { toPulumi } from "../../policies/kit/pulumi";
import { resourcePolicy, stackPolicy } from "../../policies/kit/policy";
import { POLICIES } from "../../policies/pack";

const PACK = join(__dirname, "../../policies");
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const described = {
  name: "example",
  description: "Nothing is red.",
  severity: "low",
  remediation: "paint it green",
  url: "https://example.org/",
} as const;

const opts = { protect: true, ignoreChanges: [], aliases: [], additionalSecretOutputs: [] };
const given = (props: Readonly<Record<string, unknown>>) => ({
  type: "example:index:Thing",
  props,
  urn: "urn:pulumi:dev::p::example:index:Thing::one",
  name: "one",
  opts: { ...opts, customTimeouts: { createSeconds: 0, updateSeconds: 0, deleteSeconds: 0 } },
  stackTags: new Map<string, string>(),
  isType: () => false,
  asType: () => undefined,
  getConfig: () => ({}) as never,
  notApplicable: (): never => {
    throw new Error("not applicable");
  },
});

/** What @pulumi/policy hands to a policy: reading an unknown value throws, the original is behind a special key. */
function guarded(props: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return new Proxy(props, {
    get: (target, key) => {
      if (key === "__getSpecialProxyTarget") return target;
      throw new Error(`unknown value ${String(key)}`);
    },
  });
}

describe("a policy in Pulumi's shape", () => {
  const red = resourcePolicy({ ...described, types: ["example:index:Thing"] }, ({ props, isProtected }) =>
    props["colour"] === "red" && isProtected ? ["is red"] : [],
  );

  it("reports with remediation and link", async () => {
    const policy = toPulumi(red);
    const reported: string[] = [];
    if (!("validateResource" in policy) || typeof policy.validateResource !== "function")
      throw new Error("no function");
    await policy.validateResource(given({ colour: "red" }), (message) => reported.push(message));
    expect(reported).toStrictEqual(["is red\nfix: paint it green\nmore: https://example.org/"]);
    expect(policy).toMatchObject({ name: "example", severity: "low", remediationSteps: "paint it green" });
  });

  it("looks at the known values where a preview does not know others", async () => {
    const policy = toPulumi(red);
    const reported: string[] = [];
    if (!("validateResource" in policy) || typeof policy.validateResource !== "function")
      throw new Error("no function");
    await policy.validateResource(given(guarded({ colour: "red", size: UNKNOWN })), (message) =>
      reported.push(message),
    );
    expect(reported).toHaveLength(1);
  });

  it("gives a stack policy every resource with its parent, and tells which one it means", async () => {
    const policy = toPulumi(
      stackPolicy(described, (resources) =>
        resources.map(({ urn, parent, name }) => ({ message: `${name} of ${parent ?? "nobody"}`, urn })),
      ),
    );
    const reported: (readonly [string, string | undefined])[] = [];
    if (!("validateStack" in policy)) throw new Error("no stack policy");
    const parent = { ...given({}), dependencies: [], propertyDependencies: {} };
    const child = { ...parent, urn: "urn:child", name: "child", parent };
    await policy.validateStack({ ...given({}), resources: [parent, child] }, (message, urn) =>
      reported.push([message.split("\n")[0] ?? "", urn]),
    );
    expect(reported).toStrictEqual([
      ["one of nobody", parent.urn],
      [`child of ${parent.urn}`, "urn:child"],
    ]);
  });
});

const FOLDERS = ["workload", "rbac", "network", "availability", "pipeline", "aws"];

describe("the pack", () => {
  it("is constructed in its index only, and no policy or helper imports that", () => {
    const files = ["kit", ...FOLDERS].flatMap((folder) =>
      readdirSync(join(PACK, folder)).map((file) => readFileSync(join(PACK, folder, file), "utf8")),
    );
    const texts = [...files, readFileSync(join(PACK, "pack.ts"), "utf8")];
    expect(texts.filter((text) => text.includes("new PolicyPack"))).toStrictEqual([]);
    expect(texts.filter((text) => /from "\.\.?\/index"/.test(text))).toStrictEqual([]);
  });

  it("holds every policy file, which is named after its policy", () => {
    const files = FOLDERS.flatMap((folder) => readdirSync(join(PACK, folder)));
    expect(files.map((file) => file.replace(".ts", "")).sort()).toStrictEqual(POLICIES.map(({ name }) => name).sort());
  });
});
