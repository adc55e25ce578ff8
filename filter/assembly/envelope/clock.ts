/** What depends on the clock (docs/envelope.md step 10 of section 6). Milliseconds are compared without rounding; the
 *  products stay below 2^63 because claims are at most 2^53-1. */
import { Code } from "../gen/codes";
import { CLOCK_SKEW_SEC } from "../gen/limits";
import { Claim, Claims } from "./claims";

const MS_PER_SEC: i64 = 1000;

@final
export class Clock {
  constructor(
    readonly nowMs: i64,
    /** Largest `iat` that was ever verified; 0 when it does not count. */
    readonly iatMaxSec: i64,
  ) {}

  isNotYetValid(claims: Claims): bool {
    return claims.integer(Claim.Iat) * MS_PER_SEC > this.nowMs + CLOCK_SKEW_SEC * MS_PER_SEC;
  }

  isExpired(claims: Claims): bool {
    const nowMs = max(this.nowMs, this.iatMaxSec * MS_PER_SEC);
    return (claims.integer(Claim.Exp) + CLOCK_SKEW_SEC) * MS_PER_SEC <= nowMs;
  }

  /** NOT_YET_VALID, EXPIRED. */
  check(claims: Claims): Code {
    if (this.isNotYetValid(claims)) return Code.NOT_YET_VALID;
    return this.isExpired(claims) ? Code.EXPIRED : Code.OK;
  }
}

export function lifetimeSec(claims: Claims): i64 {
  return claims.integer(Claim.Exp) - claims.integer(Claim.Iat);
}
