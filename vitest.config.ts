import type { ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = {
  test: {
    include: ["xds-proxy/src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["test/istio/**"],
    setupFiles: ["test/seed.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    allowOnly: false,
  },
};

export default config;
