import { describe, expect, it } from "vitest";
import { schemaFiles } from "../../../local/toolchain/schemas";

const kind = (group: string, version: string, name: string) => ({
  "x-kubernetes-group-version-kind": [{ group, version, kind: name }],
});

const swagger = {
  definitions: {
    "io.k8s.api.networking.v1.NetworkPolicy": {
      ...kind("networking.k8s.io", "v1", "NetworkPolicy"),
      type: "object",
      properties: { spec: { $ref: "#/definitions/io.k8s.api.networking.v1.NetworkPolicyPort" } },
    },
    "io.k8s.api.networking.v1.NetworkPolicyPort": {
      type: "object",
      properties: { port: { $ref: "#/definitions/io.k8s.apimachinery.pkg.util.intstr.IntOrString" } },
    },
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": { type: "string", format: "int-or-string" },
    "io.k8s.api.core.v1.Pod": { ...kind("", "v1", "Pod"), type: "object", properties: {} },
  },
};

describe("schemas of the API server's objects", () => {
  const files = schemaFiles(swagger);

  it("are named as kubeconform asks for them", () => {
    expect(Object.keys(files)).toStrictEqual(["networkpolicy-networking-v1.json", "pod-v1.json"]);
  });

  it("hold what they refer to, refuse unknown fields, and take numbers and texts where the API does", () => {
    expect(files["networkpolicy-networking-v1.json"]).toMatchObject({
      $ref: "#/definitions/io.k8s.api.networking.v1.NetworkPolicy",
      definitions: {
        "io.k8s.api.networking.v1.NetworkPolicy": { additionalProperties: false },
        "io.k8s.api.networking.v1.NetworkPolicyPort": { additionalProperties: false },
        "io.k8s.apimachinery.pkg.util.intstr.IntOrString": { oneOf: [{ type: "string" }, { type: "integer" }] },
      },
    });
    expect(files["pod-v1.json"]).not.toHaveProperty("definitions.io.k8s.api.networking.v1.NetworkPolicy");
  });
});
