/** A server below gRPC, on HTTP/2 itself: for frames that a gRPC library would not send. Plaintext on a loopback port. */
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import { gzipSync } from "node:zlib";
import { bytesField } from "../../../xds-proxy/src/bytes/protobuf.ts";
import { until } from "../../../xds-proxy/src/demo/until.ts";

export interface BrokenOriginOptions {
  /** Announced in the response's headers, such as `gzip`. */
  readonly encoding?: string;
}

export class BrokenOrigin {
  port = 0;
  /** Every stream so far, oldest first; its response headers have been sent. */
  readonly streams: ServerHttp2Stream[] = [];
  readonly #server: Http2Server = createServer();
  readonly #sessions = new Set<ServerHttp2Session>();

  private constructor({ encoding }: BrokenOriginOptions) {
    this.#server.on("session", (session) => {
      this.#sessions.add(session);
      session.on("error", () => undefined);
      session.on("close", () => this.#sessions.delete(session));
    });
    this.#server.on("stream", (stream) => {
      stream.on("error", () => undefined);
      stream.resume();
      const headers = { "content-type": "application/grpc", ...(encoding && { "grpc-encoding": encoding }) };
      stream.respond({ ":status": 200, ...headers }, { waitForTrailers: true });
      stream.on("wantTrailers", () => {
        stream.sendTrailers({ "grpc-status": "0" });
      });
      this.streams.push(stream);
    });
  }

  static async start(options: BrokenOriginOptions = {}): Promise<BrokenOrigin> {
    const origin = new BrokenOrigin(options);
    await new Promise<void>((resolve, reject) => {
      origin.#server.on("error", reject);
      origin.#server.listen(0, "127.0.0.1", resolve);
    });
    const bound = origin.#server.address();
    origin.port = typeof bound === "object" && bound !== null ? bound.port : 0;
    return origin;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Stream number `count`, from 1. */
  async stream(count = 1): Promise<ServerHttp2Stream> {
    return await until({ what: `stream ${count} to the origin`, probe: () => this.streams[count - 1] });
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const session of this.#sessions) session.destroy();
    await closed;
  }
}

/** A gRPC message in its frame (gRPC over HTTP/2, "Length-Prefixed-Message"); the prefix may lie about the length. */
export function grpcFrame(
  message: Uint8Array,
  {
    compressed = false,
    lengthBytes = message.length,
  }: { readonly compressed?: boolean; readonly lengthBytes?: number } = {},
): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt8(compressed ? 1 : 0, 0);
  prefix.writeUInt32BE(lengthBytes, 1);
  return Buffer.concat([prefix, message]);
}

/** A small frame whose message, a response with an unknown field of zeros, is of this size once it is decompressed. */
export function gzipBomb(sizeBytes: number): Buffer {
  return grpcFrame(gzipSync(bytesField(UNKNOWN_FIELD, Buffer.alloc(sizeBytes)), { level: 9 }), { compressed: true });
}

const UNKNOWN_FIELD = 1000;
