import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["xds-proxy/src/**/*.test.ts", "test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 120_000,
    allowOnly: false,
  },
});
