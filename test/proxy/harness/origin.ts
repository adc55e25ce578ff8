/**
 * An ADS origin that a test plays by hand, frame by frame: what it sends is bytes, well-formed or not, and what it gets is
 * recorded. With `serve` it also answers by itself, as a control plane would. Both protocols, a TCP port or a socket.
 */
import { Server, ServerCredentials, status, type ServerDuplexStream } from "@grpc/grpc-js";
import { until } from "../../../xds-proxy/src/demo/until.ts";
import { UpstreamError } from "../../../xds-proxy/src/errors.ts";
import { writeResponse, type Response } from "../../../xds-proxy/src/xds/response.ts";
import type { Resource } from "../../../xds-proxy/src/xds/resource.ts";
import type { Protocol } from "../../../xds-proxy/src/xds/type-url.ts";
import { ADS_METHODS, UNLIMITED_MESSAGES } from "./ads-method.ts";
import { readRequest, type Request } from "./request.ts";
import { Shelf } from "./shelf.ts";

type Call = ServerDuplexStream<Uint8Array, Uint8Array>;

export interface Wait {
  readonly timeoutMs?: number;
}

export interface OriginOptions {
  /** The path of a socket; a loopback port of the kernel's choice when absent. */
  readonly socket?: string;
  /** Such as server certificates; plaintext when absent. */
  readonly credentials?: ServerCredentials;
}

export class Origin {
  /** For gRPC: `127.0.0.1:PORT` or `unix:PATH`. */
  address = "";
  port = 0;
  /** Every stream so far, oldest first. */
  readonly streams: OriginStream[] = [];
  readonly #server = new Server(UNLIMITED_MESSAGES);
  readonly #shelves = new Map<string, Shelf>();
  #versions = 0;

  private constructor() {
    const accept = (protocol: Protocol) => (call: Call) => {
      this.streams.push(new OriginStream({ call, protocol, shelfOf: (typeUrl) => this.#shelves.get(typeUrl) }));
    };
    this.#server.addService(ADS_METHODS, { sotw: accept("sotw"), delta: accept("delta") });
  }

  static async start({ socket, credentials }: OriginOptions = {}): Promise<Origin> {
    const origin = new Origin();
    const address = socket === undefined ? "127.0.0.1:0" : `unix:${socket}`;
    origin.port = await new Promise((resolve, reject) => {
      origin.#server.bindAsync(address, credentials ?? ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) resolve(port);
        else reject(new UpstreamError("UNAVAILABLE", `the origin cannot listen on ${address}`, { cause: error }));
      });
    });
    origin.address = socket === undefined ? `127.0.0.1:${origin.port}` : address;
    return origin;
  }

  /** From now on this is all there is of a type: pushed to whoever is subscribed, given to whoever subscribes.
   *  @returns the version, which is also that of each resource that has changed */
  serve(typeUrl: string, resources: readonly Resource[], version: string = String(++this.#versions)): string {
    const shelf = this.#shelves.get(typeUrl) ?? new Shelf(typeUrl);
    this.#shelves.set(typeUrl, shelf);
    shelf.fill(resources, version);
    for (const stream of this.openStreams) stream.push(typeUrl);
    return version;
  }

  /** Answers nothing for a type any more; what was delivered stays delivered. */
  fallSilent(typeUrl: string): void {
    this.#shelves.delete(typeUrl);
  }

  get openStreams(): readonly OriginStream[] {
    return this.streams.filter(({ open }) => open);
  }

  /** The newest open stream, once there are `count` of them in all. */
  async stream({ count = 1, ...wait }: Wait & { readonly count?: number } = {}): Promise<OriginStream> {
    return await until({
      what: `stream ${count} to the origin`,
      probe: () => (this.streams.length >= count ? this.streams.findLast(({ open }) => open) : undefined),
      ...wait,
    });
  }

  /** Ends all streams at once, without a word. */
  stop(): void {
    this.#server.forceShutdown();
  }
}

export class OriginStream {
  readonly protocol: Protocol;
  /** Metadata that came with the stream, such as `authorization`. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Every request so far, oldest first. */
  readonly requests: Request[] = [];
  open = true;
  readonly #call: Call;
  readonly #shelfOf: (typeUrl: string) => Shelf | undefined;
  readonly #names = new Map<string, readonly string[]>();
  readonly #delivered = new Map<string, Map<string, string>>();
  #nonces = 0;

  constructor(parts: { call: Call; protocol: Protocol; shelfOf: (typeUrl: string) => Shelf | undefined }) {
    const { call, protocol, shelfOf } = parts;
    this.protocol = protocol;
    this.metadata = call.metadata.getMap();
    this.#call = call;
    this.#shelfOf = shelfOf;
    const end = (): void => void (this.open = false);
    call.on("data", (raw: Uint8Array) => {
      this.#receive(readRequest(raw, protocol));
    });
    call.on("end", () => {
      end();
      call.end();
    });
    call.on("cancelled", end);
    call.on("error", end);
  }

  /** Sends a response, with a nonce of its own unless it has one. @returns the nonce */
  send(response: Pick<Response, "typeUrl"> & Partial<Response>): string {
    const { nonce = `n${++this.#nonces}`, version = "", resources = [], removed = [] } = response;
    this.sendRaw(writeResponse({ ...response, nonce, version, resources, removed }, this.protocol));
    return nonce;
  }

  /** Sends any bytes as one gRPC message. @returns false when the peer reads slower than this */
  sendRaw(message: Uint8Array): boolean {
    return this.#call.write(message);
  }

  /** The first request with this nonce. Rejects with UpstreamError `TIMEOUT`. */
  async answer(nonce: string, wait: Wait = {}): Promise<Request> {
    return await until({
      what: `an answer to nonce ${nonce}`,
      intervalMs: 2,
      probe: () => this.answersTo(nonce)[0],
      context: () => `the answers are ${this.requests.map((request) => request.nonce).join()}`,
      ...wait,
    });
  }

  /** Every request with this nonce: more than one where a subscription changed after the answer. */
  answersTo(nonce: string): readonly Request[] {
    return this.requests.filter((request) => request.nonce === nonce);
  }

  /** The first request that subscribes to a type. Rejects with UpstreamError `TIMEOUT`. */
  async subscription(typeUrl: string, wait: Wait = {}): Promise<Request> {
    return await until({
      what: `a subscription to ${typeUrl}`,
      intervalMs: 2,
      probe: () => this.requests.find((request) => request.typeUrl === typeUrl),
      ...wait,
    });
  }

  /** What the shelf holds and this stream wants and does not have; nothing where that is nothing. @returns the nonce */
  push(typeUrl: string): string | undefined {
    const names = this.#names.get(typeUrl);
    const content =
      names &&
      this.#shelfOf(typeUrl)?.contentFor({ names, delivered: this.#deliveredOf(typeUrl), protocol: this.protocol });
    return content && this.send({ typeUrl, ...content });
  }

  /** Ends the stream with a status; UNAVAILABLE when none is named. */
  end(code: number = status.UNAVAILABLE, details = "the origin ends the stream"): void {
    this.open = false;
    this.#call.emit("error", { code, details });
  }

  #receive(request: Request): void {
    this.requests.push(request);
    const { typeUrl } = request;
    const known = this.#names.get(typeUrl);
    const names = this.protocol === "sotw" ? request.names : deltaNames(known ?? [], request);
    this.#names.set(typeUrl, names);
    for (const [name, version] of request.initialVersions) this.#deliveredOf(typeUrl).set(name, version);
    for (const name of request.unsubscribed) this.#deliveredOf(typeUrl).delete(name);
    if (known === undefined || known.join("\n") !== names.join("\n")) this.push(typeUrl);
  }

  #deliveredOf(typeUrl: string): Map<string, string> {
    const delivered = this.#delivered.get(typeUrl) ?? new Map<string, string>();
    this.#delivered.set(typeUrl, delivered);
    return delivered;
  }
}

function deltaNames(known: readonly string[], { names, unsubscribed }: Request): readonly string[] {
  return [...new Set([...known, ...names])].filter((name) => !unsubscribed.includes(name));
}
