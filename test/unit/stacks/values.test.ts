import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatDuration, milliseconds, parseDuration, seconds } from "../../../model/durations";
import { compareVersions, imageVersion, inRegistry } from "../../../model/images";
import { cpuQuantity, memoryQuantity, parseQuantity, quantity } from "../../../model/quantities";
import { nearest } from "../../../stacks/suggest";

describe("durations", () => {
  test.each([
    ["15s", 15_000],
    ["1h30m", 5_400_000],
    ["15d", 1_296_000_000],
    ["1y1w1d1h1m1s1ms", 31_536_000_000 + 604_800_000 + 86_400_000 + 3_600_000 + 61_001],
    ["0", 0],
    ["", undefined],
    ["1.5h", undefined],
    ["5", undefined],
    ["30m1h", undefined],
    ["-5m", undefined],
  ])("%s is %s ms", (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  test("what is formatted is read back", () => {
    fc.assert(
      fc.property(fc.nat(), (value) => {
        expect(milliseconds(formatDuration(value))).toBe(value);
      }),
    );
  });

  test("seconds are rounded up, and a wrong text is an error that says so", () => {
    expect(seconds("1500ms")).toBe(2);
    expect(() => milliseconds("soon")).toThrow('"soon" is not a duration');
  });
});

describe("quantities", () => {
  test.each([
    ["512Mi", 536_870_912],
    ["2Gi", 2 ** 31],
    ["250m", 0.25],
    ["2", 2],
    ["1.5Gi", 1.5 * 2 ** 30],
    ["1 Gi", undefined],
    ["", undefined],
    ["Gi", undefined],
  ])("%s is %s", (text, expected) => {
    expect(parseQuantity(text)).toBe(expected);
  });

  test("memory is rounded up to 64 MiB and written in the largest unit", () => {
    expect(memoryQuantity(1)).toBe("64Mi");
    expect(memoryQuantity(2 ** 30)).toBe("1Gi");
    expect(memoryQuantity(2 ** 30 + 1)).toBe("1088Mi");
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 45 }), (bytes) => {
        const rounded = quantity(memoryQuantity(bytes));
        expect(rounded - bytes).toBeGreaterThanOrEqual(0);
        expect(rounded - bytes).toBeLessThan(64 * 2 ** 20);
      }),
    );
  });

  test("cores are written in millicores or whole", () => {
    expect([cpuQuantity(0.05), cpuQuantity(2), cpuQuantity(1.2345)]).toStrictEqual(["50m", "2", "1235m"]);
    expect(() => quantity("much")).toThrow('"much" is not a quantity');
  });
});

describe("images", () => {
  test.each([
    ["quay.io/prometheus/prometheus:v3.14.0", [3, 14, 0]],
    ["localhost:5000/node:24.21.0-bookworm-slim", [24, 21, 0]],
    ["quay.io/x:v1.2.3@sha256:abc", [1, 2, 3]],
    ["localhost:5000/node", undefined],
    ["quay.io/x:main", undefined],
    ["quay.io/x@sha256:abc", undefined],
  ])("version of %s", (reference, version) => {
    expect(imageVersion(reference)).toStrictEqual(version);
  });

  test("versions are ordered", () => {
    expect(compareVersions([3, 9, 9], [3, 14, 0])).toBe(-1);
    expect(compareVersions([3, 14, 0], [3, 14, 0])).toBe(0);
    expect(compareVersions([4, 0, 0], [3, 14, 0])).toBe(1);
  });

  test("a registry replaces the host", () => {
    expect(inRegistry("quay.io/thanos/thanos:v1", "mirror.example/x/")).toBe("mirror.example/x/thanos/thanos:v1");
    expect(inRegistry("library/node:1", "mirror.example")).toBe("mirror.example/library/node:1");
  });
});

describe("suggestions", () => {
  test.each([
    ["serverCount", "serversCount"],
    ["SERVERSCOUNT", "serversCount"],
    ["createThano", "createThanos"],
    ["zzz", undefined],
  ])("%s", (word, expected) => {
    expect(nearest(word, ["serversCount", "createThanos", "push"])).toBe(expected);
  });
});
