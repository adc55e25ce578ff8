/** A thousand updates under load: nothing grows, nobody is left behind, and no request sees the seam. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Owner, pinOf } from "../scenarios/owner.ts";
import { allow, Gate } from "./gate.ts";

const MIB = 1 << 20;
let owner: Owner;
let gate: Gate;
beforeAll(async () => {
  owner = await Owner.create({ ns: "team-a" });
  gate = await Gate.start({ concurrency: 2, pin: pinOf([owner]) });
});
afterAll(async () => {
  await gate.stop();
});

test("1000 updates leave memory and the number of VMs as they were", async () => {
  await gate.accepts(await owner.bundle({ policies: [allow("/4")], ver: "0" }));
  await gate.enforces("/4");
  const update = async (ver: number): Promise<void> => {
    await gate.accepts(await owner.bundle({ policies: [allow(`/${(ver % 3) + 1}`), allow("/4")], ver: String(ver) }));
  };
  // `/4` is in each set, `/5` in none.
  let running = true;
  let requestCount = 0;
  const load = Array.from({ length: 3 }, async () => {
    while (running) {
      expect([await gate.get("/4"), await gate.get("/5")]).toEqual([200, 403]);
      requestCount += 2;
    }
  });
  let ver = 0;
  while (ver < 100) await update(++ver);
  const { envoy } = gate.sidecar;
  const vms = await envoy.admin.stat("wasm.wasm_vm_count");
  const rssBytes = await envoy.rssBytes();
  while (ver < 1000) await update(++ver);
  running = false;
  await Promise.all(load);
  expect(requestCount).toBeGreaterThan(1000);
  await gate.enforces("/2", "/4");
  expect(await envoy.admin.stat("wasm.wasm_vm_count")).toBe(vms);
  expect(await envoy.rssBytes()).toBeLessThan(rssBytes + 64 * MIB);
  expect(await gate.get("/1")).toBe(403);
}, 120_000);
