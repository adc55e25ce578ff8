import { expect, test } from "vitest";
import type { PluginStatus } from "../kubernetes/plugin-status.ts";
import type { EnvoyStats } from "./envoy-stats.ts";
import { enforcedBy } from "./in-step.ts";

function plugin(namespace: string, ver: string, selector?: Readonly<Record<string, string>>): PluginStatus {
  const summary = {
    ...{ ns: "team-a", root: { ep: 1, minEp: 1, mode: "enforce", expSec: 9 }, objectCount: 1, sealedCount: 0 },
    ...{ set: { ver, cd: "", expSec: 9 }, firstExpiry: { what: "root 1", expSec: 9 } },
  };
  return {
    ...{ namespace, name: "wpgate", modes: [], url: "", sha256: "", failStrategy: "" },
    ...(selector && { selector }),
    sets: [{ summary, verified: false, findings: [] }],
  };
}

function envoy(setVersion: number, expiresInSec = 60): EnvoyStats {
  return {
    node: { id: "", namespace: "team-a", labels: { app: "shop" } },
    namespace: { rootEpoch: 1, setVersion, freshVersion: setVersion, expiresInSec },
    ...{ counts: {}, refused: {}, rejected: {} },
  };
}

test.each([
  ["in step", envoy(5), [plugin("team-a", "5")]],
  ["behind", envoy(4), [plugin("team-a", "5")]],
  ["ahead", envoy(6), [plugin("team-a", "5")]],
  ["nothing", envoy(0), [plugin("team-a", "5")]],
  ["expired", envoy(5, 0), [plugin("team-a", "5")]],
  ["unknown", envoy(5), []],
  ["unknown", envoy(5), [plugin("team-b", "9")]],
  ["unknown", envoy(5), [plugin("team-a", "9", { app: "other" })]],
  ["in step", envoy(5), [plugin("team-a", "9", { app: "other" }), plugin("team-a", "5", { app: "shop" })]],
  ["behind", envoy(5), [plugin("team-a", "5"), plugin("istio-system", "6")]],
] as const)("%s", (step, stats, plugins) => {
  expect(enforcedBy(stats, plugins, "istio-system")).toMatchObject([{ ns: "team-a", step }]);
});

test("no filter, nothing enforced", () => {
  const { node, counts, refused, rejected } = envoy(1);
  expect(enforcedBy({ node, counts, refused, rejected }, [plugin("team-a", "5")], "istio-system")).toEqual([]);
});
