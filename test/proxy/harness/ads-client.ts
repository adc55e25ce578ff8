/**
 * A client of ADS that asks and answers as Envoy does: one stream for all types, node in the first request only, names
 * repeated in each SotW request, an answer to each response. It decodes no resource, and answers by hand where a test says so.
 */
import { Client, credentials as grpcCredentials, Metadata } from "@grpc/grpc-js";
import type { ChannelCredentials, ClientDuplexStream, StatusObject } from "@grpc/grpc-js";
import { until } from "../../../xds-proxy/src/demo/until.ts";
import { ParseError } from "../../../xds-proxy/src/errors.ts";
import { readResponse, type Response } from "../../../xds-proxy/src/xds/response.ts";
import type { Protocol } from "../../../xds-proxy/src/xds/type-url.ts";
import { ADS_METHODS, UNLIMITED_MESSAGES } from "./ads-method.ts";
import type { Wait } from "./origin.ts";
import { writeRequest, type Node, type Request } from "./request.ts";

export interface AdsClientOptions {
  /** `127.0.0.1:PORT` or `unix:PATH`. */
  readonly address: string;
  readonly protocol: Protocol;
  readonly node: Node;
  readonly credentials?: ChannelCredentials;
  /** Sent with each stream, such as `authorization`. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** What becomes of a response: accepted when absent. `undefined` leaves it to the test, a text rejects it. */
  readonly judge?: (response: Response) => "accept" | { readonly reject: string } | undefined;
  /** Responses that stay readable; the newest 1000 when absent. */
  readonly keptCount?: number;
}

export interface Received extends Response {
  readonly raw: Uint8Array;
  /** When its last byte was here, on the clock of `performance.now()`. */
  readonly atMs: number;
}

interface Subscription {
  names: Set<string>;
  version: string;
  nonce: string;
  /** Of delta: what the client has, version by name. */
  readonly have: Map<string, string>;
}

const KEPT_COUNT = 1000;

export class AdsClient {
  /** The newest ones. */
  readonly responses: Received[] = [];
  /** Messages that are no responses; answered with nothing. */
  readonly unreadable: Uint8Array[] = [];
  /** Set when the stream has ended. */
  ended: StatusObject | undefined;
  readonly #options: AdsClientOptions;
  readonly #client: Client;
  readonly #subscriptions = new Map<string, Subscription>();
  #stream: ClientDuplexStream<Uint8Array, Uint8Array>;
  #nodeSent = false;
  #count = 0;

  private constructor(options: AdsClientOptions) {
    const { address, credentials } = options;
    this.#options = options;
    // A connection of its own, as each Envoy has.
    const channel = { ...UNLIMITED_MESSAGES, "grpc.use_local_subchannel_pool": 1 };
    this.#client = new Client(address, credentials ?? grpcCredentials.createInsecure(), channel);
    this.#stream = this.#open();
  }

  /** The stream opens by itself; an address where nobody listens shows in `ended`. */
  static connect(options: AdsClientOptions): AdsClient {
    return new AdsClient(options);
  }

  /** How many responses have come. */
  get count(): number {
    return this.#count;
  }

  /** Asks for these names of a type as well; for everything when none is given. */
  subscribe(typeUrl: string, ...names: readonly string[]): void {
    const known = this.#subscriptions.get(typeUrl);
    const subscription = known ?? { names: new Set(), version: "", nonce: "", have: new Map<string, string>() };
    for (const name of names) subscription.names.add(name);
    this.#subscriptions.set(typeUrl, subscription);
    const { nonce, version } = subscription;
    const all = [...subscription.names];
    this.request({ typeUrl, ...(this.#isSotw ? { names: all, nonce, version } : { names }) });
  }

  unsubscribe(typeUrl: string, ...names: readonly string[]): void {
    const subscription = this.#subscriptionOf(typeUrl);
    for (const name of names) subscription.names.delete(name);
    const { nonce, version } = subscription;
    const rest = [...subscription.names];
    this.request({ typeUrl, ...(this.#isSotw ? { names: rest, nonce, version } : { unsubscribed: names }) });
  }

  /** Takes a response into use. */
  accept({ typeUrl, nonce, version, resources, removed }: Response): void {
    const subscription = this.#subscriptionOf(typeUrl);
    subscription.nonce = nonce;
    subscription.version = version;
    for (const resource of this.#isSotw ? [] : resources) subscription.have.set(resource.name, resource.version);
    for (const name of removed) subscription.have.delete(name);
    this.request({ typeUrl, nonce, ...(this.#isSotw && { names: [...subscription.names], version }) });
  }

  /** Refuses a response: in SotW the version stays the last one that was accepted. */
  reject({ typeUrl, nonce }: Response, error: string): void {
    const subscription = this.#subscriptionOf(typeUrl);
    subscription.nonce = nonce;
    const { version, names } = subscription;
    this.request({ typeUrl, nonce, error, ...(this.#isSotw && { names: [...names], version }) });
  }

  /** Sends any request; the first one of a stream gets the node unless it names another. */
  request(request: Partial<Request> & { readonly typeUrl: string }): void {
    const node = this.#nodeSent ? undefined : this.#options.node;
    this.#nodeSent = true;
    this.sendRaw(writeRequest({ node, ...request }, this.#options.protocol));
  }

  /** Sends any bytes as one gRPC message. */
  sendRaw(message: Uint8Array): void {
    this.#stream.write(message);
  }

  /** Reads no more, so that the other side feels back-pressure. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** The first kept response that fits, from a count on. Rejects with UpstreamError `TIMEOUT`. */
  async response(
    wait: Wait & { readonly from?: number; readonly fits?: (response: Received) => boolean } = {},
  ): Promise<Received> {
    const { from = 0, fits = () => true, ...rest } = wait;
    return await until({
      what: "a response",
      intervalMs: 2,
      probe: () => this.responses.slice(Math.max(0, from - this.#count + this.responses.length)).find(fits),
      context: () => (this.ended ? `the stream ended: ${this.ended.details}` : `${this.#count} came`),
      ...rest,
    });
  }

  /** A new stream on the same connection, with what an Envoy repeats on one: names, versions, and in delta what it has. */
  reconnect(): void {
    this.#stream.cancel();
    this.ended = undefined;
    this.#nodeSent = false;
    this.#stream = this.#open();
    for (const [typeUrl, { names, version, have }] of this.#subscriptions) {
      this.request({ typeUrl, names: [...names], ...(this.#isSotw ? { version } : { initialVersions: have }) });
    }
  }

  /** Half-closes, as a client does that has nothing more to say. */
  finish(): void {
    this.#stream.end();
  }

  /** Ends stream and connection. */
  close(): void {
    this.#stream.cancel();
    this.#client.close();
  }

  get #isSotw(): boolean {
    return this.#options.protocol === "sotw";
  }

  #open(): ClientDuplexStream<Uint8Array, Uint8Array> {
    const { path, requestSerialize, responseDeserialize } = ADS_METHODS[this.#options.protocol];
    const metadata = new Metadata();
    for (const [key, value] of Object.entries(this.#options.metadata ?? {})) metadata.set(key, value);
    const stream = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata);
    stream.on("data", (raw: Uint8Array) => {
      this.#receive(raw, performance.now());
    });
    stream.on("error", () => undefined);
    stream.on("status", (status: StatusObject) => {
      if (stream === this.#stream) this.ended = status;
    });
    return stream;
  }

  #receive(raw: Uint8Array, atMs: number): void {
    this.#count++;
    const response = readable(raw, this.#options.protocol);
    if (!response) {
      this.unreadable.push(raw);
      return;
    }
    const received = { ...response, raw, atMs };
    this.responses.push(received);
    if (this.responses.length > (this.#options.keptCount ?? KEPT_COUNT)) this.responses.shift();
    const verdict = this.#options.judge ? this.#options.judge(received) : "accept";
    if (verdict === "accept") this.accept(received);
    else if (verdict) this.reject(received, verdict.reject);
  }

  #subscriptionOf(typeUrl: string): Subscription {
    const known = this.#subscriptions.get(typeUrl);
    if (known) return known;
    const made = { names: new Set<string>(), version: "", nonce: "", have: new Map<string, string>() };
    this.#subscriptions.set(typeUrl, made);
    return made;
  }
}

function readable(raw: Uint8Array, protocol: Protocol): Response | undefined {
  try {
    return readResponse(raw, protocol);
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
