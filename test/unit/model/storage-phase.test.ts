import { describe, expect, test } from "vitest";
import {
  allowedPhases,
  phasePlan,
  phaseProblem,
  STORAGE_PHASES,
  type DeployedPhase,
} from "../../../model/storage-phase";

describe("phases of object storage", () => {
  test.each([
    ["empty-meta", { uploads: false, uploadsCompacted: false, compacts: true, shrinks: false }],
    ["backlog", { uploads: true, uploadsCompacted: true, compacts: false, shrinks: false }],
    ["steady", { uploads: true, uploadsCompacted: false, compacts: true, shrinks: false }],
    ["shrunk", { uploads: true, uploadsCompacted: false, compacts: true, shrinks: true }],
  ] as const)("%s", (phase, plan) => {
    expect(phasePlan(phase)).toStrictEqual(plan);
  });

  test("compacted blocks are never uploaded while new ones are made", () => {
    for (const phase of STORAGE_PHASES) {
      const { uploadsCompacted, compacts } = phasePlan(phase);
      expect(uploadsCompacted && compacts, phase).toBe(false);
    }
  });

  test.each<[DeployedPhase | undefined, readonly DeployedPhase[]]>([
    [undefined, ["off", "empty-meta", "backlog", "steady", "shrunk"]],
    ["off", ["off", "empty-meta"]],
    ["empty-meta", ["off", "empty-meta", "backlog"]],
    ["backlog", ["off", "empty-meta", "backlog", "steady"]],
    ["steady", ["off", "empty-meta", "backlog", "steady", "shrunk"]],
    ["shrunk", ["off", "empty-meta", "backlog", "steady", "shrunk"]],
  ])("after %s may come %s", (deployed, wanted) => {
    expect([...allowedPhases(deployed)].sort()).toStrictEqual([...wanted].sort());
    for (const phase of ["off", ...STORAGE_PHASES] as const) {
      expect(phaseProblem(deployed, phase) === undefined, phase).toBe(wanted.includes(phase));
    }
  });

  test("a refusal says why, and what comes first", () => {
    expect(phaseProblem("off", "steady")).toBe(
      "objectStorage.phase is steady, and the stack's is off: a sidecar uploads no block that was compacted before, so " +
        "that part of the history would never reach the bucket; set objectStorage.phase to empty-meta first",
    );
    expect(phaseProblem("backlog", "shrunk")).toMatch(
      /only what is in the bucket; set objectStorage\.phase to steady first$/,
    );
  });
});
