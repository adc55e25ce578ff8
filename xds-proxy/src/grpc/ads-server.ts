/**
 * The side towards the nodes: ADS (xDS v3, both protocols) over gRPC, on TCP and Unix sockets. Messages stay bytes; who asks is
 * handed on as the transport says it.
 */
import { Server, ServerCredentials, type ServerDuplexStream, type ServiceDefinition } from "@grpc/grpc-js";
import type { Address } from "../config/addresses.ts";
import type { ListenConfig, ProxyLimits } from "../config/proxy-config.ts";
import { ConfigError } from "../errors.ts";
import type { Protocol } from "../xds/type-url.ts";
import { METHOD_PATHS, type NodeStream } from "./ads-stream.ts";
import { bindServer } from "./bind.ts";
import { responseBytes, type Parts } from "./frames.ts";
import type { Logger } from "../log.ts";
import { quietGrpc } from "./grpc-stream.ts";
import { NodeGrpcStream } from "./node-grpc-stream.ts";
import { ServerTls } from "./server-tls.ts";

export interface AdsServerOptions {
  readonly listen: readonly ListenConfig[];
  readonly limits: Pick<ProxyLimits, "requestMaxBytes" | "streamsMaxCount">;
  readonly log: Logger;
  /** Owns the stream from then on; must not throw. */
  readonly onStream: (stream: NodeStream) => void;
  /** A stream was turned away, for metrics and the log. */
  readonly onRefused?: (reason: RefusedStream, peerAddress: string) => void;
  /** How often certificates are looked at. */
  readonly tlsPollMs?: number;
  readonly keepalive?: { readonly timeMs: number; readonly timeoutMs: number };
}

export type RefusedStream = "too many" | "draining";

export interface AdsServer {
  /** With the ports that it got, in the order of the configuration. */
  readonly addresses: readonly Address[];
  readonly streamsCount: number;
  /** Refuses new streams, tells the peers to go (GOAWAY), ends streams with UNAVAILABLE after what was written, and closes;
   *  cuts off what is left after `graceMs`. */
  drain(graceMs: number): Promise<void>;
  close(): Promise<void>;
}

/** @throws ConfigError that names each address on which it cannot listen; none is left open then */
export async function startAdsServer(options: AdsServerOptions): Promise<AdsServer> {
  quietGrpc();
  const server = new ListeningServer(options);
  await server.open();
  return server;
}

const KEEPALIVE = { timeMs: 30_000, timeoutMs: 10_000 };

interface Listener {
  readonly server: Server;
  readonly tls: ServerTls | undefined;
  address: Address;
}

class ListeningServer implements AdsServer {
  readonly #options: AdsServerOptions;
  readonly #listeners: Listener[] = [];
  readonly #streams = new Set<NodeGrpcStream>();
  #draining = false;

  constructor(options: AdsServerOptions) {
    this.#options = options;
  }

  get addresses(): readonly Address[] {
    return this.#listeners.map(({ address }) => address);
  }

  get streamsCount(): number {
    return this.#streams.size;
  }

  async open(): Promise<void> {
    const faults = [];
    // One after the other: each changes the process's umask while it binds.
    for (const listen of this.#options.listen) {
      try {
        await this.#listen(listen);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        faults.push(...error.faults);
      }
    }
    if (faults.length === 0) return;
    await this.close();
    throw new ConfigError(faults);
  }

  async drain(graceMs: number): Promise<void> {
    this.#draining = true;
    const closed = this.#listeners.map(
      ({ server }) =>
        new Promise<void>((resolve) => {
          server.tryShutdown(() => {
            resolve();
          });
        }),
    );
    for (const stream of this.#streams)
      stream.end({ grpcStatus: "UNAVAILABLE", message: "the proxy is shutting down" });
    await within(graceMs, Promise.all(closed));
    await this.close();
  }

  async close(): Promise<void> {
    this.#draining = true;
    for (const { server, tls } of this.#listeners) {
      tls?.close();
      server.forceShutdown();
    }
    await Promise.all([...this.#streams].map(({ ended }) => ended));
  }

  async #listen(listen: ListenConfig): Promise<void> {
    const { log, tlsPollMs } = this.#options;
    const tls =
      listen.tls && ServerTls.open(listen.tls, { log, ...(tlsPollMs !== undefined && { pollMs: tlsPollMs }) });
    const listener: Listener = { server: this.#newServer(() => listener.address), tls, address: listen.address };
    this.#listeners.push(listener);
    listener.address = await bindServer(
      listener.server,
      tls?.credentials ?? ServerCredentials.createInsecure(),
      listen,
    );
  }

  #newServer(address: () => Address): Server {
    const { limits, keepalive = KEEPALIVE } = this.#options;
    const server = new Server({
      "grpc.max_receive_message_length": limits.requestMaxBytes,
      // What is written was bounded when it came in.
      "grpc.max_send_message_length": -1,
      "grpc.keepalive_time_ms": keepalive.timeMs,
      "grpc.keepalive_timeout_ms": keepalive.timeoutMs,
      "grpc.max_concurrent_streams": limits.streamsMaxCount,
      // Channelz stays on: without it, grpc-js 1.14.7 forgets its connections and cannot cut them off.
    });
    const accept =
      (protocol: Protocol) =>
      (call: ServerDuplexStream<Uint8Array, Parts>): void => {
        this.#accept(new NodeGrpcStream(call, protocol, address()));
      };
    server.addService(SERVICE, { sotw: accept("sotw"), delta: accept("delta") });
    return server;
  }

  #accept(stream: NodeGrpcStream): void {
    const { limits, onStream, onRefused } = this.#options;
    const refusal = this.#draining ? "draining" : this.#streams.size >= limits.streamsMaxCount ? "too many" : undefined;
    if (refusal === undefined) {
      this.#streams.add(stream);
      void stream.ended.then(() => this.#streams.delete(stream));
      onStream(stream);
      return;
    }
    onRefused?.(refusal, stream.peer.address);
    const { grpcStatus, message } = REFUSALS[refusal];
    stream.end({ grpcStatus, message });
  }
}

const REFUSALS = {
  "too many": { grpcStatus: "RESOURCE_EXHAUSTED", message: "the proxy serves as many streams as it may" },
  draining: { grpcStatus: "UNAVAILABLE", message: "the proxy is shutting down" },
} as const;

const SERVICE: ServiceDefinition = { sotw: method("sotw"), delta: method("delta") };

function method(protocol: Protocol): ServiceDefinition[string] {
  const asIs = (message: Buffer): Buffer => message;
  return {
    ...{ path: METHOD_PATHS[protocol], requestStream: true, responseStream: true },
    ...{
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: responseBytes,
      responseDeserialize: asIs,
    },
  };
}

async function within(timeMs: number, what: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise((resolve) => (timer = setTimeout(resolve, timeMs)));
  await Promise.race([what, over]);
  clearTimeout(timer);
}
