import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { chosenSuites, suites } from "../../suites";

describe("ONLY", () => {
  it("picks suites by name and all when empty", () => {
    expect(chosenSuites([])).toEqual(suites);
    expect(chosenSuites(["rescale,main"]).map((each) => each.name)).toEqual(["main", "rescale"]);
  });

  it("refuses an unknown name and lists the suites", () => {
    expect(() => chosenSuites(["mian"])).toThrow(/ONLY=mian: there is no such suite[\s\S]*main .*[\s\S]*rescale/);
  });

  it("has a file for every suite", () => {
    for (const suite of suites) expect(existsSync(join(__dirname, "../../..", suite.file)), suite.file).toBe(true);
  });
});
