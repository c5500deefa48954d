import { defineConfig } from "vitest/config";

/** What needs a real PostgreSQL: started once for all of these, and only when one of them has a file to run. */
const WITH_DATABASE = ["integration", "faults", "proxies", "browser", "mesh"];

const LIMITS = { testTimeout: 30_000, hookTimeout: 60_000 };

export default defineConfig({
  test: {
    maxWorkers: 2,
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
