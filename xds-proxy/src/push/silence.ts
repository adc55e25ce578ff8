/**
 * How long a receiver hears nothing before that is a fault (docs/envelope.md section 10.4). Measured on a clock that does not jump;
 * the wall clock only shortens it, for a push that was held back on its way.
 */
import { CLOCK_SKEW_SEC } from "../gen/limits.ts";
import { silenceMaxSec } from "./heartbeat.ts";

export interface Clocks {
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Milliseconds since whenever, never jumping. */
  readonly monotonicMs: () => number;
}

export class Silence {
  private readonly clocks: Clocks;
  private maxSec: number;
  private untilMs: number;

  /** @param heartbeatSec - the interval that is expected before the first heartbeat says its own */
  constructor(clocks: Clocks, heartbeatSec: number) {
    this.clocks = clocks;
    this.maxSec = silenceMaxSec(heartbeatSec);
    this.untilMs = clocks.monotonicMs() + this.maxSec * 1000;
  }

  /** On the monotonic clock: from then on silence is a fault. */
  get afterMs(): number {
    return this.untilMs;
  }

  /** The caller did not listen for a while, for reasons of its own: what was sent meanwhile lies unread, and is no silence. */
  listenAgain(): void {
    this.untilMs = Math.max(this.untilMs, this.clocks.monotonicMs() + this.maxSec * 1000);
  }

  /** @param maxSec - lifetime of the heartbeat: how long silence is all right after it */
  heartbeat(iatSec: number, maxSec: number): void {
    this.maxSec = maxSec;
    this.heard(iatSec);
  }

  /** A push shows as much as a heartbeat: that nothing else had been sent at `iatSec`. */
  heard(iatSec: number): void {
    const { nowMs, monotonicMs } = this.clocks;
    const leftMs = (iatSec + this.maxSec + CLOCK_SKEW_SEC) * 1000 - nowMs();
    this.untilMs = monotonicMs() + Math.min(this.maxSec * 1000, leftMs);
  }
}
