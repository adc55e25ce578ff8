import type { ViteUserConfig } from "vitest/config";

const config: ViteUserConfig = {
  test: {
    include: ["xds-proxy/src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["test/istio/**"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 120_000,
    allowOnly: false,
  },
};

export default config;
