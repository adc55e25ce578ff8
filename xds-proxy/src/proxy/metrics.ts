/** The proxy's metrics for Prometheus: what happens is counted here, what is the case is read from the view when asked. */
import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import { TYPES } from "../xds/type-url.ts";
import type { ProxyView } from "./view.ts";

/** What became of one response from upstream. */
export type ResponseOutcome = "accepted" | "substituted" | "refused" | "withheld";

export type BytesDirection = "from_upstream" | "to_upstream" | "from_node" | "to_node";

export class ProxyMetrics {
  readonly registry: Registry = new Registry();
  readonly #responses: Counter;
  readonly #refusals: Counter;
  readonly #nacks: Counter;
  readonly #reconnects: Counter;
  readonly #refusedStreams: Counter;
  readonly #bytes: Counter;

  constructor() {
    // A look every 10 ms, as by default, is what an idle process would do most.
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: 100 });
    this.#responses = this.#counter("responses_total", "responses from upstream", ["type", "outcome"]);
    this.#refusals = this.#counter("refusals_total", "resources and responses refused, by code or clause", ["code"]);
    this.#nacks = this.#counter("node_nacks_total", "what passed here and the node refused", ["type"]);
    this.#reconnects = this.#counter("upstream_attempts_total", "attempts to open a stream upstream", ["outcome"]);
    this.#refusedStreams = this.#counter("streams_refused_total", "streams of nodes turned away", ["reason"]);
    this.#bytes = this.#counter("bytes_total", "bytes of messages", ["direction"]);
  }

  response(typeUrl: string, outcome: ResponseOutcome): void {
    this.#responses.inc({ type: typeLabel(typeUrl), outcome });
  }

  /** @param code - of proto/codes.json, or a clause of the Guard */
  refusal(code: string): void {
    this.#refusals.inc({ code });
  }

  nack(typeUrl: string): void {
    this.#nacks.inc({ type: typeLabel(typeUrl) });
  }

  /** @param outcome - `connected`, or the code of the UpstreamError */
  upstreamAttempt(outcome: string): void {
    this.#reconnects.inc({ outcome });
  }

  streamRefused(reason: string): void {
    this.#refusedStreams.inc({ reason });
  }

  bytes(direction: BytesDirection, lengthBytes: number): void {
    this.#bytes.inc({ direction }, lengthBytes);
  }

  /** Adds what is read from the view at each scrape. */
  watch(view: ProxyView, nowMs: () => number): void {
    this.#gauge("streams", "streams of nodes", ["upstream"], (gauge) => {
      gauge.reset();
      for (const state of ["connecting", "connected", "waiting", "none"] as const) gauge.set({ upstream: state }, 0);
      for (const { upstream } of view.streams()) gauge.inc({ upstream: upstream.state });
    });
    this.#gauge(
      "upstream_silence_seconds",
      "since the last message from upstream, on the stream that waits longest",
      [],
      (gauge) => {
        const last = view.streams().flatMap(({ upstream }) => upstream.lastMessageMs ?? []);
        gauge.set(last.length === 0 ? NaN : (nowMs() - Math.min(...last)) / 1000);
      },
    );
    this.#gauge("expires_in_seconds", "until what is verified of a namespace runs out", ["namespace"], (gauge) => {
      gauge.reset();
      for (const { namespace, expSec } of view.namespaces())
        gauge.set({ namespace }, expSec === undefined ? 0 : Math.max(0, expSec - Math.trunc(nowMs() / 1000)));
    });
    this.#gauge("set_version", "version of the set in force", ["namespace"], (gauge) => {
      gauge.reset();
      for (const { namespace, setVer } of view.namespaces()) gauge.set({ namespace }, Number(setVer ?? 0));
    });
    this.#gauge("store_queue", "resources that wait to be written to the disk", [], (gauge) => {
      gauge.set(view.storeQueueCount());
    });
    this.#gauge("ready", "1 when /readyz says so", [], (gauge) => {
      gauge.set(view.readiness().ready ? 1 : 0);
    });
  }

  #counter(name: string, help: string, labelNames: readonly string[]): Counter {
    return new Counter({ name: `${PREFIX}${name}`, help, labelNames: [...labelNames], registers: [this.registry] });
  }

  #gauge(name: string, help: string, labelNames: readonly string[], read: (gauge: Gauge) => void): void {
    new Gauge({
      ...{ name: `${PREFIX}${name}`, help, labelNames: [...labelNames], registers: [this.registry] },
      collect() {
        read(this);
      },
    });
  }
}

const PREFIX = "wpgate_proxy_";

/** Upstream may invent type URLs; a label may not have any number of values. */
function typeLabel(typeUrl: string): string {
  return TYPES.get(typeUrl)?.short ?? "other";
}
