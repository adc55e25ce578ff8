/** Time passing in a running Envoy, and updates that expire while its threads take them over one after the other. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { CLOCK_SKEW_SEC } from "../../xds-proxy/src/gen/limits.ts";
import { nowSec, Owner, pinOf } from "../scenarios/owner.ts";
import { allow, Gate } from "./gate.ts";

let gate: Gate;
afterEach(async () => {
  await gate.stop();
});

/** `iat` and `exp` of a fresh that nobody accepts any more from `atSec` on. */
const endingAt = (atSec: number): { iatSec: number; freshExpSec: number } => ({
  iatSec: atSec - CLOCK_SKEW_SEC - 60,
  freshExpSec: atSec - CLOCK_SKEW_SEC,
});

test("onStale deny: closed from the moment of expiry, on every worker, until a new fresh comes", async () => {
  const owner = await Owner.create({ ns: "team-a", root: { onStale: "deny" } });
  gate = await Gate.start({ concurrency: 2, pin: pinOf([owner]) });
  const end = nowSec() + 5;
  await gate.accepts(await owner.bundle({ policies: [allow("/1")], ...endingAt(end) }));
  await gate.enforces("/1");
  expect(Date.now()).toBeLessThan(end * 1000);
  const statuses = new Set<number>();
  await until({ what: "the expiry", probe: async () => ((await gate.get("/1")) === 503 ? true : undefined) });
  expect(Date.now()).toBeGreaterThanOrEqual(end * 1000);
  for (let i = 0; i < 8; i++) statuses.add(await gate.get("/1"));
  expect([...statuses]).toEqual([503]);
  await gate.accepts(await owner.bundle({ policies: [allow("/1")], ver: "2" }));
  await gate.enforces("/1");
});

test("onStale keep: what is running goes on, and is counted", async () => {
  const owner = await Owner.create({ ns: "team-a", root: { onStale: "keep" } });
  gate = await Gate.start({ concurrency: 2, pin: pinOf([owner]) });
  const end = nowSec() + 4;
  const bundle = await owner.bundle({ policies: [allow("/1")], ...endingAt(end) });
  await gate.accepts(bundle);
  await gate.enforces("/1");
  await sleep(Math.max(0, end * 1000 - Date.now()) + 5);
  expect(await gate.get("/1")).toBe(200);
  const countedStale = async (): Promise<true | undefined> => {
    expect(await gate.get("/1")).toBe(200);
    return (await gate.metric("stale_total")) > 0 ? true : undefined;
  };
  await until({ what: "stale requests counted", probe: countedStale });
  await gate.enforces("/1");
  // The same again, as control planes do, is not a cold start.
  await gate.accepts(bundle);
  await gate.enforces("/1");
  // Something new that is already stale is.
  await gate.ignores("FRESH_STALE", await owner.bundle({ policies: [allow("/2")], ver: "2", ...endingAt(nowSec()) }));
  await gate.enforces("/1");
});

test("updates that expire while two workers and the main thread take them leave no one out of the chain", async () => {
  const owner = await Owner.create({ ns: "team-a", root: { onStale: "keep" } });
  gate = await Gate.start({ concurrency: 2, pin: pinOf([owner]) });
  await gate.accepts(await owner.bundle({ policies: [allow("/1")] }));
  await gate.enforces("/1");
  const vms = await gate.sidecar.envoy.admin.stat("wasm.wasm_vm_count");
  let ver = 1;
  for (const aheadMs of [3, 5, 7, 9, 12, 15, 20, 30]) {
    const end = Math.ceil((Date.now() + aheadMs + 50) / 1000);
    const bundle = await owner.bundle({ policies: [allow("/1")], ver: String(++ver), ...endingAt(end) });
    await sleep(end * 1000 - aheadMs - Date.now());
    await gate.accepts(bundle);
    for (let i = 0; i < 10; i++) expect(await gate.get("/1")).toBe(200);
    expect(await gate.get("/2")).toBe(403);
  }
  expect(await gate.sidecar.envoy.admin.stat("wasm.wasm_vm_count")).toBe(vms);
  expect(gate.sidecar.envoy.log.since(0).filter((line) => line.includes("thread-local"))).toEqual([]);
  await gate.accepts(await owner.bundle({ policies: [allow("/2")], ver: String(ver + 1) }));
  await gate.enforces("/2");
});
