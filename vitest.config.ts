import { defineConfig } from "vitest/config";

/** What needs a real PostgreSQL: started once for all of these, and only when one of them has a file to run. */
const WITH_DATABASE = ["integration", "faults", "proxies", "browser", "mesh"];

/**
 * Files of a worker share their modules, which is a tenth of the time of all: none of them keeps what a test has changed, and a
 * test that would need them fresh starts a process.
 */
const LIMITS = { testTimeout: 30_000, hookTimeout: 60_000, isolate: false };

export default defineConfig({
  test: {
    // One more than the cores that a small machine has: many tests wait for a process or a clock.
    maxWorkers: 3,
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], ...LIMITS } },
      { test: { name: "architecture", include: ["test/architecture.test.ts"], ...LIMITS } },
      { test: { name: "conformance", include: ["test/conformance/**/*.test.ts"], ...LIMITS } },
      ...WITH_DATABASE.map((name) => ({
        test: {
          name,
          include: [`test/${name}/**/*.test.ts`],
          globalSetup: ["test/support/global-setup.ts"],
          ...LIMITS,
        },
      })),
    ],
  },
});
