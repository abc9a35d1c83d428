import { describe, expect, test } from "vitest";
import { awsPackage } from "../../../echo/aws";
import { differences, isBelow } from "../../../echo/difference";
import { kubernetesPackage } from "../../../echo/kubernetes";
import { EchoProvider, type EchoPackage, type Properties } from "../../../echo/provider";
import { randomPackage } from "../../../echo/random";

const urnOf = (type: string): string => `urn:pulumi:s::p::a:index:B$${type}::name`;

/** Creates a resource with some inputs and says what other inputs would do to it. */
async function change(contents: EchoPackage, type: string, before: Properties, after: Properties) {
  const provider = new EchoProvider(contents);
  const urn = urnOf(type);
  const first = (await provider.check(urn, {}, before)).inputs as Properties;
  const made = await provider.create(urn, first);
  const second = (await provider.check(urn, first, after)).inputs as Properties;
  return provider.diff(made.id, urn, made.outs, second);
}

const SET = "kubernetes:apps/v1:StatefulSet";
const MAP = "kubernetes:core/v1:ConfigMap";
const named = (more: object) => ({ metadata: { name: "n", namespace: "x" }, ...more });

describe("what replaces a resource", () => {
  test.each<[string, EchoPackage, string, Properties, Properties, readonly string[]]>([
    ["an image", kubernetesPackage, SET, named({ spec: { template: "1" } }), named({ spec: { template: "2" } }), []],
    [
      "a claim template",
      kubernetesPackage,
      SET,
      named({ spec: { volumeClaimTemplates: [{ spec: { size: 1 } }] } }),
      named({ spec: { volumeClaimTemplates: [{ spec: { size: 2 } }] } }),
      ["spec.volumeClaimTemplates[0].spec.size"],
    ],
    ["data of a map", kubernetesPackage, MAP, named({ data: { a: "1" } }), named({ data: { a: "2" } }), []],
    [
      "data of an immutable map",
      kubernetesPackage,
      MAP,
      named({ data: { a: "1" }, immutable: true }),
      named({ data: { a: "2" }, immutable: true }),
      ["data.a"],
    ],
    [
      "subnets of a cluster",
      awsPackage,
      "aws:eks/cluster:Cluster",
      { name: "c", roleArn: "r", vpcConfig: { subnetIds: ["a"] } },
      { name: "c", roleArn: "r", vpcConfig: { subnetIds: ["b"] } },
      [],
    ],
    ["a bucket's name", awsPackage, "aws:s3/bucket:Bucket", { bucket: "a" }, { bucket: "b" }, ["bucket"]],
    [
      "length of a random id",
      randomPackage,
      "random:index/randomId:RandomId",
      { byteLength: 4 },
      { byteLength: 8 },
      ["byteLength"],
    ],
  ])("%s", async (_what, contents, type, before, after, replaces) => {
    expect(await change(contents, type, before, after)).toMatchObject({ changes: true, replaces });
  });

  test("nothing, when nothing differs, names that were made up included", async () => {
    expect(
      await change(awsPackage, "aws:iam/role:Role", { assumeRolePolicy: "{}" }, { assumeRolePolicy: "{}" }),
    ).toEqual({
      changes: false,
      replaces: [],
      deleteBeforeReplace: false,
    });
  });
});

test("refuses what the real one refuses", async () => {
  const provider = new EchoProvider(awsPackage);
  const { failures } = await provider.check(urnOf("aws:kms/alias:Alias"), {}, { name: "alias/x" });
  expect(failures).toEqual([{ property: "targetKeyId", reason: "missing required property 'targetKeyId'" }]);
  expect(() => provider.check(urnOf("aws:ec2/vpc:Vpc"), {}, {})).toThrow("has no type aws:ec2/vpc:Vpc");
});

test("reads back what was deployed", async () => {
  const provider = new EchoProvider(awsPackage);
  const urn = urnOf("aws:s3/bucket:Bucket");
  const made = await provider.create(urn, { bucket: "b" });
  expect(made.id).toBe("b");
  expect(await provider.read(made.id, urn, made.outs)).toEqual({
    id: "b",
    props: made.outs as Properties,
    inputs: { bucket: "b" },
  });
});

test("paths", () => {
  expect(differences({ a: [{ b: 1 }], c: 1 }, { a: [{ b: 2 }] })).toEqual(["a[0].b", "c"]);
  expect(isBelow("spec.template[0].x", ["spec.template"])).toBe(true);
  expect(isBelow("spec.templates", ["spec.template"])).toBe(false);
});
