/** What is said of one session: in the log, in metrics, and to people who look at it. */
import { codeOf } from "../../errors.ts";
import { shortName } from "../../xds/type-url.ts";
import { LOG_EVENTS, type Logger } from "../../log.ts";
import type { ProxyMetrics } from "../metrics.ts";
import { printable, type Refused } from "./refused.ts";
import type { RefusalView } from "../view.ts";

export interface SessionReportOptions {
  readonly stream: string;
  readonly node: string;
  readonly log: Logger;
  readonly metrics: ProxyMetrics;
  readonly nowMs: () => number;
}

export class SessionReport {
  readonly #options: SessionReportOptions;
  readonly #refusals = new Map<string, RefusalView>();
  /** By type, the names that stay refused until the control plane says something else of them. */
  readonly #refused = new Map<string, Set<string>>();
  readonly #about: { readonly stream: string; readonly node: string };

  constructor(options: SessionReportOptions) {
    this.#options = options;
    this.#about = { stream: options.stream, node: options.node };
  }

  lastRefusal(typeUrl: string): RefusalView | undefined {
    return this.#refusals.get(typeUrl);
  }

  /** Names for which what the control plane said last was refused. */
  refusedNames(typeUrl: string): readonly string[] {
    return [...(this.#refused.get(typeUrl) ?? [])];
  }

  connected(): void {
    this.#options.metrics.upstreamAttempt("connected");
    this.#options.log.info(LOG_EVENTS.upstreamConnected, this.#about);
  }

  lost(code: string, reason: string, retryMs: number): void {
    this.#options.metrics.upstreamAttempt(code);
    this.#options.log.warn(LOG_EVENTS.upstreamLost, { ...this.#about, code, reason: printable(reason), retryMs });
  }

  /** The stream of the node, or something done for it. */
  failed(error: unknown): void {
    const code = codeOf(error);
    this.#options.log.warn(LOG_EVENTS.streamFailed, { ...this.#about, code, reason: printable(String(error)) });
  }

  received(lengthBytes: number): void {
    this.#options.metrics.bytes("from_upstream", lengthBytes);
  }

  sent(lengthBytes: number): void {
    this.#options.metrics.bytes("to_node", lengthBytes);
  }

  /** Nobody asked for it. */
  withheld(typeUrl: string): void {
    this.#options.metrics.response(typeUrl, "withheld");
  }

  /** @param names - whom the verdict is about, asked only when needed; undefined for all of the type */
  inspected(typeUrl: string, refused: readonly Refused[], names?: () => readonly string[]): void {
    const { log, metrics, nowMs } = this.#options;
    this.#note(typeUrl, refused, names);
    metrics.response(typeUrl, refused.length === 0 ? "accepted" : "substituted");
    for (const { resource, code, reason, outcome } of refused) {
      metrics.refusal(code);
      this.#refusals.set(typeUrl, { code, resource, reason, atMs: nowMs() });
      const fields = { ...this.#about, type: shortName(typeUrl), resource, code, reason, outcome };
      log.warn(LOG_EVENTS.responseRefused, fields);
    }
  }

  #note(typeUrl: string, refused: readonly Refused[], names?: () => readonly string[]): void {
    const before = this.#refused.get(typeUrl);
    if (before === undefined && refused.length === 0) return;
    const now = new Set(names === undefined ? [] : before);
    if (now.size > 0) for (const name of names?.() ?? []) now.delete(name);
    for (const { resource } of refused) now.add(resource);
    if (now.size === 0) this.#refused.delete(typeUrl);
    else this.#refused.set(typeUrl, now);
  }

  /** The node refuses what passed here. */
  nack(typeUrl: string, error: string): void {
    const { log, metrics, nowMs } = this.#options;
    const reason = printable(error);
    metrics.nack(typeUrl);
    this.#refusals.set(typeUrl, { code: "NACK", resource: "", reason, atMs: nowMs() });
    log.warn(LOG_EVENTS.nodeNack, { ...this.#about, type: shortName(typeUrl), reason });
  }
}
