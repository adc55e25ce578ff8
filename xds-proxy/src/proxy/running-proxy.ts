/** The running program as its command sees it. */
import type { Address } from "../config/addresses.ts";
import type { ProxyConfig } from "../config/proxy-config.ts";
import type { Logger } from "../log.ts";

export interface ProxyOptions {
  readonly log: Logger;
  readonly nowMs: () => number;
  /** Ends the start; a proxy that has started is ended with `drain` or `close`. */
  readonly signal: AbortSignal;
}

export interface RunningProxy {
  /** Where it listens, with the ports that it got. */
  readonly addresses: readonly Address[];
  readonly adminUrl: string | undefined;
  /** The namespaces whose roots are pinned. */
  readonly pinned: readonly string[];
  /** Takes no new streams, ends those that are there in order, at the latest after the configured time, and closes. */
  drain(): Promise<void>;
  /** At once. */
  close(): Promise<void>;
}

export type StartProxy = (config: ProxyConfig, options: ProxyOptions) => Promise<RunningProxy>;
