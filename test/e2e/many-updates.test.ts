/** A thousand updates under load: nothing grows, nobody is left behind, and no request sees the seam. */
import { afterEach, expect, test } from "vitest";
import { Owner, pinOf } from "../scenarios/owner.ts";
import { allow, Gate } from "./gate.ts";

const MIB = 1 << 20;
let gate: Gate;
afterEach(async () => {
  await gate.stop();
});

/** Asks until told to stop; each answer must be right. `/4` is in each set, `/5` in none. */
async function load(isOver: () => boolean): Promise<number> {
  let count = 0;
  while (!isOver()) {
    expect([await gate.get("/4"), await gate.get("/5")]).toEqual([200, 403]);
    count += 2;
  }
  return count;
}

test.each([1, 2])("1000 updates, %i workers", { timeout: 120_000 }, async (concurrency) => {
  const owner = await Owner.create({ ns: "team-a" });
  gate = await Gate.start({ concurrency, pin: pinOf([owner]) });
  const { envoy } = gate.sidecar;
  const update = async (ver: number): Promise<void> => {
    await gate.accepts(await owner.bundle({ policies: [allow(`/${(ver % 3) + 1}`), allow("/4")], ver: String(ver) }));
  };
  await update(0);
  await gate.enforces("/1", "/4");

  let isOver = false;
  const updates = async (): Promise<number> => {
    try {
      for (let ver = 1; ver < 100; ver++) await update(ver);
      const rssBytes = await envoy.rssBytes();
      for (let ver = 100; ver <= 1000; ver++) await update(ver);
      return (await envoy.rssBytes()) - rssBytes;
    } finally {
      isOver = true;
    }
  };
  const [grownBytes, requestCount] = await Promise.all([updates(), load(() => isOver), load(() => isOver)]);
  expect(requestCount).toBeGreaterThan(500);
  expect(grownBytes).toBeLessThan(64 * MIB);
  // The main thread's, each worker's, and the one that others are cloned from.
  await expect.poll(() => envoy.admin.stat("wasm.wasm_vm_count")).toBe(concurrency + 2);
  await gate.enforces("/2", "/4");
});
