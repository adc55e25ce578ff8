/** One push after the other through what stands between an origin and a client, and how long each takes. */
import { until } from "../../xds-proxy/src/demo/until.ts";
import { concat } from "../../xds-proxy/src/bytes/octets.ts";
import { stringField } from "../../xds-proxy/src/bytes/protobuf.ts";
import type { Resource } from "../../xds-proxy/src/xds/resource.ts";
import { writeResponse } from "../../xds-proxy/src/xds/response.ts";
import { CLUSTER, type Protocol } from "../../xds-proxy/src/xds/type-url.ts";
import { AdsClient } from "../proxy/harness/ads-client.ts";
import type { Origin, OriginStream } from "../proxy/harness/origin.ts";

const TIMEOUT_MS = 60_000;
/** Of the nonce in both responses. */
const NONCE_FIELD = 5;

/** A response that waits for its nonce. */
export function pushBody(resources: readonly Resource[], version: string, protocol: Protocol): Uint8Array {
  const versioned = resources.map((resource) => ({ ...resource, version: protocol === "delta" ? version : "" }));
  return writeResponse({ typeUrl: CLUSTER, version, nonce: "", resources: versioned, removed: [] }, protocol);
}

/** A node that is connected to an origin, through whatever. */
export class PushedNode {
  readonly client: AdsClient;
  readonly #stream: OriginStream;
  #pushes = 0;

  private constructor(client: AdsClient, stream: OriginStream) {
    this.client = client;
    this.#stream = stream;
  }

  /** Connects, and waits until the origin knows what the node wants. @param node - its id, which the origin sees */
  static async connect(options: {
    readonly origin: Origin;
    readonly address: string;
    readonly protocol: Protocol;
    readonly nodeId: string;
    readonly namespace: string;
  }): Promise<PushedNode> {
    const { origin, address, protocol, nodeId, namespace } = options;
    const node = { id: nodeId, cluster: "app", metadata: { NAMESPACE: namespace } };
    const before = origin.streams.length;
    const client = AdsClient.connect({ address, protocol, node, keptCount: 1 });
    client.subscribe(CLUSTER);
    const stream = await until({
      what: `the subscription of ${nodeId} at the origin`,
      timeoutMs: TIMEOUT_MS,
      intervalMs: 2,
      context: () => client.ended?.details ?? "the client's stream is open",
      probe: () =>
        origin.streams
          .slice(before)
          .find(({ requests }) => requests[0]?.nodeId === nodeId && requests.some((r) => r.typeUrl === CLUSTER)),
    });
    return new PushedNode(client, stream);
  }

  /** Milliseconds from the first byte out of the origin to the last one at the client; returns after the origin has its answer. */
  async push(body: Uint8Array, resourceCount: number): Promise<number> {
    const nonce = `push-${++this.#pushes}`;
    const message = concat(body, stringField(NONCE_FIELD, nonce));
    const from = this.client.count;
    const startMs = performance.now();
    this.#stream.sendRaw(message);
    const { atMs, resources } = await this.client.response({ from, timeoutMs: TIMEOUT_MS });
    if (resources.length !== resourceCount) throw new Error(`${resources.length} of ${resourceCount} resources came`);
    const { error } = await this.#stream.answer(nonce, { timeoutMs: TIMEOUT_MS });
    if (error !== undefined) throw new Error(`a push is rejected: ${error}`);
    return atMs - startMs;
  }

  close(): void {
    this.client.close();
  }
}
