/** All streams of nodes that are open, and how one begins: who is there, may it be here, what serves it. */
import type { ProxyMode } from "../config/proxy-config.ts";
import { codeOf } from "../errors.ts";
import { authenticate, type Requirement } from "../identity/authenticate.ts";
import type { NodeIdentity, Workload } from "../identity/types.ts";
import type { Node } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { failureOf, type NodeStream } from "../grpc/ads-stream.ts";
import { readFirstRequest, type OpenedStream } from "./first-request.ts";
import { LOG_EVENTS, type Logger } from "../log.ts";
import type { ProxyMetrics } from "./metrics.ts";
import { nodeFacts, type NodeFacts } from "./node.ts";
import type { StreamView } from "./view.ts";

/** Serves one node's stream to its end. */
export interface Serving {
  readonly id: string;
  readonly view: StreamView;
  run(): Promise<void>;
}

export interface Arrival extends OpenedStream {
  readonly id: string;
  readonly node: NodeFacts;
  /** As its credentials say, where some are required. */
  readonly workload: Workload | undefined;
  readonly said: Node;
}

export interface SessionsOptions {
  readonly mode: ProxyMode;
  readonly requirement: Requirement;
  readonly log: Logger;
  readonly metrics: ProxyMetrics;
  /** @throws WpgateError when it cannot be served */
  readonly serve: (arrival: Arrival) => Serving;
}

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #open = new Map<string, Serving>();
  readonly #running = new Set<Promise<void>>();
  #lastId = 0;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  get views(): readonly StreamView[] {
    return [...this.#open.values()].map(({ view }) => view);
  }

  /** Takes a stream and serves it to its end. */
  accept(stream: NodeStream): void {
    const running = this.#run(stream).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Resolves when none is left. */
  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Never rejects. */
  async #run(stream: NodeStream): Promise<void> {
    const { log, metrics } = this.#options;
    const id = String(++this.#lastId);
    try {
      const opened = await readFirstRequest(stream);
      if (opened === undefined) {
        stream.end();
        return;
      }
      const arrival = await this.#admit(id, opened);
      if (arrival === undefined) return;
      const serving = this.#options.serve(arrival);
      this.#open.set(id, serving);
      log.info(LOG_EVENTS.streamOpened, {
        stream: id,
        node: arrival.node.id,
        peer: stream.peer.address,
        protocol: stream.protocol,
      });
      await serving.run();
      log.info(LOG_EVENTS.streamEnded, { stream: id, node: arrival.node.id });
    } catch (error) {
      const code = codeOf(error);
      metrics.streamRefused(code);
      log.warn(LOG_EVENTS.streamRefused, { stream: id, peer: stream.peer.address, code, reason: String(error) });
      stream.end(failureOf(error));
    } finally {
      this.#open.delete(id);
    }
  }

  async #admit(id: string, opened: OpenedStream): Promise<Arrival | undefined> {
    const { requirement } = this.#options;
    const { stream, said } = opened;
    const node = nodeFacts(said);
    if ("ok" in node) {
      this.#refuse(id, stream, node);
      return undefined;
    }
    const { identity } = node;
    const isRequired = requirement.mtls || requirement.tokens !== undefined || requirement.namespace !== undefined;
    if (!isRequired) return { ...opened, id, node, workload: undefined };
    if (identity === undefined) {
      this.#refuse(id, stream, {
        code: "NODE",
        reason: "the node is not one of Istio's, whose identity could be compared",
      });
      return undefined;
    }
    const verdict = await this.#authenticate(stream, identity);
    if (verdict.ok) return { ...opened, id, node, workload: verdict.workload };
    this.#refuse(id, stream, verdict);
    return undefined;
  }

  async #authenticate(stream: NodeStream, identity: NodeIdentity): ReturnType<typeof authenticate> {
    return await authenticate(stream.peer, identity, this.#options.requirement);
  }

  #refuse(id: string, stream: NodeStream, { code, reason }: { readonly code: string; readonly reason: string }): void {
    const { log, metrics } = this.#options;
    metrics.streamRefused(code);
    log.warn(LOG_EVENTS.streamRefused, { stream: id, peer: stream.peer.address, code, reason });
    stream.end({ grpcStatus: "PERMISSION_DENIED", message: `${code}: ${reason}` });
  }
}
