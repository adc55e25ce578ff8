/**
 * One client's ADS stream between two servers' halves: what the client says goes up, what was found good comes down, and
 * every response of the server gets exactly one answer, after the client's own. Data in, effects out: nothing here waits,
 * reads a clock or touches a socket. Nonces downstream are the relay's own; versions are the server's.
 */
import { NO_REQUEST, type Request } from "./request.ts";
import type { Resource } from "./resource.ts";
import { withNonce, type Response } from "./response.ts";
import { Subscription } from "./subscription.ts";
import { TYPES, type Protocol } from "./type-url.ts";

/** A response of the server, after it was looked at. */
export interface Inspected {
  readonly typeUrl: string;
  /** As the server gave them. */
  readonly version: string;
  readonly nonce: string;
  /** What the client gets; absent where the response is withheld. */
  readonly delivery?: Omit<Response, "nonce">;
  /** What the server is told when not all of it was good. */
  readonly refusal?: string;
}

export type RelayEvent =
  | { readonly kind: "request"; readonly request: Request }
  | { readonly kind: "upstream-open" }
  | { readonly kind: "upstream-closed" }
  | { readonly kind: "response"; readonly inspected: Inspected }
  /** A response that no server asks an answer for: kept from before, or decided anew. */
  | { readonly kind: "offer"; readonly delivery: Omit<Response, "nonce"> };

export type RelayEffect =
  | { readonly kind: "upstream"; readonly request: Request }
  | { readonly kind: "downstream"; readonly response: Response }
  /** What the client has of a type now. */
  | {
      readonly kind: "accepted";
      readonly typeUrl: string;
      readonly version: string;
      readonly resources: ReadonlyMap<string, Resource>;
      /** What it has no more, as the response said. */
      readonly removed: readonly string[];
    }
  | { readonly kind: "rejected"; readonly typeUrl: string; readonly version: string; readonly error: string }
  | { readonly kind: "ignored"; readonly typeUrl: string; readonly why: "stale-nonce" | "not-subscribed" };

/** A response whose answer is owed. */
interface Sent {
  /** Ours; empty for a response that the client does not get. */
  readonly nonce: string;
  readonly version: string;
  readonly delivery: Omit<Response, "nonce"> | undefined;
  readonly lengthBytes: number;
  /** The server's; undefined where it waits for no answer, or not any more. */
  upstreamNonce: string | undefined;
  refusal: string | undefined;
  answered: boolean;
}

interface TypeState {
  readonly subscription: Subscription;
  readonly sent: Sent[];
  /** The server's last version that was found good and taken. */
  version: string;
  /** Of the last response that the server got an answer for, on its present stream. */
  upstreamNonce: string;
  readonly accepted: Map<string, Resource>;
  /** What the client may have and the server was not told of, until its first response on a stream (delta). */
  initial: readonly string[];
  /** Whether the server has sent something of the type on its present stream. */
  isHeard: boolean;
  lastNonce: string;
}

export interface TypeView {
  readonly typeUrl: string;
  readonly all: boolean;
  readonly names: readonly string[];
  readonly version: string;
  readonly pendingCount: number;
  readonly acceptedCount: number;
}

export class Relay {
  readonly #protocol: Protocol;
  readonly #types = new Map<string, TypeState>();
  #isOpen = false;
  #lastNonce = 0;

  constructor(protocol: Protocol) {
    this.#protocol = protocol;
  }

  /** Responses that the client owes an answer. */
  get pendingCount(): number {
    let count = 0;
    for (const { sent } of this.#types.values()) count += sent.length;
    return count;
  }

  /** Of the resources in them. */
  get pendingBytes(): number {
    let bytes = 0;
    for (const { sent } of this.#types.values()) for (const { lengthBytes } of sent) bytes += lengthBytes;
    return bytes;
  }

  /** In the order in which the client asked for them. */
  get views(): readonly TypeView[] {
    return [...this.#types].map(([typeUrl, { subscription, version, sent, accepted }]) => ({
      ...{ typeUrl, version, all: subscription.all, names: [...subscription.names] },
      ...{ pendingCount: sent.length, acceptedCount: accepted.size },
    }));
  }

  isSubscribed(typeUrl: string): boolean {
    return this.#types.has(typeUrl);
  }

  subscription(typeUrl: string): Subscription | undefined {
    return this.#types.get(typeUrl)?.subscription;
  }

  /** What the client has, and what it said it has before it got anything. */
  known(typeUrl: string): { readonly accepted: ReadonlyMap<string, Resource>; readonly initial: readonly string[] } {
    const type = this.#types.get(typeUrl);
    return { accepted: type?.accepted ?? new Map<string, Resource>(), initial: type?.initial ?? [] };
  }

  handle(event: RelayEvent): readonly RelayEffect[] {
    switch (event.kind) {
      case "request":
        return this.#request(event.request);
      case "upstream-open":
        return this.#open();
      case "upstream-closed":
        this.#close();
        return [];
      case "response":
        return this.#response(event.inspected);
      case "offer":
        return this.#offer(event.delivery);
    }
  }

  #request(request: Request): readonly RelayEffect[] {
    const { typeUrl, nonce } = request;
    const type = this.#types.get(typeUrl);
    if (type === undefined) return this.#subscribe(request);
    const index = nonce === "" ? -1 : type.sent.findIndex((sent) => sent.nonce === nonce);
    if (index < 0 && nonce !== "" && nonce !== type.lastNonce)
      return [{ kind: "ignored", typeUrl, why: "stale-nonce" }];
    const changed = type.subscription.change(request);
    // The client forgets what it stops asking for: should it ask again, the server must not be told that it has it.
    if (changed) prune(type);
    const effects = index < 0 ? [] : this.#answer(typeUrl, type, { index, request });
    const said = effects.some(({ kind }) => kind === "upstream");
    // In delta an answer and a change are two things to say; a state-of-the-world answer carries all names anyway.
    if (changed && this.#isOpen && !(said && this.#protocol === "sotw"))
      effects.push({ kind: "upstream", request: this.#changeOf(type, request) });
    return effects;
  }

  #subscribe(request: Request): readonly RelayEffect[] {
    const { typeUrl } = request;
    const subscription = new Subscription(request, this.#protocol);
    const initial = Object.keys(request.initialVersions);
    const accepted = new Map<string, Resource>();
    const nonces = { version: "", upstreamNonce: "", lastNonce: "" };
    this.#types.set(typeUrl, { subscription, sent: [], accepted, initial, isHeard: false, ...nonces });
    // The client may have more than what we would know of it: the server sends everything, once.
    return this.#isOpen ? [{ kind: "upstream", request: subscription.request(typeUrl, "", {}) }] : [];
  }

  #changeOf(
    { subscription, version, upstreamNonce }: TypeState,
    { typeUrl, subscribe, unsubscribe }: Request,
  ): Request {
    return this.#protocol === "sotw"
      ? { ...NO_REQUEST, typeUrl, version, nonce: upstreamNonce, names: subscription.list() }
      : { ...NO_REQUEST, typeUrl, subscribe, unsubscribe };
  }

  /** The client answers in order; what it passes over, the later answer is for, too. */
  #answer(typeUrl: string, type: TypeState, { index, request }: { index: number; request: Request }): RelayEffect[] {
    const { error } = request;
    const effects: RelayEffect[] = [];
    type.lastNonce = request.nonce;
    for (const sent of type.sent.slice(0, index + 1)) {
      if (sent.answered) continue;
      sent.answered = true;
      if (error === undefined) effects.push(this.#accept(typeUrl, type, sent));
      else {
        sent.refusal = sent.refusal === undefined ? error : `${sent.refusal}; ${error}`;
        effects.push({ kind: "rejected", typeUrl, version: sent.version, error });
      }
    }
    return [...effects, ...this.#settle(typeUrl, type)];
  }

  /** Tells the server what is decided, oldest first. */
  #settle(typeUrl: string, type: TypeState): RelayEffect[] {
    const effects: RelayEffect[] = [];
    while (type.sent[0]?.answered === true) {
      const { upstreamNonce, refusal, version } = type.sent.shift() as Sent;
      if (upstreamNonce === undefined) continue;
      type.upstreamNonce = upstreamNonce;
      if (refusal === undefined) type.version = version;
      // istiod 1.32 ends with a panic when a NACK comes for a type that the stream does not subscribe any more.
      if (!this.#isOpen || type.subscription.empty) continue;
      const answer = { ...NO_REQUEST, typeUrl, nonce: upstreamNonce, ...(refusal !== undefined && { error: refusal }) };
      const request =
        this.#protocol === "sotw" ? { ...answer, version: type.version, names: type.subscription.list() } : answer;
      effects.push({ kind: "upstream", request });
    }
    return effects;
  }

  #open(): readonly RelayEffect[] {
    this.#isOpen = true;
    return [...this.#types]
      .filter(([, { subscription }]) => !subscription.empty)
      .map(([typeUrl, type]) => {
        const told = versionsOf(type);
        type.initial = type.initial.filter((name) => !Object.hasOwn(told, name));
        return { kind: "upstream", request: type.subscription.request(typeUrl, type.version, told) };
      });
  }

  /** Answers are owed to nobody any more; what the client has stays. */
  #close(): void {
    this.#isOpen = false;
    for (const type of this.#types.values()) {
      type.upstreamNonce = "";
      type.isHeard = false;
      for (const sent of type.sent) sent.upstreamNonce = undefined;
    }
  }

  #response({ typeUrl, version, nonce, delivery, refusal }: Inspected): readonly RelayEffect[] {
    const type = this.#types.get(typeUrl);
    if (type === undefined) return [{ kind: "ignored", typeUrl, why: "not-subscribed" }];
    const upstream = { version, upstreamNonce: nonce, refusal };
    if (delivery) {
      type.initial = [];
      type.isHeard = true;
      return [this.#deliver(type, delivery, upstream)];
    }
    type.sent.push({ ...upstream, nonce: "", delivery: undefined, lengthBytes: 0, answered: true });
    return this.#settle(typeUrl, type);
  }

  #offer(delivery: Omit<Response, "nonce">): readonly RelayEffect[] {
    const type = this.#types.get(delivery.typeUrl);
    if (type === undefined) return [{ kind: "ignored", typeUrl: delivery.typeUrl, why: "not-subscribed" }];
    // Before its first response the server takes it that the client has nothing of this; only delta can take it away by name.
    if (!type.isHeard && this.#protocol === "delta") {
      const told = versionsOf(type);
      const untold = delivery.resources.filter(({ name }) => !Object.hasOwn(told, name));
      type.initial = [...new Set([...type.initial, ...untold.map(({ name }) => name)])];
    }
    return [this.#deliver(type, delivery, { version: delivery.version, upstreamNonce: undefined, refusal: undefined })];
  }

  #deliver(
    type: TypeState,
    delivery: Omit<Response, "nonce">,
    upstream: Pick<Sent, "version" | "upstreamNonce" | "refusal">,
  ): RelayEffect {
    const nonce = String(++this.#lastNonce);
    const lengthBytes = delivery.raw?.length ?? delivery.resources.reduce((sum, { any }) => sum + any.length, 0);
    type.sent.push({ ...upstream, nonce, delivery, lengthBytes, answered: false });
    return { kind: "downstream", response: withNonce(delivery, nonce) };
  }

  #accept(typeUrl: string, type: TypeState, { delivery, version }: Sent): RelayEffect {
    const { accepted } = type;
    if (this.#protocol === "sotw" && TYPES.get(typeUrl)?.fullState === true) accepted.clear();
    for (const resource of delivery?.resources ?? []) accepted.set(resource.name, resource);
    for (const name of delivery?.removed ?? []) accepted.delete(name);
    prune(type);
    return { kind: "accepted", typeUrl, version, resources: accepted, removed: delivery?.removed ?? [] };
  }
}

function prune({ accepted, subscription }: TypeState): void {
  for (const name of accepted.keys()) if (!subscription.wants(name)) accepted.delete(name);
}

/** By name, what the client has or is about to have, which may become either: of no version, the server sends it again. */
function versionsOf({ accepted, sent }: TypeState): Readonly<Record<string, string>> {
  const pending = sent.flatMap(({ delivery }) => delivery?.resources ?? []);
  return Object.fromEntries([
    ...[...accepted].map(([name, { version }]) => [name, version] as const),
    ...pending.map(({ name }) => [name, ""] as const),
  ]);
}
