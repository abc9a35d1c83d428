import { describe, expect, it } from "vitest";
import { DEFAULT_IMAGES } from "../../../model/images";
import { toolFolder, toolVersion } from "../../../local/toolchain/build";
import { checkerTools, clientTools, nodeTools, workloadTools } from "../../../local/toolchain/table";

const all = [...clientTools, ...nodeTools, ...checkerTools, ...Object.values(workloadTools)];

describe("the toolchain", () => {
  it("pins every upstream tool to a version that its go.mod names", () => {
    for (const tool of all)
      expect(toolVersion(tool), tool.name).toMatch(tool.name === "pause" ? /^own$/ : /^v\d+\.\d+\.\d+/);
  });

  it("keeps every tool in a cache folder of its own", () => {
    const folders = all.map(toolFolder);
    expect(new Set(folders).size).toBe(all.length);
  });

  it("builds what the default images say", () => {
    expect(DEFAULT_IMAGES.thanos).toContain(toolVersion(workloadTools.thanos));
    expect(DEFAULT_IMAGES.alertmanager).toContain(toolVersion(workloadTools.alertmanager));
    expect(DEFAULT_IMAGES.hub).toContain(toolVersion(workloadTools.hub).replace("v", ""));
    // Prometheus' module v0.314.0 is Prometheus 3.14.0.
    expect(toolVersion(workloadTools.prometheus)).toBe("v0.314.0");
    expect(DEFAULT_IMAGES.prometheus).toContain(":v3.14.0");
  });
});
