/** Both edges of the proxy in this process: a server whose streams are collected, and clients towards it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Address } from "../../xds-proxy/src/config/addresses.ts";
import type { ListenConfig, UpstreamConfig } from "../../xds-proxy/src/config/proxy-config.ts";
import { until } from "../../xds-proxy/src/demo/until.ts";
import { AdsClient } from "../../xds-proxy/src/grpc/ads-client.ts";
import { startAdsServer, type AdsServer, type AdsServerOptions } from "../../xds-proxy/src/grpc/ads-server.ts";
import type { AdsStream, ConnectOptions, NodeStream } from "../../xds-proxy/src/grpc/ads-stream.ts";
import type { LogEvent, LogFields, Logger } from "../../xds-proxy/src/log.ts";

export const MIB: number = 1024 * 1024;

export interface Logged extends LogFields {
  readonly event: LogEvent;
}

/** What a test makes of the edges; everything is closed at its end. */
export class Edges {
  readonly folder: string = mkdtempSync(join(tmpdir(), "wpgate-edges-"));
  /** Streams of nodes, oldest first. */
  readonly streams: NodeStream[] = [];
  readonly refused: string[] = [];
  readonly logged: Logged[] = [];
  readonly #servers: AdsServer[] = [];
  readonly #clients: AdsClient[] = [];

  get log(): Logger {
    const add = (event: LogEvent, fields: LogFields = {}): void => void this.logged.push({ event, ...fields });
    return { debug: add, info: add, warn: add, error: add };
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, content: string): string {
    writeFileSync(this.path(name), content);
    return this.path(name);
  }

  async serve(listen: Partial<ListenConfig> = {}, options: Partial<AdsServerOptions> = {}): Promise<AdsServer> {
    const server = await startAdsServer({
      listen: [{ ...{ address: loopback(0), socketMode: 0o600 }, ...listen }],
      limits: { requestMaxBytes: 4 * MIB, streamsMaxCount: 100 },
      log: this.log,
      onStream: (stream) => void this.streams.push(stream),
      onRefused: (reason) => void this.refused.push(reason),
      ...options,
    });
    this.#servers.push(server);
    return server;
  }

  client(address: Address | undefined, upstream: Partial<UpstreamConfig> = {}, more: ClientOptions = {}): AdsClient {
    const client = new AdsClient({
      upstream: {
        address: address ?? loopback(0),
        connectTimeoutSec: 5,
        keepalive: { timeSec: 30, timeoutSec: 10 },
        ...upstream,
      },
      limits: { messageMaxBytes: more.messageMaxBytes ?? 64 * MIB },
      ...(more.streamsMaxCount !== undefined && { streamsPerConnectionMaxCount: more.streamsMaxCount }),
    });
    this.#clients.push(client);
    return client;
  }

  /** A client's stream and the server's end of it. */
  async pair(
    server: AdsServer,
    upstream: Partial<UpstreamConfig> = {},
    options: Partial<ConnectOptions> = {},
  ): Promise<Pair> {
    const near = await open(this.client(server.addresses[0], upstream), options);
    return { near, far: await this.next() };
  }

  /** The server's end of the stream that comes next, or has come and was not asked for. */
  async next(): Promise<NodeStream> {
    const count = ++this.#asked;
    return await until({ what: `stream ${count}`, probe: () => this.streams[count - 1] });
  }

  #asked = 0;

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all(this.#servers.map((server) => server.close()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export interface ClientOptions {
  readonly messageMaxBytes?: number;
  readonly streamsMaxCount?: number;
}

export interface Pair {
  /** The client's end. */
  readonly near: AdsStream;
  /** The server's. */
  readonly far: NodeStream;
}

export function loopback(port: number): Address {
  return { kind: "tcp", host: "127.0.0.1", port };
}

export async function open(client: AdsClient, options: Partial<ConnectOptions> = {}): Promise<AdsStream> {
  return await client.connect({ protocol: "sotw", metadata: {}, signal: new AbortController().signal, ...options });
}

/** Takes one message; undefined at the end. */
export async function take(stream: AdsStream): Promise<string | undefined> {
  const { value } = (await stream.messages[Symbol.asyncIterator]().next()) as {
    readonly value: Uint8Array | undefined;
  };
  return value === undefined ? undefined : Buffer.from(value).toString();
}

export function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}
