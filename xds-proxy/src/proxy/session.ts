/**
 * One Envoy's stream: its requests go up, what istiod answers comes down after it was held to what the owners signed. One
 * message after the other, in the order in which they came; whoever is slow holds back the other side, not the memory.
 */
import { VerifyError, WpgateError } from "../errors.ts";
import type { Node } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { Relay, type Inspected, type RelayEffect } from "../xds/relay.ts";
import { readRequest, writeRequest } from "../xds/request.ts";
import type { Resource } from "../xds/resource.ts";
import { readResponse, writeResponse } from "../xds/response.ts";
import { EXTENSION, LISTENER, shortName } from "../xds/type-url.ts";
import type { AdsStream, ConnectUpstream, NodeStream } from "./ads-stream.ts";
import { Inspection, type InspectionResult } from "./inspection.ts";
import { LOG_EVENTS, type Logger } from "./log.ts";
import type { ProxyMetrics } from "./metrics.ts";
import type { NodeFacts } from "./node.ts";
import type { CodeFiles } from "./owner-extension.ts";
import type { ReconnectPolicy } from "./reconnect.ts";
import { printable } from "./refused.ts";
import { scoutStatements } from "./scout.ts";
import type { Trust } from "./trust.ts";
import { UpstreamLoop } from "./upstream-loop.ts";
import type { ProxyMode } from "../config/proxy-config.ts";
import type { RefusalView, StreamView } from "./view.ts";

/** What nodes accepted, over restarts. */
export interface AcceptedKeeper {
  accepted(node: string, typeUrl: string): readonly Resource[];
  keepAccepted(node: string, typeUrl: string, resources: readonly Resource[]): void;
}

/** What all sessions have in common. */
export interface SessionContext {
  readonly mode: ProxyMode;
  readonly trust: Trust;
  readonly files: CodeFiles;
  readonly keeper: AcceptedKeeper;
  readonly recipient?: string | undefined;
  readonly policy: ReconnectPolicy;
  readonly log: Logger;
  readonly metrics: ProxyMetrics;
  readonly nowMs: () => number;
}

export interface SessionOptions {
  readonly id: string;
  readonly stream: NodeStream;
  readonly node: NodeFacts;
  /** The first request, which the caller had to read to know the node. */
  readonly first: Uint8Array;
  /** As the node said it, for upstream. */
  readonly said: Node;
  readonly connect: ConnectUpstream;
  /** Whether no verified word has come for longer than the owners allow. */
  readonly isStale: () => boolean;
}

/** Responses that Envoy has not answered; beyond that istiod has to wait. */
const PENDING_MAX_COUNT = 64;
/** After that, a type for which istiod has sent nothing is served from what is kept. */
const PATIENCE_MS = 3_000;

export class Session {
  readonly id: string;
  readonly node: NodeFacts;
  readonly #context: SessionContext;
  readonly #options: SessionOptions;
  readonly #relay: Relay;
  readonly #inspection: Inspection;
  readonly #upstream: UpstreamLoop;
  readonly #ended = new AbortController();
  readonly #refusals = new Map<string, RefusalView>();
  readonly #kept = new Map<string, ReadonlyMap<string, Resource>>();
  readonly #openedMs: number;
  #lastActivityMs: number;
  #upstreamStream: AdsStream | undefined;
  #saidNode = false;
  #work: Promise<void> = Promise.resolve();
  #answered: (() => void) | undefined;
  #patience: NodeJS.Timeout | undefined;

  constructor(options: SessionOptions, context: SessionContext) {
    const { id, node, stream, connect } = options;
    const { trust, files, recipient, nowMs, policy } = context;
    const { namespace, labels } = node;
    this.id = id;
    this.node = node;
    this.#options = options;
    this.#context = context;
    this.#openedMs = this.#lastActivityMs = nowMs();
    this.#relay = new Relay(stream.protocol);
    this.#inspection = new Inspection({
      ...{ protocol: stream.protocol, trust, files, recipient, namespace, labels, isStale: options.isStale },
      accepted: (typeUrl) => this.#relay.known(typeUrl).accepted,
      kept: (typeUrl) => this.#keptOf(typeUrl),
      initial: (typeUrl) => this.#relay.known(typeUrl).initial,
    });
    this.#upstream = new UpstreamLoop({
      ...{ protocol: stream.protocol, connect, policy, nowMs, metadata: {}, signal: this.#ended.signal },
      onOpen: (opened) => {
        this.#open(opened);
      },
      onMessage: (message) => this.#inOrder(() => this.#received(message)),
      onClosed: (reason, code, waitMs) => {
        this.#closed(reason, code, waitMs);
      },
    });
  }

  get view(): StreamView {
    const { id, node, mode, peer, protocol } = {
      ...this.#context,
      ...this.#options.stream,
      id: this.id,
      node: this.node,
    };
    return {
      ...{ id, nodeId: node.id, namespace: node.namespace, peer: peer.address, protocol, mode },
      ...{ openedMs: this.#openedMs, lastActivityMs: this.#lastActivityMs, upstream: this.#upstream.view },
      types: this.#relay.views.map(({ typeUrl, all, names, ...view }) => {
        const lastRefusal = this.#refusals.get(typeUrl);
        const subscribed = all ? ("*" as const) : names.length;
        return { ...view, typeUrl, short: shortName(typeUrl), subscribed, ...(lastRefusal && { lastRefusal }) };
      }),
    };
  }

  /** Until the node's stream ends. Never rejects. */
  async run(): Promise<void> {
    const { stream, first, node } = this.#options;
    const unwatch = this.#context.trust.onChange((ns) => {
      if (this.#context.trust.namespacesFor(node.namespace).includes(ns)) void this.#inOrder(() => this.#judgeAgain());
    });
    this.#patience = setTimeout(() => void this.#inOrder(() => this.#serveKept()), PATIENCE_MS);
    const upstream = this.#upstream.run();
    try {
      await this.#requested(first);
      for await (const message of stream.messages) await this.#requested(message);
      stream.end();
    } catch (error) {
      stream.end({ grpcStatus: "INVALID_ARGUMENT", message: messageOf(error) });
    } finally {
      unwatch();
      clearTimeout(this.#patience);
      this.#ended.abort();
      this.#answered?.();
      await upstream;
      await this.#work;
    }
  }

  async #requested(message: Uint8Array): Promise<void> {
    this.#lastActivityMs = this.#context.nowMs();
    const read = readRequest(message, this.#options.stream.protocol);
    // Envoy's words about a configuration may quote it, and this one holds a key.
    const isSecret = read.error !== undefined && read.typeUrl === EXTENSION && this.#context.recipient !== undefined;
    const error = isSecret
      ? "Envoy refuses it; its reason is in the log of wpgate proxy"
      : read.error && printable(read.error);
    if (read.error !== undefined) this.#noteNack(read.typeUrl, read.error);
    await this.#apply(
      this.#relay.handle({ kind: "request", request: { ...read, ...(error !== undefined && { error }) } }),
    );
    this.#answered?.();
    if (this.#upstream.view.state === "waiting") await this.#inOrder(() => this.#serveKept());
  }

  #open(stream: AdsStream): void {
    const { log, metrics } = this.#context;
    this.#upstreamStream = stream;
    this.#saidNode = false;
    metrics.upstreamAttempt("connected");
    log.info(LOG_EVENTS.upstreamConnected, { stream: this.id, node: this.node.id });
    void this.#apply(this.#relay.handle({ kind: "upstream-open" }));
  }

  #closed(reason: string, code: string, waitMs: number): void {
    const { log, metrics } = this.#context;
    this.#upstreamStream = undefined;
    metrics.upstreamAttempt(code);
    log.warn(LOG_EVENTS.upstreamLost, { stream: this.id, node: this.node.id, code, reason, retryMs: waitMs });
    void this.#apply(this.#relay.handle({ kind: "upstream-closed" }));
    void this.#inOrder(() => this.#serveKept());
  }

  async #received(message: Uint8Array): Promise<void> {
    const { metrics } = this.#context;
    metrics.bytes("from_upstream", message.length);
    this.#lastActivityMs = this.#context.nowMs();
    const response = readResponse(message, this.#options.stream.protocol);
    const { typeUrl } = response;
    if (!this.#relay.isSubscribed(typeUrl)) {
      metrics.response(typeUrl, "withheld");
      return;
    }
    if (typeUrl === LISTENER) await this.#learnOwners(response.resources);
    const inspected = await this.#inspection.inspect(response);
    await this.#pass(inspected, { kind: "response", inspected });
    while (this.#relay.pendingCount > PENDING_MAX_COUNT && !this.#ended.signal.aborted)
      await new Promise<void>((resolve) => (this.#answered = resolve));
  }

  async #learnOwners(listeners: readonly Resource[]): Promise<void> {
    const { trust } = this.#context;
    const unknown = trust.namespacesFor(this.node.namespace).filter((ns) => trust.known(ns) === undefined);
    if (unknown.length === 0) return;
    const { connect, said, stream } = this.#options;
    await scoutStatements({ connect, protocol: stream.protocol, said, listeners, trust, signal: this.#ended.signal });
  }

  async #judgeAgain(): Promise<void> {
    for (const typeUrl of this.#inspection.judgedTypes) {
      const inspected = await this.#inspection.again(typeUrl);
      if (inspected?.delivery) await this.#pass(inspected, { kind: "offer", delivery: inspected.delivery });
    }
  }

  /** For whatever Envoy asks and nobody has answered. */
  async #serveKept(): Promise<void> {
    for (const { typeUrl, acceptedCount, pendingCount } of this.#relay.views) {
      if (acceptedCount + pendingCount > 0) continue;
      const subscription = this.#relay.subscription(typeUrl);
      const kept = [...this.#stored(typeUrl).values()].filter(({ name }) => subscription?.wants(name) === true);
      if (kept.length === 0) continue;
      const inspected = await this.#inspection.offer(typeUrl, kept);
      if (inspected.delivery) await this.#pass(inspected, { kind: "offer", delivery: inspected.delivery });
    }
  }

  async #pass(
    { typeUrl, refused }: InspectionResult,
    event: { kind: "response"; inspected: Inspected } | { kind: "offer"; delivery: NonNullable<Inspected["delivery"]> },
  ): Promise<void> {
    const { log, metrics, nowMs } = this.#context;
    metrics.response(typeUrl, refused.length === 0 ? "accepted" : "substituted");
    for (const { resource, code, reason, outcome } of refused) {
      metrics.refusal(code);
      this.#refusals.set(typeUrl, { code, resource, reason, atMs: nowMs() });
      const fields = { stream: this.id, node: this.node.id, type: shortName(typeUrl), resource, code, reason, outcome };
      log.warn(LOG_EVENTS.responseRefused, fields);
    }
    await this.#apply(this.#relay.handle(event));
  }

  async #apply(effects: readonly RelayEffect[]): Promise<void> {
    for (const effect of effects) {
      switch (effect.kind) {
        case "upstream":
          await this.#send(effect.request);
          break;
        case "downstream": {
          const bytes = writeResponse(effect.response, this.#options.stream.protocol);
          this.#context.metrics.bytes("to_node", bytes.length);
          await this.#options.stream.write(bytes)?.catch(() => undefined);
          break;
        }
        case "accepted":
          this.#keep(effect.typeUrl, effect.resources);
          break;
        case "rejected":
        case "ignored":
          break;
      }
    }
  }

  async #send(request: Parameters<typeof writeRequest>[0]): Promise<void> {
    const stream = this.#upstreamStream;
    if (stream === undefined) return;
    const { said } = this.#options;
    const bytes = writeRequest(this.#saidNode ? request : { ...request, node: said }, stream.protocol);
    this.#saidNode = true;
    await stream.write(bytes)?.catch(() => undefined);
  }

  #keep(typeUrl: string, resources: ReadonlyMap<string, Resource>): void {
    const origins = [...resources.values()].map((resource) => this.#inspection.originOf(resource));
    this.#kept.delete(typeUrl);
    this.#context.keeper.keepAccepted(this.node.id, typeUrl, origins);
  }

  #keptOf(typeUrl: string): ReadonlyMap<string, Resource> {
    const { accepted } = this.#relay.known(typeUrl);
    if (accepted.size === 0) return this.#stored(typeUrl);
    if (typeUrl !== EXTENSION) return accepted;
    return new Map([...accepted].map(([name, resource]) => [name, this.#inspection.originOf(resource)]));
  }

  #stored(typeUrl: string): ReadonlyMap<string, Resource> {
    const known = this.#kept.get(typeUrl);
    if (known) return known;
    const stored = this.#context.keeper.accepted(this.node.id, typeUrl);
    const byName = new Map(stored.map((resource) => [resource.name, resource]));
    this.#kept.set(typeUrl, byName);
    return byName;
  }

  #noteNack(typeUrl: string, reason: string): void {
    const { log, metrics, nowMs } = this.#context;
    metrics.nack(typeUrl);
    this.#refusals.set(typeUrl, { code: "NACK", resource: "", reason: printable(reason), atMs: nowMs() });
    log.warn(LOG_EVENTS.nodeNack, {
      stream: this.id,
      node: this.node.id,
      type: shortName(typeUrl),
      reason: printable(reason),
    });
  }

  /** One after the other, in the order of asking. */
  #inOrder(task: () => Promise<void>): Promise<void> {
    const done = this.#work.then(() => (this.#ended.signal.aborted ? undefined : task()));
    this.#work = done.catch(() => undefined);
    return done;
  }
}

function messageOf(error: unknown): string {
  return error instanceof VerifyError || error instanceof WpgateError ? error.message : "a bug of wpgate proxy";
}
