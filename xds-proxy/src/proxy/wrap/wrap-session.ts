/**
 * One unwrapping proxy's stream: its requests go to istiod as they are, every response of istiod comes back as one signed
 * push. When one side ends, so does the other; the next stream begins a new session.
 */
import type { RecipientPublic } from "../../envelope/types.ts";
import { codeOf } from "../../errors.ts";
import { readInnerNames } from "../../push/inner-response.ts";
import { PushSession, type PushSessionOptions } from "../../push/push-session.ts";
import { readRequest } from "../../xds/request.ts";
import { shortName } from "../../xds/type-url.ts";
import { failureOf, type AdsStream, type ConnectUpstream, type NodeStream } from "../../grpc/ads-stream.ts";
import { lengthOf } from "../../grpc/frames.ts";
import { LOG_EVENTS, type Logger } from "../../log.ts";
import type { ProxyMetrics } from "../metrics.ts";
import type { NodeFacts } from "../node.ts";
import { printable } from "../check/refused.ts";
import type { WrapRoots } from "./wrap-roots.ts";
import type { StreamView, UpstreamView } from "../view.ts";
import type { ProxyMode } from "../../config/proxy-config.ts";

export interface WrapContext {
  readonly mode: ProxyMode;
  readonly signing: Pick<PushSessionOptions, "signer" | "contact" | "heartbeatSec">;
  readonly roots: WrapRoots;
  readonly log: Logger;
  readonly metrics: ProxyMetrics;
  readonly nowMs: () => number;
}

export interface WrapSessionOptions {
  readonly id: string;
  readonly stream: NodeStream;
  readonly node: NodeFacts;
  readonly first: Uint8Array;
  /** The receiver's session nonce. */
  readonly sid: string;
  readonly recipient?: RecipientPublic | undefined;
  readonly connect: ConnectUpstream;
  /** Who the node is, for upstream. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Of a push: the receiver takes it at once or not at all. */
const TTL_SEC = 300;

export class WrapSession {
  readonly id: string;
  readonly node: NodeFacts;
  readonly #options: WrapSessionOptions;
  readonly #context: WrapContext;
  readonly #push: PushSession;
  readonly #ended = new AbortController();
  /** The last version of each type that was asked for. */
  readonly #types = new Map<string, string>();
  readonly #openedMs: number;
  #upstream: UpstreamView;
  #lastActivityMs: number;
  #rootEp: number;
  #isBeating = false;

  /** @throws ConfigError, UpstreamError */
  constructor(options: WrapSessionOptions, context: WrapContext) {
    const { id, node, stream, sid, recipient } = options;
    const { signing, roots, nowMs } = context;
    this.id = id;
    this.node = node;
    this.#options = options;
    this.#context = context;
    this.#openedMs = this.#lastActivityMs = nowMs();
    this.#upstream = { state: "connecting", sinceMs: nowMs() };
    this.#rootEp = roots.current.root.ep;
    this.#push = new PushSession({
      ...{
        ...signing,
        ...roots.current,
        protocol: stream.protocol,
        node: node.id,
        sid,
        recipient,
        nowMs,
        ttlSec: TTL_SEC,
      },
    });
  }

  get view(): StreamView {
    const { node, id } = this;
    const { peer, protocol } = this.#options.stream;
    return {
      ...{ id, nodeId: node.id, namespace: node.namespace, peer: peer.address, protocol, mode: this.#context.mode },
      ...{ openedMs: this.#openedMs, lastActivityMs: this.#lastActivityMs, upstream: this.#upstream },
      types: [...this.#types].map(([typeUrl, version]) => ({
        ...{ typeUrl, short: shortName(typeUrl), subscribed: "*", version, pendingCount: 0, acceptedCount: 0 },
      })),
    };
  }

  /** Until either side ends. Never rejects. */
  async run(): Promise<void> {
    const { stream, connect, metadata } = this.#options;
    const { metrics, nowMs, signing } = this.#context;
    let upstream: AdsStream | undefined;
    const heart = setInterval(() => void this.#beat(), signing.heartbeatSec * 1000);
    void stream.ended.then(() => {
      this.#ended.abort();
    });
    try {
      await stream.write(await this.#push.announceRoots());
      // It says how often signs of life will come.
      await stream.write(await this.#push.heartbeat());
      upstream = await connect({ protocol: stream.protocol, metadata, signal: this.#ended.signal });
      metrics.upstreamAttempt("connected");
      this.#upstream = { state: "connected", sinceMs: nowMs() };
      const asking = this.#ask(upstream);
      await Promise.race([this.#answer(upstream), asking]);
      stream.end({ grpcStatus: "UNAVAILABLE", message: "the stream of istiod has ended" });
    } catch (error) {
      if (upstream === undefined) metrics.upstreamAttempt(codeOf(error));
      const about = { stream: this.id, node: this.node.id, code: codeOf(error), reason: printable(String(error)) };
      this.#context.log.warn(LOG_EVENTS.upstreamLost, about);
      stream.end(failureOf(error));
    } finally {
      clearInterval(heart);
      this.#ended.abort();
      upstream?.end();
    }
  }

  /** Downstream to upstream, as it comes. */
  async #ask(upstream: AdsStream): Promise<void> {
    const { stream, first } = this.#options;
    await this.#forward(first, upstream);
    for await (const message of stream.messages) await this.#forward(message, upstream);
    upstream.end();
  }

  async #forward(message: Uint8Array, upstream: AdsStream): Promise<void> {
    this.#lastActivityMs = this.#context.nowMs();
    const { typeUrl, error } = readRequest(message, upstream.protocol);
    // istiod 1.32 ends with a panic when a NACK comes for a type that the stream has not subscribed.
    if (!this.#types.has(typeUrl) && error !== undefined) return;
    if (!this.#types.has(typeUrl)) this.#types.set(typeUrl, "");
    await upstream.write(message);
  }

  /** Upstream to downstream, signed. */
  async #answer(upstream: AdsStream): Promise<void> {
    const { stream } = this.#options;
    const { metrics, nowMs } = this.#context;
    for await (const message of upstream.messages) {
      metrics.bytes("from_upstream", message.length);
      this.#upstream = { ...this.#upstream, lastMessageMs: nowMs() };
      const { typeUrl, version } = readInnerNames(message);
      if (!this.#types.has(typeUrl)) continue;
      this.#types.set(typeUrl, version);
      metrics.response(typeUrl, "accepted");
      const outer = await this.#push.pushParts(typeUrl, message);
      metrics.bytes("to_node", lengthOf(outer));
      await stream.write(outer);
    }
  }

  async #beat(): Promise<void> {
    const { stream } = this.#options;
    const { roots } = this.#context;
    // A receiver that does not read has no use for more than one; it would get all of them late.
    if (this.#isBeating) return;
    this.#isBeating = true;
    try {
      if (roots.current.root.ep !== this.#rootEp) {
        this.#rootEp = roots.current.root.ep;
        await stream.write(await this.#push.rotate(roots.current));
      }
      await stream.write(await this.#push.heartbeat());
    } catch (error) {
      stream.end(failureOf(error));
    } finally {
      this.#isBeating = false;
    }
  }
}
