import { expect, test } from "vitest";
import { SignerHealth } from "./signer-health.ts";

const attempt = (renewed: boolean): Parameters<SignerHealth["succeeded"]>[0] => ({
  ...{ renewed, setVer: "7", renewalAtSec: 1500 },
  fresh: { ver: "8", cd: "", set: { ver: "7", cd: "" }, iatSec: 1000, expSec: 2000 },
});

test("nothing is known before the first success", () => {
  const health = new SignerHealth();
  expect([health.healthy(0).ok, health.ready().ok, health.expiresInSec(0)]).toEqual([true, false, 0]);
});

test("healthy until a quarter of its life is left, whatever fails", () => {
  const health = new SignerHealth();
  health.succeeded(attempt(true), 1_000_000);
  health.failed("UNAVAILABLE");
  expect(health.healthy(1_750_000)).toEqual({ ok: true, reason: "fresh for 250 s" });
  expect(health.healthy(1_751_000).ok).toBe(false);
  expect(health.healthy(3_000_000)).toEqual({ ok: false, reason: "fresh for 0 s" });
});

test("ready while attempts go well", () => {
  const health = new SignerHealth();
  health.succeeded(attempt(true), 0);
  expect(health.ready().ok).toBe(true);
  health.failed("ROLLBACK");
  health.failed("ROLLBACK");
  expect([health.ready().ok, health.failures]).toEqual([false, new Map([["ROLLBACK", 2]])]);
  health.succeeded(attempt(false), 5_000);
  expect([health.ready().ok, health.renewalsCount, health.lastSuccessMs]).toEqual([true, 1, 5_000]);
});
