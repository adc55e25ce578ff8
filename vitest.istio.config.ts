import type { ViteUserConfig } from "vitest/config";

/** The tests on the lab of test/lab: every file brings up its own API server and istiod. */
const config: ViteUserConfig = {
  test: {
    include: ["test/istio/**/*.test.ts"],
    setupFiles: ["test/seed.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 180_000,
    allowOnly: false,
  },
};

export default config;
