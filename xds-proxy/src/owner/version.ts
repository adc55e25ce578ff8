/** Versions (claim `ver`): they grow whenever content changes, also where the last one was lost. */
import { compareU64 } from "../bytes/decimal.ts";
import { LimitError } from "../errors.ts";

const U64_MAX = (1n << 64n) - 1n;

/**
 * The clock in milliseconds, or one more than the version before where that is ahead of the clock. So an owner who has lost
 * the folder, and a second machine that never saw it, still write a version above the last one.
 * @throws LimitError after 2^64-1; only a root with a new `minEp` helps then
 */
export function nextVersion(previous: string | undefined, nowMs: number): string {
  const clock = String(Math.trunc(nowMs));
  if (previous === undefined || compareU64(clock, previous) > 0) return clock;
  const next = BigInt(previous) + 1n;
  if (next > U64_MAX) throw new LimitError("the last version is 2^64-1; rotate the root with --revoke to begin again");
  return next.toString();
}
