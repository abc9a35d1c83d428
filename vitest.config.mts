import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/**
 * What `make check` runs. Files share a few processes, one for each core, because loading Pulumi's SDK takes longer than
 * most files' tests; test/shared-process.ts sees to it that each leaves its process as it found it.
 */
const fast = {
  name: "unit",
  include: ["test/{unit,policy}/**/*.test.ts"],
  exclude: ["test/**/*.real.test.ts"],
  isolate: false,
  maxWorkers: availableParallelism(),
  setupFiles: ["test/shared-process.ts", "test/property-seed.ts"],
  testTimeout: 60_000,
  hookTimeout: 60_000,
  // Conditions that tests await are looked at as often as that, in milliseconds.
  expect: { poll: { interval: 5 } },
  // Pulumi's programs make many objects that live a moment: more room (MiB) for them, less work to find the others.
  execArgv: ["--max-semi-space-size=64"],
  // Compiled sources are kept by content, except where all is proven (`make test`).
  experimental: { fsModuleCache: process.env["THOROUGH"] !== "1", fsModuleCachePath: "node_modules/.cache/vitest" },
};

export default defineConfig({
  test: {
    projects: [
      { test: fast },
      // Tests that start programs, wait for real time on loopback, or run the whole program dozens of times: too slow for
      // `make check`.
      {
        test: {
          name: "real",
          include: ["test/{unit,oracle,policy}/**/*.real.test.ts"],
          setupFiles: ["test/property-seed.ts"],
          testTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.e2e.ts"],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          // One cluster, two cores: suites take turns.
          fileParallelism: false,
        },
      },
    ],
  },
});
