import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  deployedShards,
  parseStackConfig,
  readStackConfig,
  shortStackName,
  stackConfigPath,
} from "../../../tools/stack-config";

let root = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "config-"));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

const parse = (text: string) => parseStackConfig(text, "Pulumi.x.yaml", "/repo");

describe("a stack's config, as the tools read it", () => {
  test("without keys: the program's defaults", () => {
    expect(parse("config: {}")).toEqual({
      path: "Pulumi.x.yaml",
      makesCluster: false,
      createThanos: false,
      serversCount: 1,
      retiredShards: [],
      deletionProtection: true,
      cluster: undefined,
      storagePhase: "off",
      localRetention: 172_800_000,
      retention: undefined,
    });
    expect(parse("")).toEqual(parse("config: {}"));
  });

  test("with keys, also as pulumi config set writes them", () => {
    const typed = parse(`
config:
  scaled-prometheus:createThanos: true
  scaled-prometheus:serversCount: 3
  scaled-prometheus:retiredShards: [3, 4]
  scaled-prometheus:deletionProtection: false
  scaled-prometheus:retention: { single: 1d, sharded: 6h }
  scaled-prometheus:cluster: { kind: kubeconfig, path: kube/config, context: here }
`);
    expect(typed).toMatchObject({
      createThanos: true,
      serversCount: 3,
      retiredShards: [3, 4],
      deletionProtection: false,
    });
    expect(typed.retention).toBe("6h");
    expect(typed.cluster).toEqual({ kubeconfig: "/repo/kube/config", context: "here" });
    const text = parse(`
config:
  scaled-prometheus:createThanos: "true"
  scaled-prometheus:serversCount: "3"
  scaled-prometheus:retiredShards: "[3, 4]"
  scaled-prometheus:deletionProtection: "false"
  scaled-prometheus:retention: '{"single":"1d","sharded":"6h"}'
  scaled-prometheus:cluster: '{"kind":"kubeconfig","path":"kube/config","context":"here"}'
`);
    expect(text).toEqual(typed);
  });

  test("the single size has one server whatever serversCount says; a bad value is left to the program to refuse", () => {
    expect(parse("config: { 'scaled-prometheus:serversCount': 4 }").serversCount).toBe(1);
    expect(parse("config: { 'scaled-prometheus:retiredShards': nonsense }").retiredShards).toEqual([]);
  });

  test("~ is the home folder", () => {
    const { cluster } = parse("config: { 'scaled-prometheus:cluster': { path: ~/kube } }");
    expect(cluster?.kubeconfig).toBe(join(homedir(), "kube"));
  });

  test("shards that a config deploys are the ring and the retired ones", () => {
    expect([...deployedShards({ serversCount: 2, retiredShards: [5] })]).toEqual([0, 1, 5]);
  });

  test("an unknown stack is an error that lists the known ones", () => {
    writeFileSync(join(root, "Pulumi.dev.yaml"), "config: {}\n");
    writeFileSync(join(root, "Pulumi.yaml"), "name: x\n");
    expect(stackConfigPath("org/project/dev", root)).toBe(join(root, "Pulumi.dev.yaml"));
    expect(readStackConfig("dev", root).createThanos).toBe(false);
    expect(() => stackConfigPath("prod", root)).toThrow("stack prod has no config file Pulumi.prod.yaml");
    expect(shortStackName("org/project/dev")).toBe("dev");
  });
});
