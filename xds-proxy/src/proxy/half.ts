/** One server with what it serves from: a whole proxy, but in the mode that wraps and unwraps in one process, which has two. */
import type { ListenConfig, ProxyConfig, UpstreamConfig } from "../config/proxy-config.ts";
import type { Requirement } from "../identity/authenticate.ts";
import { AdsClient } from "../grpc/ads-client.ts";
import { startAdsServer, type AdsServer } from "../grpc/ads-server.ts";
import type { ConnectUpstream } from "../grpc/ads-stream.ts";
import type { ProxyMetrics } from "./metrics.ts";
import type { ProxyOptions } from "./running-proxy.ts";
import { Sessions, type Arrival, type Serving } from "./sessions.ts";

/** What serves the nodes. */
export interface Side {
  serve(arrival: Arrival): Serving;
  close(): void;
}

export interface HalfOptions<S extends Side> extends ProxyOptions {
  readonly config: ProxyConfig;
  readonly metrics: ProxyMetrics;
  readonly listen: readonly ListenConfig[];
  readonly upstream: UpstreamConfig;
  /** Of one message from there. */
  readonly messageMaxBytes: number;
  readonly requirement: (side: S) => Requirement;
  readonly side: (connect: ConnectUpstream) => S;
}

export class Half<S extends Side> {
  readonly side: S;
  readonly sessions: Sessions;
  readonly #client: AdsClient;
  readonly #options: HalfOptions<S>;
  #server: AdsServer | undefined;

  /** @throws ConfigError, UpstreamError */
  constructor(options: HalfOptions<S>) {
    const { config, log, metrics, upstream, messageMaxBytes } = options;
    this.#options = options;
    this.#client = new AdsClient({ upstream, limits: { messageMaxBytes } });
    this.side = options.side(this.#client.connect);
    const requirement = options.requirement(this.side);
    const serve = (arrival: Arrival): Serving => this.side.serve(arrival);
    this.sessions = new Sessions({ mode: config.mode, requirement, log, metrics, serve });
  }

  get addresses(): AdsServer["addresses"] {
    return this.#server?.addresses ?? [];
  }

  /** @throws ConfigError for an address on which it cannot listen */
  async listen(): Promise<void> {
    const { config, log, metrics, listen } = this.#options;
    this.#server = await startAdsServer({
      ...{ listen, limits: config.limits, log },
      onStream: (stream) => {
        this.sessions.accept(stream);
      },
      onRefused: (reason) => {
        metrics.streamRefused(reason);
      },
    });
  }

  async drain(graceMs: number): Promise<void> {
    await this.#server?.drain(graceMs);
    await this.close();
  }

  async close(): Promise<void> {
    await this.#server?.close();
    await this.#client.close();
    await this.sessions.ended();
    this.side.close();
  }
}
