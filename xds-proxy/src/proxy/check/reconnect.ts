/** When a lost upstream is tried again: exponential with full jitter, so that many streams do not come back as one. Pure. */

export interface ReconnectPolicy {
  readonly firstMs: number;
  readonly maxMs: number;
  /** A stream that lived this long has not failed: the next wait is the shortest one. */
  readonly healthyMs: number;
}

export const RECONNECT: ReconnectPolicy = { firstMs: 250, maxMs: 30_000, healthyMs: 5_000 };

/** Failures one after the other. */
export interface ReconnectState {
  readonly failuresCount: number;
}

export const NEVER_FAILED: ReconnectState = { failuresCount: 0 };

export interface Failure {
  /** From the first message that came until the end; 0 when none came. */
  readonly livedMs: number;
  /** Uniform in [0, 1). */
  readonly random: number;
}

/** The wait is at least half of its ceiling: istiod limits how many streams begin in a second (about 25 on two cores), and a
 *  wait of almost nothing is an attempt that is lost. */
export function afterFailure(
  policy: ReconnectPolicy,
  { failuresCount }: ReconnectState,
  { livedMs, random }: Failure,
): { readonly state: ReconnectState; readonly waitMs: number } {
  const before = livedMs >= policy.healthyMs ? 0 : failuresCount;
  const ceilingMs = Math.min(policy.maxMs, policy.firstMs * 2 ** Math.min(before, 30));
  return { state: { failuresCount: before + 1 }, waitMs: Math.round((ceilingMs * (1 + random)) / 2) };
}
