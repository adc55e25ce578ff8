// Metrics of Proxy-Wasm ABI v0.2.1. A metric that the host refuses to define counts nothing.
import { View } from "../bytes/view";
import * as host from "./env";
import { clearOut, OUT_NUMBER, outU32 } from "./memory";
import { MetricType, Status } from "./types";

@final
export class Metric {
  private readonly id: i32;
  private readonly defined: bool;

  constructor(type: MetricType, name: string) {
    clearOut();
    const text = View.utf8(name);
    this.defined = host.proxy_define_metric(type, text.ptr, text.length, OUT_NUMBER) == Status.Ok;
    this.id = outU32();
  }

  /** Counters. */
  add(count: i64): void {
    if (this.defined) host.proxy_increment_metric(this.id, count);
  }

  /** Gauges. */
  set(value: i64): void {
    if (this.defined) host.proxy_record_metric(this.id, value);
  }
}
