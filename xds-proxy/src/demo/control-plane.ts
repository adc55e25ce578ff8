/**
 * A small ADS origin (xDS v3, aggregated, state of the world): it sends what it is given, records how Envoy answers, and
 * believes nothing. It plays the untrusted carrier; a resource may be anything. Subset: no delta, no authentication.
 */
import { create } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { ServerDuplexStream } from "@grpc/grpc-js";
import { UpstreamError } from "../errors.ts";
import { DiscoveryResponseSchema } from "../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import type { DiscoveryRequest, DiscoveryResponse } from "../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import type { Wait } from "./envoy-admin.ts";
import { discoveryMethod } from "./discovery-method.ts";
import { until } from "./until.ts";

/** How Envoy answered one response: `error` is absent in an ACK. */
export interface Answer {
  readonly typeUrl: string;
  readonly version: string;
  readonly nodeId: string;
  readonly error?: string;
}

export interface WaitForAnswer extends Wait {
  /** Any node when absent. */
  readonly nodeId?: string;
}

type Stream = ServerDuplexStream<DiscoveryRequest, DiscoveryResponse>;

interface Subscription {
  /** Empty means all, which is what listeners and clusters are subscribed with. */
  names: readonly string[];
  readonly versionByNonce: Map<string, string>;
}

interface Client {
  readonly stream: Stream;
  nodeId: string;
  readonly subscriptions: Map<string, Subscription>;
}

/** Everything of one type; `version` is that of its last change. */
interface Shelf {
  version: string;
  readonly resources: Map<string, Any>;
}

const SERVICE = {
  StreamAggregatedResources: discoveryMethod(
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
  ),
};

export class ControlPlane {
  readonly #server = new Server();
  readonly #clients = new Set<Client>();
  readonly #shelves = new Map<string, Shelf>();
  readonly #answers: Answer[] = [];
  #port = 0;
  #lastVersion = 0;
  #lastNonce = 0;

  private constructor() {
    this.#server.addService(SERVICE, {
      StreamAggregatedResources: (stream: Stream) => {
        this.#accept(stream);
      },
    });
  }

  /** Listens on a loopback port. */
  static async start(): Promise<ControlPlane> {
    const origin = new ControlPlane();
    origin.#port = await new Promise<number>((resolve, reject) => {
      origin.#server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) resolve(port);
        else reject(new UpstreamError("UNAVAILABLE", "the control plane cannot listen", { cause: error }));
      });
    });
    return origin;
  }

  get port(): number {
    return this.#port;
  }

  /** Every answer so far, oldest first. */
  get answers(): readonly Answer[] {
    return this.#answers;
  }

  /** Adds or replaces a resource and pushes its type to whoever wants it; returns the version, unique over all types. */
  set(typeUrl: string, name: string, resource: Any): string {
    return this.#change(typeUrl, (resources) => resources.set(name, resource));
  }

  /** Leaves a resource out from now on. For listeners and clusters that deletes it in Envoy. */
  remove(typeUrl: string, name: string): string {
    return this.#change(typeUrl, (resources) => resources.delete(name));
  }

  /** @throws UpstreamError `PROTOCOL` when a NACK comes, `TIMEOUT` when nothing does */
  async waitForAck(version: string, wait: WaitForAnswer = {}): Promise<void> {
    const { error } = await this.waitForAnswer(version, wait);
    if (error !== undefined) throw new UpstreamError("PROTOCOL", `Envoy refuses version ${version}: ${error}`);
  }

  /** Returns the NACK's text. @throws UpstreamError `PROTOCOL` when an ACK comes, `TIMEOUT` when nothing does */
  async waitForNack(version: string, wait: WaitForAnswer = {}): Promise<string> {
    const { error } = await this.waitForAnswer(version, wait);
    if (error === undefined) throw new UpstreamError("PROTOCOL", `Envoy accepts version ${version}`);
    return error;
  }

  /** Ends all streams and stops listening. */
  stop(): void {
    this.#server.forceShutdown();
  }

  /** Either answer. Rejects with UpstreamError `TIMEOUT` when none comes. */
  async waitForAnswer(version: string, wait: WaitForAnswer = {}): Promise<Answer> {
    const { nodeId, ...rest } = wait;
    return await until({
      what: `Envoy's answer to version ${version}`,
      intervalMs: 2,
      probe: () => this.#answers.findLast((a) => a.version === version && (nodeId ?? a.nodeId) === a.nodeId),
      ...rest,
    });
  }

  #change(typeUrl: string, edit: (resources: Map<string, Any>) => void): string {
    const shelf = this.#shelves.get(typeUrl) ?? { version: "", resources: new Map<string, Any>() };
    edit(shelf.resources);
    shelf.version = String(++this.#lastVersion);
    this.#shelves.set(typeUrl, shelf);
    for (const client of this.#clients) this.#push(client, typeUrl);
    return shelf.version;
  }

  #accept(stream: Stream): void {
    const client: Client = { stream, nodeId: "", subscriptions: new Map() };
    this.#clients.add(client);
    const forget = (): void => void this.#clients.delete(client);
    stream.on("data", (request: DiscoveryRequest) => {
      this.#receive(client, request);
    });
    stream.on("end", () => {
      forget();
      stream.end();
    });
    stream.on("error", forget);
    stream.on("cancelled", forget);
  }

  #receive(client: Client, request: DiscoveryRequest): void {
    client.nodeId = request.node?.id ?? client.nodeId;
    const known = client.subscriptions.get(request.typeUrl);
    const subscription = known ?? { names: [], versionByNonce: new Map<string, string>() };
    const changed = known === undefined || known.names.join("\n") !== request.resourceNames.join("\n");
    subscription.names = request.resourceNames;
    client.subscriptions.set(request.typeUrl, subscription);
    const version = subscription.versionByNonce.get(request.responseNonce);
    if (version !== undefined) {
      const error = request.errorDetail?.message;
      subscription.versionByNonce.delete(request.responseNonce);
      this.#answers.push({
        typeUrl: request.typeUrl,
        version,
        nodeId: client.nodeId,
        ...(error !== undefined && { error }),
      });
    }
    if (changed) this.#push(client, request.typeUrl);
  }

  /** Sends the whole shelf, or what of it is subscribed by name; nothing while there is nothing to tell. */
  #push(client: Client, typeUrl: string): void {
    const subscription = client.subscriptions.get(typeUrl);
    const shelf = this.#shelves.get(typeUrl);
    if (subscription === undefined || shelf === undefined) return;
    const { names } = subscription;
    const wanted = [...shelf.resources].filter(([name]) => names.length === 0 || names.includes(name));
    if (names.length > 0 && wanted.length === 0) return;
    const nonce = String(++this.#lastNonce);
    subscription.versionByNonce.set(nonce, shelf.version);
    client.stream.write(
      create(DiscoveryResponseSchema, {
        typeUrl,
        nonce,
        versionInfo: shelf.version,
        resources: wanted.map(([, resource]) => resource),
      }),
    );
  }
}
