import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          exclude: ["test/unit/**/*.real.test.ts"],
          testTimeout: 60_000,
        },
      },
      // Unit tests that start Prometheus, Thanos and others on loopback: too slow for `make check`.
      { test: { name: "real", include: ["test/unit/**/*.real.test.ts", "test/oracle/**/*.real.test.ts"], testTimeout: 120_000 } },
      { test: { name: "policy", include: ["test/policy/**/*.test.ts"], testTimeout: 60_000 } },
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
