import { afterEach, describe, expect, it, vi } from "vitest";
import { targetOf } from "../../../local/target";

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("where a stack goes", () => {
  it("is the local cluster when nothing names another", () => {
    vi.stubEnv("KUBECONFIG", "");
    expect(targetOf("dev")).toMatchObject({ local: true, createThanos: true });
    expect(targetOf("single")).toMatchObject({ local: true, createThanos: false });
  });

  it("is the user's cluster when the variable KUBECONFIG is set", () => {
    vi.stubEnv("KUBECONFIG", "/some/where");
    expect(targetOf("dev")).toMatchObject({ local: false, reason: "the variable KUBECONFIG names /some/where" });
    expect(targetOf(undefined)).toMatchObject({ local: false });
  });

  it("is an error that names the file when the stack has none", () => {
    expect(() => targetOf("nowhere")).toThrow(/there is no stack file .*Pulumi\.nowhere\.yaml/);
  });
});
