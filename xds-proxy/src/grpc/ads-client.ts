/**
 * The side towards istiod or another proxy: opens ADS streams over TCP, TLS, mutual TLS or a Unix socket. What proves who we
 * are is in files that others replace; they are read again for every stream.
 */
import { readFileSync } from "node:fs";
import { Metadata, type ServiceError } from "@grpc/grpc-js";
import { formatAddress } from "../config/addresses.ts";
import type { ProxyLimits, UpstreamConfig } from "../config/proxy-config.ts";
import { ConfigError, UpstreamError } from "../errors.ts";
import { METHOD_PATHS, type ConnectUpstream } from "./ads-stream.ts";
import { Connections, type Connection } from "./connections.ts";
import { quietGrpc } from "./grpc-stream.ts";
import { requestBytes } from "./frames.ts";
import { readTlsFiles, type TlsMaterial } from "./tls-files.ts";
import { upstreamError, UpstreamGrpcStream } from "./upstream-grpc-stream.ts";

export interface AdsClientOptions {
  readonly upstream: UpstreamConfig;
  readonly limits: Pick<ProxyLimits, "messageMaxBytes">;
  /** After which another connection is opened: HTTP/2 lets one stream too many wait in silence. */
  readonly streamsPerConnectionMaxCount?: number;
}

/** Servers that have a limit allow as many. */
const STREAMS_PER_CONNECTION_MAX_COUNT = 100;
const TOKEN = /^[\x21-\x7e]+$/;

export class AdsClient {
  readonly #upstream: UpstreamConfig;
  readonly #name: string;
  readonly #connections: Connections;
  readonly #streams = new Set<UpstreamGrpcStream>();

  /** @throws ConfigError when TLS files cannot be read or do not fit each other */
  constructor({ upstream, limits, streamsPerConnectionMaxCount: streamsMaxCount }: AdsClientOptions) {
    quietGrpc();
    this.#upstream = upstream;
    this.#name = `upstream ${formatAddress(upstream.address)}`;
    this.#connections = new Connections({
      ...{ name: this.#name, upstream, messageMaxBytes: limits.messageMaxBytes },
      streamsMaxCount: streamsMaxCount ?? STREAMS_PER_CONNECTION_MAX_COUNT,
    });
    if (upstream.tls) readTlsFiles(upstream.tls);
  }

  /** `signal` also cancels the stream that is there. */
  readonly connect: ConnectUpstream = async ({ protocol, metadata, signal }) => {
    signal.throwIfAborted();
    const headers = this.#headers(metadata);
    const connection = this.#connections.take(this.#material());
    let stream: UpstreamGrpcStream;
    try {
      if (!(await connection.established(signal))) throw await this.#whyNot(connection);
      signal.throwIfAborted();
      const call = connection.client.makeBidiStreamRequest(METHOD_PATHS[protocol], requestBytes, asIs, headers);
      stream = new UpstreamGrpcStream(call, protocol, this.#name);
    } catch (error) {
      this.#connections.release(connection, { usable: false });
      throw error;
    }
    this.#streams.add(stream);
    const cancel = (): void => {
      stream.cancel();
    };
    signal.addEventListener("abort", cancel, { once: true });
    void stream.ended.then(() => {
      signal.removeEventListener("abort", cancel);
      this.#streams.delete(stream);
      this.#connections.release(connection, { usable: true });
    });
    return stream;
  };

  async close(): Promise<void> {
    const streams = [...this.#streams];
    for (const stream of streams) stream.cancel();
    await Promise.all(streams.map(({ ended }) => ended));
    this.#connections.close();
  }

  #headers(given: Readonly<Record<string, string>>): Metadata {
    const metadata = new Metadata();
    const { token } = this.#upstream;
    if (token !== undefined) metadata.set("authorization", `Bearer ${readToken(token)}`);
    for (const [name, value] of Object.entries(given)) metadata.set(name, value);
    return metadata;
  }

  #material(): TlsMaterial | undefined {
    const { tls } = this.#upstream;
    if (tls === undefined) return undefined;
    try {
      return readTlsFiles(tls);
    } catch (cause) {
      if (!(cause instanceof ConfigError)) throw cause;
      throw new UpstreamError("LOGIN", `the TLS files for ${this.#name}: ${cause.message}`, { cause });
    }
  }

  /** The channel does not tell why it failed; a call that fails on it does. */
  #whyNot({ client }: Connection): Promise<UpstreamError> {
    const options = { deadline: Date.now() + WHY_MAX_MS };
    const call = client.makeBidiStreamRequest(METHOD_PATHS.sotw, requestBytes, asIs, new Metadata(), options);
    return new Promise((resolve) => {
      call.on("error", (error: ServiceError) => {
        resolve(upstreamError(error, this.#name));
      });
      call.on("metadata", () => {
        call.cancel();
      });
    });
  }
}

const WHY_MAX_MS = 1_000;

function asIs(message: Buffer): Buffer {
  return message;
}

/** The content never gets into a message. */
function readToken(path: string): string {
  let token: string;
  try {
    token = readFileSync(path, "utf8").trim();
  } catch (cause) {
    throw new UpstreamError("LOGIN", `the token file ${path} cannot be read`, { cause });
  }
  if (TOKEN.test(token)) return token;
  throw new UpstreamError("LOGIN", `the token file ${path} holds something else than one token`);
}
