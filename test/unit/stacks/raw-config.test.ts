import * as pulumi from "@pulumi/pulumi";
import { afterEach, describe, expect, test } from "vitest";
import { parseConfig } from "../../../stacks/config";
import { readRawConfig } from "../../../stacks/raw-config";

function read(values: Record<string, string>): Record<string, unknown> {
  pulumi.runtime.setAllConfig(values);
  return readRawConfig();
}

describe("raw config", () => {
  afterEach(() => pulumi.runtime.setAllConfig({}));

  test("has all keys of the namespace, known or not, and none of others", () => {
    expect(
      read({
        "scaled-prometheus:serverCount": "3",
        "scaled-prometheus:serversCount": "2",
        "aws:region": "eu-central-1",
      }),
    ).toStrictEqual({ serverCount: 3, serversCount: 2 });
  });

  test("takes Pulumi's text for what the schema asks for", () => {
    const raw = read({
      "scaled-prometheus:createThanos": "true",
      "scaled-prometheus:serversCount": "3",
      "scaled-prometheus:clusterLabel": "12",
      "scaled-prometheus:outOfOrderWindow": "2h",
      "scaled-prometheus:retiredShards": "[5]",
      "scaled-prometheus:push": '{"homeShard":1}',
    });
    expect(raw).toStrictEqual({
      createThanos: true,
      serversCount: 3,
      clusterLabel: "12",
      outOfOrderWindow: "2h",
      retiredShards: [5],
      push: { homeShard: 1 },
    });
    expect(parseConfig(raw).serversCount).toBe(3);
  });

  test("leaves what is not JSON as it is, for the schema to refuse", () => {
    expect(read({ "scaled-prometheus:serversCount": "three", "scaled-prometheus:push": "{oops" })).toStrictEqual({
      serversCount: "three",
      push: "{oops",
    });
  });

  test("quotes inside objects survive", () => {
    const raw = read({ "scaled-prometheus:push": '{"homeShard":"0"}' });
    expect(() => parseConfig(raw)).toThrow('scaled-prometheus:push.homeShard is "0"');
  });
});
