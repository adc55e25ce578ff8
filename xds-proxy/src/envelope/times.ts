/** When a statement counts (docs/envelope.md section 6, step 10). */
import { CFG_TTL_MAX_SEC, CLOCK_SKEW_SEC, PUSH_TTL_MAX_SEC } from "../gen/limits.ts";
import type { Claims } from "./claims.ts";
import { refuse } from "./refusal.ts";
import type { Use } from "./types.ts";

export interface Clock {
  readonly nowMs: number;
  /** Largest `iat` that was ever verified, seconds: the present is not before it. */
  readonly iatMaxSec: number;
}

type Lifetime = Pick<Claims, "iat" | "exp">;

/** @throws VerifyError NOT_YET_VALID, EXPIRED, TTL_TOO_LONG. */
export function checkTimes(lifetime: Lifetime, clock: Clock, ttlMaxSec: number): void {
  checkBegun(lifetime, clock);
  checkExpiry(lifetime, clock);
  checkLifetime(lifetime, ttlMaxSec);
}

/** @throws VerifyError NOT_YET_VALID. */
export function checkBegun({ iat }: Lifetime, { nowMs }: Pick<Clock, "nowMs">): void {
  if ((iat - CLOCK_SKEW_SEC) * 1000 > nowMs) refuse("NOT_YET_VALID", "iat lies ahead");
}

/** @throws VerifyError TTL_TOO_LONG. */
export function checkLifetime({ iat, exp }: Lifetime, ttlMaxSec: number): void {
  if (exp - iat > ttlMaxSec) refuse("TTL_TOO_LONG", `valid for more than ${ttlMaxSec} s`);
}

function checkExpiry({ exp }: Lifetime, { nowMs, iatMaxSec }: Clock): void {
  const late = (exp + CLOCK_SKEW_SEC) * 1000 <= nowMs || exp <= iatMaxSec - CLOCK_SKEW_SEC;
  if (late) refuse("EXPIRED", "exp has passed");
}

/** Longest lifetime of a statement, seconds. */
export function ttlMaxSecOf(use: Use, root: { readonly maxFreshSec: number }): number {
  switch (use) {
    case "root":
    case "cfg":
    case "set":
      return CFG_TTL_MAX_SEC;
    case "fresh":
      return root.maxFreshSec;
    case "push":
    case "msg":
      return PUSH_TTL_MAX_SEC;
  }
}
