import { describe, expect, it } from "vitest";
import { aimRows, report, type ArmFigures, type Figures } from "../../../bench/exporter/report";

const arm: ArmFigures = { samples: 24e6, seconds: 20, cpuSeconds: 20, megabytesPerSecond: 140, p50: 100, p99: 300 };
const hub: ArmFigures = { ...arm, samples: 4e6 };
const flat = Array.from({ length: 600 }, (_, second) => (second < 60 ? 150 : 240));

function figures(exporter: Partial<ArmFigures> = {}, mebibytes: readonly number[] | undefined = flat): Figures {
  return {
    options: { shards: 8, seconds: 20, minutes: 10, only: "", profile: undefined, isReported: true },
    kinds: [{ title: "32 gateways", pushes: 16, exporter: { ...arm, ...exporter }, hub }],
    memory: { minutes: 10, arm, mebibytes },
    peakMebibytes: 260,
    isPinned: true,
  };
}

const verdicts = (of: Figures): readonly (string | undefined)[] => aimRows(of).map((row) => row[2]);

describe("the exporter's aims", () => {
  it("are met by a fast exporter whose memory stays where it is after the first minute", () => {
    expect(verdicts(figures())).toEqual(["met", "met", "met"]);
  });

  it("are not met, each by itself, by a slow one, a late one and one that grows", () => {
    expect(verdicts(figures({ samples: 19e6 }))).toEqual(["**NOT met**", "met", "met"]);
    expect(verdicts(figures({ p99: 1_001 }))).toEqual(["met", "**NOT met**", "met"]);
    const growing = flat.map((value, second) => value + second / 10);
    expect(verdicts(figures({}, growing))).toEqual(["met", "met", "**NOT met**"]);
  });

  it("count seconds of the core, not those that other work took", () => {
    expect(verdicts(figures({ seconds: 200 }))[0]).toBe("met");
  });

  it("say that the long run is missing", () => {
    expect(aimRows({ ...figures(), memory: undefined }).at(-1)?.[1]).toBe("not measured");
  });
});

describe("the exporter's report", () => {
  it("tells aims, figures, what was not measured, and the RESULT line's figures", async () => {
    const { text, result } = await report(figures());
    expect(result).toEqual({
      samplesPerSecond: 1_200_000,
      samplesPerCpuSecond: 1_200_000,
      vsHub: 6,
      p99Milliseconds: 300,
    });
    expect(text).toContain("1,200,000");
    expect(text).toMatch(/Not measured here: keeping pushes/);
  });
});
