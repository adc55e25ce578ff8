/**
 * One Envoy's stream: its requests go up, what istiod answers comes down after it was held to what the owners signed. One
 * message after the other, in the order in which they came; whoever is slow holds back the other side, not the memory.
 */
import type { ProxyMode } from "../../config/proxy-config.ts";
import { LimitError } from "../../errors.ts";
import type { Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { Relay, type RelayEffect } from "../../xds/relay.ts";
import { readRequest, writeRequest, type Request } from "../../xds/request.ts";
import type { Resource } from "../../xds/resource.ts";
import { readResponse, responseParts, type Response } from "../../xds/response.ts";
import { EXTENSION, LISTENER, shortName, TYPES } from "../../xds/type-url.ts";
import { failureOf, type AdsStream, type ConnectUpstream, type NodeStream } from "../../grpc/ads-stream.ts";
import { lengthOf } from "../../grpc/frames.ts";
import { Inspection } from "./inspection.ts";
import { KeptForms, type AcceptedKeeper } from "./kept-forms.ts";
import type { Logger } from "../../log.ts";
import type { ProxyMetrics } from "../metrics.ts";
import type { NodeFacts } from "../node.ts";
import type { CodeFiles } from "./owner-extension.ts";
import type { ReconnectPolicy } from "./reconnect.ts";
import { printable } from "./refused.ts";
import { scoutStatements } from "./scout.ts";
import { SessionReport } from "./session-report.ts";
import type { Trust } from "./trust.ts";
import { UpstreamLoop } from "./upstream-loop.ts";
import type { StreamView } from "../view.ts";

/** What all sessions have in common. */
export interface SessionContext {
  readonly mode: ProxyMode;
  readonly trust: Trust;
  readonly files: CodeFiles;
  readonly keeper: AcceptedKeeper;
  readonly recipient?: string | undefined;
  /** Of one type on one stream. */
  readonly resourcesMaxCount: number;
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

/** Responses that Envoy has not answered, and what is in them; beyond that istiod has to wait. */
const PENDING_MAX_COUNT = 64;
const PENDING_MAX_BYTES = 64 * 1024 * 1024;
/** After that, a type for which istiod has sent nothing is served from what is kept. */
const PATIENCE_MS = 3_000;
const STALENESS_POLL_MS = 1_000;

export class Session {
  readonly id: string;
  readonly #context: SessionContext;
  readonly #options: SessionOptions;
  readonly #relay: Relay;
  readonly #inspection: Inspection;
  readonly #kept: KeptForms;
  readonly #upstream: UpstreamLoop;
  readonly #report: SessionReport;
  readonly #ended = new AbortController();
  readonly #openedMs: number;
  #lastActivityMs: number;
  #upstreamStream: AdsStream | undefined;
  #hasSaidNode = false;
  #wasStale = false;
  #work: Promise<void> = Promise.resolve();
  #answered: (() => void) | undefined;
  #patience: NodeJS.Timeout | undefined;

  constructor(options: SessionOptions, context: SessionContext) {
    const { id, node, stream, connect, isStale } = options;
    const { trust, files, keeper, recipient, nowMs, policy, log, metrics } = context;
    const { namespace, labels } = node;
    this.id = id;
    this.#options = options;
    this.#context = context;
    this.#openedMs = this.#lastActivityMs = nowMs();
    this.#report = new SessionReport({ stream: id, node: node.id, log, metrics, nowMs });
    const relay = (this.#relay = new Relay(stream.protocol));
    this.#inspection = new Inspection({
      ...{ protocol: stream.protocol, trust, files, recipient, namespace, labels, isStale },
      accepted: (typeUrl) => relay.known(typeUrl).accepted,
      kept: (typeUrl) => this.#kept.of(typeUrl),
      initial: (typeUrl) => relay.known(typeUrl).initial,
      wants: (typeUrl, name) => relay.subscription(typeUrl)?.wants(name) === true,
    });
    const originOf = (resource: Resource): Resource => this.#inspection.originOf(resource);
    this.#kept = new KeptForms({ node: node.id, relay, keeper, originOf });
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
    const { node, stream, id } = this.#options;
    return {
      ...{ id, nodeId: node.id, namespace: node.namespace, peer: stream.peer.address, protocol: stream.protocol },
      ...{ mode: this.#context.mode, openedMs: this.#openedMs, lastActivityMs: this.#lastActivityMs },
      upstream: this.#upstream.view,
      types: this.#relay.views.map(({ typeUrl, all, names, ...view }) => {
        const lastRefusal = this.#report.lastRefusal(typeUrl);
        const subscribed = all ? ("*" as const) : names.length;
        const subscription = this.#relay.subscription(typeUrl);
        const isWanted = (name: string): boolean => subscription?.wants(name) === true;
        const refusedCount = this.#report.refusedNames(typeUrl).filter(isWanted).length;
        const refusals = { ...(refusedCount > 0 && { refusedCount }), ...(lastRefusal && { lastRefusal }) };
        return { ...view, typeUrl, short: shortName(typeUrl), subscribed, ...refusals };
      }),
    };
  }

  /** Until the node's stream ends. Never rejects. */
  async run(): Promise<void> {
    const { stream, first, node } = this.#options;
    const { trust } = this.#context;
    const unwatch = trust.onChange((ns) => {
      if (trust.namespacesFor(node.namespace).includes(ns)) this.#later(() => this.#judgeAgain());
    });
    const vigil = setInterval(() => {
      this.#watchStaleness();
    }, STALENESS_POLL_MS);
    const upstream = this.#upstream.run();
    try {
      await this.#requested(first);
      for await (const message of stream.messages) await this.#requested(message);
      stream.end();
    } catch (error) {
      this.#report.failed(error);
      stream.end(failureOf(error));
    } finally {
      unwatch();
      clearTimeout(this.#patience);
      clearInterval(vigil);
      this.#ended.abort();
      this.#answered?.();
      await upstream;
      await this.#work;
    }
  }

  async #requested(message: Uint8Array): Promise<void> {
    this.#lastActivityMs = this.#context.nowMs();
    const request = readRequest(message, this.#options.stream.protocol);
    if (request.error !== undefined) this.#report.nack(request.typeUrl, request.error);
    await this.#apply(this.#relay.handle({ kind: "request", request: this.#presentable(request) }));
    this.#answered?.();
    if (this.#upstream.view.state === "waiting") this.#later(() => this.#serveKept());
    else if (this.#isOwing)
      this.#patience ??= setTimeout(() => {
        this.#patience = undefined;
        this.#later(() => this.#serveKept());
      }, PATIENCE_MS);
  }

  /** Envoy's words about a configuration may quote it, and one of them holds a key. */
  #presentable(request: Request): Request {
    const { error, typeUrl } = request;
    if (error === undefined) return request;
    const isSecret = typeUrl === EXTENSION && this.#context.recipient !== undefined;
    return { ...request, error: isSecret ? "Envoy refuses it; why is in the log of wpgate proxy" : printable(error) };
  }

  #open(stream: AdsStream): void {
    this.#upstreamStream = stream;
    this.#hasSaidNode = false;
    this.#report.connected();
    void this.#apply(this.#relay.handle({ kind: "upstream-open" }));
  }

  #closed(reason: string, code: string, waitMs: number): void {
    this.#upstreamStream = undefined;
    this.#report.lost(code, reason, waitMs);
    this.#relay.handle({ kind: "upstream-closed" });
    this.#later(() => this.#serveKept());
  }

  async #received(message: Uint8Array): Promise<void> {
    this.#report.received(message.length);
    this.#lastActivityMs = this.#context.nowMs();
    const response = readResponse(message, this.#options.stream.protocol);
    const { typeUrl } = response;
    if (!this.#relay.isSubscribed(typeUrl)) {
      this.#report.withheld(typeUrl);
      return;
    }
    this.#assertRoom(response);
    if (typeUrl === LISTENER) await this.#learnOwners(response.resources);
    const inspected = await this.#inspection.inspect(response);
    this.#report.inspected(typeUrl, inspected.refused, this.#namesIn(response));
    await this.#apply(this.#relay.handle({ kind: "response", inspected }));
    for (const other of this.#inspection.judgedAfter(typeUrl)) await this.#offer(await this.#inspection.again(other));
    while (this.#isBehind && !this.#ended.signal.aborted)
      await new Promise<void>((resolve) => (this.#answered = resolve));
  }

  /** Undefined for a response that is about all of its type. */
  #namesIn(response: Response): (() => readonly string[]) | undefined {
    const isAll = TYPES.get(response.typeUrl)?.fullState === true && this.#options.stream.protocol === "sotw";
    return isAll ? undefined : () => [...response.resources.map(({ name }) => name), ...response.removed];
  }

  get #isBehind(): boolean {
    return this.#relay.pendingCount > PENDING_MAX_COUNT || this.#relay.pendingBytes > PENDING_MAX_BYTES;
  }

  /** @throws LimitError */
  #assertRoom(response: Response): void {
    const { typeUrl, resourceCount = response.resources.length } = response;
    const { resourcesMaxCount } = this.#context;
    const { accepted } = this.#relay.known(typeUrl);
    const count = this.#options.stream.protocol === "sotw" ? 0 : accepted.size;
    if (count + resourceCount <= resourcesMaxCount) return;
    const more = response.resources.filter(({ name }) => count === 0 || !accepted.has(name)).length;
    if (count + more > resourcesMaxCount)
      throw new LimitError(`more than ${resourcesMaxCount} resources of ${shortName(typeUrl)}`);
  }

  async #learnOwners(listeners: readonly Resource[]): Promise<void> {
    const { trust } = this.#context;
    const { connect, said, stream, node } = this.#options;
    const unknown = trust.namespacesFor(node.namespace).filter((ns) => trust.known(ns) === undefined);
    if (unknown.length === 0) return;
    await scoutStatements({ connect, protocol: stream.protocol, said, listeners, trust, signal: this.#ended.signal });
  }

  async #judgeAgain(): Promise<void> {
    for (const typeUrl of this.#inspection.judgedTypes) await this.#offer(await this.#inspection.again(typeUrl));
  }

  /** Whether something that Envoy asks for has not come, in no form. */
  get #isOwing(): boolean {
    return this.#relay.views.some(({ acceptedCount, pendingCount }) => acceptedCount + pendingCount === 0);
  }

  /** For whatever Envoy asks and nobody has answered. */
  async #serveKept(): Promise<void> {
    for (const { typeUrl, acceptedCount, pendingCount } of this.#relay.views) {
      if (acceptedCount + pendingCount > 0) continue;
      const subscription = this.#relay.subscription(typeUrl);
      const kept = [...this.#kept.stored(typeUrl).values()].filter(({ name }) => subscription?.wants(name) === true);
      if (kept.length > 0) await this.#offer(await this.#inspection.offer(typeUrl, kept));
    }
  }

  async #offer(held: Awaited<ReturnType<Inspection["again"]>>): Promise<void> {
    if (held?.delivery === undefined) return;
    this.#report.inspected(held.typeUrl, held.refused);
    await this.#apply(this.#relay.handle({ kind: "offer", delivery: held.delivery }));
  }

  #watchStaleness(): void {
    const isStale = this.#options.isStale();
    if (isStale !== this.#wasStale) this.#later(() => this.#judgeAgain());
    this.#wasStale = isStale;
  }

  /** Writes all of them at once, so that nothing gets between them, and then waits for whoever is slow. */
  async #apply(effects: readonly RelayEffect[]): Promise<void> {
    const waits = effects.map((effect) => this.#perform(effect));
    // A stream that has ended takes nothing more, and says so elsewhere.
    for (const wait of waits) await wait?.catch(() => undefined);
  }

  #perform(effect: RelayEffect): Promise<void> | undefined {
    const { stream } = this.#options;
    switch (effect.kind) {
      case "upstream":
        return this.#send(effect.request);
      case "downstream": {
        const parts = responseParts(effect.response, stream.protocol);
        this.#report.sent(lengthOf(parts));
        return stream.write(parts);
      }
      case "accepted":
        this.#kept.keep(effect.typeUrl, effect);
        return undefined;
      case "rejected":
      case "ignored":
        return undefined;
    }
  }

  #send(request: Request): Promise<void> | undefined {
    const stream = this.#upstreamStream;
    if (stream === undefined) return undefined;
    const bytes = writeRequest(this.#hasSaidNode ? request : { ...request, node: this.#options.said }, stream.protocol);
    this.#hasSaidNode = true;
    return stream.write(bytes);
  }

  /** What fails then has failed for now: what the node has stays. */
  #later(task: () => Promise<void>): void {
    this.#inOrder(task).catch((error: unknown) => {
      this.#report.failed(error);
    });
  }

  /** One after the other, in the order of asking. */
  #inOrder(task: () => Promise<void>): Promise<void> {
    const done = this.#work.then(() => (this.#ended.signal.aborted ? undefined : task()));
    this.#work = done.catch(() => undefined);
    return done;
  }
}
