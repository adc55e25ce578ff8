/**
 * Whoever sits between a wrapping and an unwrapping proxy: passes ADS streams on, message by message, and does with what comes
 * down whatever a test wants.
 */
import { Client, credentials, Server, ServerCredentials, status } from "@grpc/grpc-js";
import type { ClientDuplexStream, ServerDuplexStream } from "@grpc/grpc-js";
import { until } from "../../../xds-proxy/src/demo/until.ts";
import { UpstreamError } from "../../../xds-proxy/src/errors.ts";
import type { Protocol } from "../../../xds-proxy/src/xds/type-url.ts";
import { ADS_METHODS, UNLIMITED_MESSAGES } from "./ads-method.ts";

type Near = ServerDuplexStream<Uint8Array, Uint8Array>;
type Far = ClientDuplexStream<Uint8Array, Uint8Array>;

/** @returns what is delivered instead, in order */
export type Tamper = (message: Uint8Array, stream: CarriedStream) => readonly Uint8Array[];

export class Carrier {
  address = "";
  /** What becomes of each message from now on. */
  tamper: Tamper = (message) => [message];
  /** Every stream so far, oldest first. */
  readonly streams: CarriedStream[] = [];
  readonly #server = new Server(UNLIMITED_MESSAGES);
  readonly #client: Client;

  private constructor(target: string) {
    this.#client = new Client(target, credentials.createInsecure(), UNLIMITED_MESSAGES);
    const accept = (protocol: Protocol) => (near: Near) => {
      const { path, requestSerialize, responseDeserialize } = ADS_METHODS[protocol];
      const far = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, near.metadata);
      this.streams.push(new CarriedStream(near, far, (message, stream) => this.tamper(message, stream)));
    };
    this.#server.addService(ADS_METHODS, { sotw: accept("sotw"), delta: accept("delta") });
  }

  /** @param target - where the wrapping proxy listens, for gRPC */
  static async start(target: string): Promise<Carrier> {
    const carrier = new Carrier(target);
    const port = await new Promise<number>((resolve, reject) => {
      carrier.#server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(new UpstreamError("UNAVAILABLE", "the carrier cannot listen", { cause: error }));
      });
    });
    carrier.address = `127.0.0.1:${port}`;
    return carrier;
  }

  /** Stream number `count`, from 1. */
  async stream(count = 1): Promise<CarriedStream> {
    return await until({ what: `stream ${count} at the carrier`, probe: () => this.streams[count - 1] });
  }

  stop(): void {
    this.#server.forceShutdown();
    this.#client.close();
  }
}

export class CarriedStream {
  /** Everything that came down, as it came. */
  readonly seen: Uint8Array[] = [];
  /** The receiver's session nonce. */
  readonly sid: string;
  readonly #near: Near;

  constructor(near: Near, far: Far, tamper: Tamper) {
    const [sid] = near.metadata.get("wpgate-sid");
    this.sid = String(sid);
    this.#near = near;
    near.on("data", (message: Uint8Array) => far.write(message));
    near.on("end", () => {
      far.end();
    });
    near.on("cancelled", () => {
      far.cancel();
    });
    near.on("error", () => undefined);
    far.on("data", (message: Uint8Array) => {
      this.seen.push(message);
      for (const one of tamper(message, this)) near.write(one);
    });
    far.on("error", () => undefined);
    far.on("status", ({ code, details }: { code: status; details: string }) => {
      if (code === status.OK) near.end();
      else near.emit("error", { code, details });
    });
  }

  /** Delivers any bytes as one message. */
  inject(message: Uint8Array): void {
    this.#near.write(message);
  }
}
