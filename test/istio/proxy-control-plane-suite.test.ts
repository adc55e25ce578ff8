/** go-control-plane's own integration suite (v0.14.0, `pkg/test/main`), unmodified, with real Envoy. */
import { describe, expect, test } from "vitest";
import { proxyOptions, proxyTrust, type ProxyPlace } from "../proxy/harness/proxy-config.ts";
import { CONTROL_PLANE, runSuite, type SuiteMode, type SuiteResult } from "../proxy/suite/suite.ts";

/** The suite's own defaults. */
const UPDATES = 3;

/** Batches in which every listener answered, by update. */
function goodBatches({ log }: SuiteResult): readonly number[] {
  return log.reduce<readonly number[]>((counts, line) => {
    if (line.includes("update snapshot v")) return [...counts, 0];
    if (!/request batch \d+, ok [1-9]\d*, failed 0, pass true/.test(line)) return counts;
    return [...counts.slice(0, -1), (counts.at(-1) ?? 0) + 1];
  }, []);
}

/** Answers that the control plane got with a version that it had given. */
function ackCount({ log }: SuiteResult): number {
  return log.filter((line) => /received request for \S+ on stream \d+: v\d:/.test(line)).length;
}

function expectPassed(result: SuiteResult, mode: SuiteMode): void {
  const end = [...result.log.slice(-10), ...result.envoyLog].join("\n");
  expect(result.end, end).toBe("it ended with code 0");
  expect(result.log.at(-1), end).toMatch(new RegExp(`Test for ${mode} passed!$`));
  const batches = goodBatches(result);
  expect(batches).toHaveLength(UPDATES);
  expect(Math.min(...batches)).toBeGreaterThan(0);
  const { stats } = result;
  expect(stats["cluster_manager.cds.update_success"]).toBeGreaterThanOrEqual(UPDATES);
  expect(stats["listener_manager.lds.update_success"]).toBeGreaterThanOrEqual(UPDATES);
  expect(Object.entries(stats).filter(([name, count]) => name.endsWith("update_rejected") && count > 0)).toEqual([]);
}

/** What the suite's control plane counted at the end of the last update, such as `requests`; those of delta it does not tell. */
function counted({ log }: SuiteResult, what: "fetches" | "requests" | "responses"): number {
  const report = log.findLast((line) => line.includes("server callbacks")) ?? "";
  return Number(new RegExp(`\\b${what}=(\\d+)`).exec(report)?.[1]);
}

interface Row {
  readonly mode: SuiteMode;
  /** Of the suite. */
  readonly flags: string;
}

const flagsOf = ({ flags }: Row): readonly string[] => flags.split(" ").filter(Boolean);

/** Types that each update changes: clusters, endpoints, listeners, routes. */
const CHANGED_TYPES = 4;

test.each<Row>([
  { mode: "ads", flags: "" },
  { mode: "xds", flags: "" },
  { mode: "xds", flags: "-mux" },
  { mode: "ads", flags: "-tls" },
])("Envoy on the suite's control plane itself, state of the world: $mode $flags", async (row) => {
  const result = await runSuite({ mode: row.mode, flags: flagsOf(row) });
  expectPassed(result, row.mode);
  expect(counted(result, "responses")).toBeGreaterThanOrEqual(UPDATES * CHANGED_TYPES);
  expect(ackCount(result)).toBeGreaterThanOrEqual(UPDATES * CHANGED_TYPES);
});

test.each<Row>([
  { mode: "delta-ads", flags: "" },
  { mode: "delta", flags: "" },
  { mode: "delta-ads", flags: "-tls" },
])("Envoy on the suite's control plane itself, by increments: $mode $flags", async (row) => {
  expectPassed(await runSuite({ mode: row.mode, flags: flagsOf(row) }), row.mode);
});

test("Envoy on the suite's control plane itself, by polling", async () => {
  const result = await runSuite({ mode: "rest" });
  expectPassed(result, "rest");
  expect(counted(result, "fetches")).toBeGreaterThanOrEqual(UPDATES * CHANGED_TYPES);
});

/** In a network that has nothing else in it. */
const PROXY_PORT = 15_010;
const NODE = { id: "sidecar~127.0.0.1~app.team-a~team-a.svc.cluster.local", metadata: { NAMESPACE: "team-a" } };

async function runThrough(mode: ProxyPlace["mode"], row: Row): Promise<SuiteResult> {
  const place = { mode, upstream: CONTROL_PLANE, listen: `127.0.0.1:${PROXY_PORT}` };
  const between = { proxies: [proxyOptions(await proxyTrust(), place)], adsPort: PROXY_PORT, node: NODE };
  return await runSuite({ mode: row.mode, flags: flagsOf(row), ...between });
}

const MODES = ["check", "wrap+unwrap"] as const;

describe.each(MODES)("through wpgate proxy in mode %s", (between) => {
  test.each<Row>([
    { mode: "ads", flags: "" },
    { mode: "ads", flags: "-tls" },
  ])("Envoy on the suite's control plane, state of the world: $mode $flags", async (row) => {
    const result = await runThrough(between, row);
    expectPassed(result, row.mode);
    expect(counted(result, "responses")).toBeGreaterThanOrEqual(UPDATES * CHANGED_TYPES);
    expect(ackCount(result)).toBeGreaterThanOrEqual(UPDATES * CHANGED_TYPES);
  });

  test.each<Row>([
    { mode: "delta-ads", flags: "" },
    { mode: "delta-ads", flags: "-tls" },
  ])("Envoy on the suite's control plane, by increments: $mode $flags", async (row) => {
    expectPassed(await runThrough(between, row), row.mode);
  });
});
