// What the filter says about itself: counters and gauges `wpgate_*`, and log lines at a bounded rate. Nothing that is said
// can hold a key, a token, a payload or a header value.
import { log, nowMs } from "../abi/hostcalls";
import { Metric } from "../abi/metric";
import { LogLevel, MetricType } from "../abi/types";
import { CODE_COUNT, Code, codeName } from "../gen/codes";

const LOG_BURST: i32 = 20;
const LOG_REFILL_MS: i64 = 1000;

@final
export class Telemetry {
  readonly verified: Metric = counter("verified");
  readonly denied: Metric = counter("denied");
  readonly wouldDeny: Metric = counter("would_deny");
  readonly stale: Metric = counter("stale");
  readonly unverified: Metric = counter("unverified");
  private readonly allowed: Metric = counter("allowed");
  private readonly refused: StaticArray<Metric | null> = new StaticArray<Metric | null>(CODE_COUNT);
  /** Requests that were allowed since the last flush: one host call for all of them. */
  private allowedCount: i64 = 0;

  private tokens: i32 = LOG_BURST;
  private refilledMs: i64 = 0;
  private suppressed: i32 = 0;

  countAllowed(): void {
    this.allowedCount++;
  }

  flush(): void {
    if (this.allowedCount > 0) this.allowed.add(this.allowedCount);
    this.allowedCount = 0;
  }

  /** @param what where the refused bytes are, for the log */
  refuse(code: Code, what: string): void {
    let metric = this.refused[code];
    if (metric == null) {
      metric = counter("refused_" + codeName(code));
      this.refused[code] = metric;
    }
    metric.add(1);
    this.say(LogLevel.Warn, "refused " + codeName(code) + ": " + what);
  }

  /** Logs unless too much was logged lately; what was left out is counted in the next line. */
  say(level: LogLevel, text: string): void {
    this.refill(nowMs());
    if (this.tokens == 0) {
      this.suppressed++;
      return;
    }
    this.tokens--;
    const more = this.suppressed > 0 ? ` (${this.suppressed} lines left out before)` : "";
    this.suppressed = 0;
    log(level, "wpgate: " + text + more);
  }

  /** A clock that steps back earns nothing. */
  private refill(now: i64): void {
    const earned = (now - this.refilledMs) / LOG_REFILL_MS;
    if (earned > 0) this.tokens = <i32>min<i64>(LOG_BURST, <i64>this.tokens + earned);
    if (earned != 0 || now < this.refilledMs) this.refilledMs = now;
  }
}

export function gauge(name: string): Metric {
  return new Metric(MetricType.Gauge, "wpgate_" + name);
}

function counter(name: string): Metric {
  return new Metric(MetricType.Counter, "wpgate_" + name + "_total");
}
