/** Time: what expires while it runs, and updates whose last moment lies between two threads. */
import { beforeEach, describe, expect, test } from "vitest";
import { CLOCK_SKEW_SEC } from "../../../xds-proxy/src/gen/limits.ts";
import type { NamespaceBundle } from "../../../xds-proxy/src/owner/bundle.ts";
import { allow, Gate } from "../../host/gate.ts";
import type { Thread } from "../../host/process.ts";
import { nowSec, Owner } from "../../scenarios/owner.ts";

const LIFETIME_SEC = 3_600;
const START_MS = nowSec() * 1000;
/** From this moment on the fresh of `signed` is expired. */
const EXPIRY_MS = START_MS + (LIFETIME_SEC + CLOCK_SKEW_SEC) * 1000;

let owner: Owner;
let gate: Gate;
const signed = async (ver: number, path: string): Promise<NamespaceBundle> =>
  await owner.bundle({ ver: String(ver), iatSec: START_MS / 1000, policies: [allow(path)] });

describe.each(["keep", "deny"] as const)("onStale %s", (onStale) => {
  beforeEach(async () => {
    owner = await Owner.create({ ns: "team-a", root: { onStale } });
    gate = new Gate([owner], { workers: 2 });
    gate.process.nowMs = START_MS;
  });

  test("what runs when it expires", async () => {
    gate.bundles([await signed(1, "/1")]);
    gate.process.nowMs = EXPIRY_MS - 500;
    gate.tick();
    expect(gate.enforced()).toEqual(["/1", "/1"]);
    expect(gate.metric("wpgate_stale_total")).toBe(0);
    gate.process.nowMs = EXPIRY_MS;
    gate.tick();
    const expected = onStale === "keep" ? "/1" : "closed";
    expect(gate.enforced()).toEqual([expected, expected]);
    expect(gate.metric("wpgate_stale_total")).toBeGreaterThanOrEqual(10);
    expect(gate.request("/1").details).toBe(onStale === "keep" ? "upstream" : "wpgate_stale");
    expect(gate.metric("wpgate_namespace_expires_in_seconds")).toBe(0);
  });

  test("a new fresh brings it back", async () => {
    gate.bundles([await signed(1, "/1")]);
    gate.process.nowMs = EXPIRY_MS + 1000;
    const iatSec = EXPIRY_MS / 1000;
    gate.bundles([await owner.bundle({ ver: "1", freshVer: "2", iatSec, policies: [allow("/1")] })]);
    expect(gate.enforced()).toEqual(["/1", "/1"]);
  });

  test("the same configuration again after expiry is no cold start", async () => {
    const bundle = await signed(1, "/1");
    gate.bundles([bundle]);
    gate.process.nowMs = EXPIRY_MS + 86_400_000;
    expect(gate.bundles([bundle])).toBe("ACK");
    expect(gate.bypassed()).toEqual([]);
    const expected = onStale === "keep" ? "/1" : "closed";
    expect(gate.enforced()).toEqual([expected, expected]);
  });

  test("something newer that has expired is not put in force", async () => {
    gate.bundles([await owner.bundle({ policies: [allow("/1")], freshExpSec: nowSec() + 80_000 })]);
    const stale = await signed(2, "/2");
    gate.process.nowMs = EXPIRY_MS;
    expect(gate.bundles([stale])).toBe("ACK");
    expect(gate.refusals()).toEqual({ FRESH_STALE: 4 });
    expect(gate.enforced()).toEqual(["/1", "/1"]);
  });

  test("a VM that starts after expiry does not start from what others keep running", async () => {
    const bundle = await signed(1, "/1");
    gate.bundles([bundle]);
    gate.process.nowMs = EXPIRY_MS + CLOCK_SKEW_SEC * 1000;
    expect(gate.bundles([bundle], { name: "other", environment: { A: "1" } })).toBe("ACK");
    expect(gate.enforced("other")).toEqual(["closed", "closed"]);
    const expected = onStale === "keep" ? "/1" : "closed";
    expect(gate.enforced()).toEqual([expected, expected]);
  });

  test("a cold start takes nothing that has expired, whatever part of it", async () => {
    const policies = [allow("/1")];
    const expSec = START_MS / 1000 + 600;
    for (const bundle of [
      await owner.bundle({ policies, expSec }),
      await owner.bundle({ policies, freshExpSec: expSec }),
    ]) {
      const cold = new Gate([owner]);
      cold.process.nowMs = (expSec + CLOCK_SKEW_SEC) * 1000;
      expect(cold.bundles([bundle])).toBe("ACK");
      expect(cold.enforced()).toEqual(["closed"]);
      cold.process.nowMs -= 1000;
      expect(cold.bundles([bundle])).toBe("ACK");
      expect(cold.enforced()).toEqual(["/1"]);
    }
  });

  describe.each<[string, Partial<Record<Thread, number>>]>([
    ["after the canary", { main: EXPIRY_MS }],
    ["after the main thread", { 0: EXPIRY_MS }],
    ["after the first worker", { 1: EXPIRY_MS }],
  ])("an update that expires %s", (_, moments) => {
    const straddle = (thread: Thread): void => {
      gate.process.nowMs = moments[thread] ?? gate.process.nowMs;
    };

    test("leaves no thread out of the chain, and all enforce the same", async () => {
      const bundle = await signed(2, "/2");
      const long = { policies: [allow("/1")], freshExpSec: nowSec() + 80_000 };
      gate.bundles([await owner.bundle(long)]);
      gate.process.nowMs = EXPIRY_MS - 1000;
      expect(gate.bundles([bundle], { before: straddle })).toBe("ACK");
      expect(gate.bypassed()).toEqual([]);
      gate.tick();
      const expected = onStale === "keep" ? "/2" : "closed";
      expect(gate.enforced()).toEqual([expected, expected]);
    });

    test("is a first delivery: the same", async () => {
      const bundle = await signed(2, "/2");
      gate.process.nowMs = EXPIRY_MS - 1000;
      expect(gate.bundles([bundle], { before: straddle })).toBe("ACK");
      expect(gate.bypassed()).toEqual([]);
      const expected = onStale === "keep" ? "/2" : "closed";
      expect(gate.enforced()).toEqual([expected, expected]);
    });
  });
});

describe("clocks", () => {
  beforeEach(async () => {
    owner = await Owner.create({ ns: "team-a" });
    gate = new Gate([owner], { workers: 2 });
  });

  test("what is not valid yet is kept, and in force as soon as it is", async () => {
    gate.process.nowMs = START_MS - 3_600_000;
    expect(gate.bundles([await signed(1, "/1")])).toBe("ACK");
    gate.tick();
    expect(gate.enforced()).toEqual(["closed", "closed"]);
    expect(Object.keys(gate.refusals())).toEqual(["NOT_YET_VALID"]);
    gate.process.nowMs = START_MS;
    gate.tick();
    expect(gate.enforced()).toEqual(["/1", "/1"]);
  });

  test("threads whose clocks lie on both sides of the beginning agree on the answer", async () => {
    gate.process.nowMs = START_MS - CLOCK_SKEW_SEC * 1000;
    const before = (thread: Thread): void => {
      gate.process.nowMs = START_MS - CLOCK_SKEW_SEC * 1000 - (thread === "canary" || thread === 1 ? 0 : 1000);
    };
    expect(gate.bundles([await owner.bundle({ iatSec: START_MS / 1000, policies: [allow("/1")] })], { before })).toBe(
      "ACK",
    );
    expect(gate.bypassed()).toEqual([]);
    gate.process.nowMs = START_MS;
    gate.tick();
    expect(gate.enforced()).toEqual(["/1", "/1"]);
  });

  test("a clock that runs backwards reopens nothing that a newer iat has closed", async () => {
    const iatSec = START_MS / 1000;
    gate.process.nowMs = START_MS + 7_200_000;
    const late = iatSec + 7_200;
    gate.bundles([await owner.bundle({ ver: "2", iatSec: late, policies: [allow("/2")] })]);
    gate.process.nowMs = START_MS;
    expect(gate.bundles([await owner.bundle({ ver: "3", iatSec, policies: [allow("/3")] })])).toBe("ACK");
    // The canary knows no newer iat, so only the three others count.
    expect(gate.refusals()).toEqual({ FRESH_STALE: 3 });
    expect(gate.enforced()).toEqual(["/2", "/2"]);
  });
});
