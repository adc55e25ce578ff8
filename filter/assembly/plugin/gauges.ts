// One namespace as gauges: its versions, and how long what is in force is still current.
import { Metric } from "../abi/metric";
import { SignedState } from "./candidate";
import { gauge } from "./telemetry";

@final
export class Gauges {
  private readonly epoch: Metric;
  private readonly setVersion: Metric;
  private readonly freshVersion: Metric;
  private readonly expiresIn: Metric;

  constructor(role: string) {
    this.epoch = gauge(role + "_root_epoch");
    this.setVersion = gauge(role + "_set_version");
    this.freshVersion = gauge(role + "_fresh_version");
    this.expiresIn = gauge(role + "_expires_in_seconds");
  }

  /** Zeros while nothing is in force and, for the last gauge, after expiry. */
  show(state: SignedState | null, nowMs: i64): void {
    this.epoch.set(state == null ? 0 : state.floors.ep);
    this.setVersion.set(state == null ? 0 : <i64>state.floors.setVer);
    this.freshVersion.set(state == null ? 0 : <i64>state.floors.freshVer);
    this.expiresIn.set(state == null ? 0 : max<i64>(0, state.expiresAtSec - nowMs / 1000));
  }
}
