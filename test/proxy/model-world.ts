/** One node's proxy between an istiod and an Envoy that do whatever they are told, and everything that must hold meanwhile. */
import { expect } from "vitest";
import { readConfiguration } from "../../xds-proxy/src/owner/bundle.ts";
import { Inspection, type InspectionResult } from "../../xds-proxy/src/proxy/check/inspection.ts";
import { KeptForms } from "../../xds-proxy/src/proxy/check/kept-forms.ts";
import { Trust, type NamespaceKeeper } from "../../xds-proxy/src/proxy/check/trust.ts";
import { Relay, type RelayEffect } from "../../xds-proxy/src/xds/relay.ts";
import { NO_REQUEST, type Request } from "../../xds-proxy/src/xds/request.ts";
import type { Resource } from "../../xds-proxy/src/xds/resource.ts";
import { readResponse, writeResponse, type Response } from "../../xds-proxy/src/xds/response.ts";
import { EXTENSION, LISTENER, TYPES, type Protocol } from "../../xds-proxy/src/xds/type-url.ts";
import { Files } from "./inspection-stage.ts";
import { EXT, listenerOf, readExtension } from "./istiod-resources.ts";
import { NAMESPACES, POOL_START_MS, type Namespace, type Part, type Pool } from "./model-pool.ts";
import { wireResponse } from "./wire-response.ts";

export const INBOUND: Readonly<Record<"good" | "bad", Uint8Array>> = {
  good: listenerOf("inbound", 8080, [EXT]),
  bad: listenerOf("inbound", 8080, []),
};
const OTHER = listenerOf("other", 9090, []);
export const HOUR_MS = 3_600_000;
const SKEW_MS = 60_000;

/** Both halves of a store. */
export interface Keeper extends NamespaceKeeper {
  accepted(node: string, typeUrl: string): readonly Resource[];
  keepAccepted(node: string, typeUrl: string, resources: readonly Resource[]): void;
}

/** What an owner's statements must be by now, and no more than that. */
interface Known {
  readonly age: number;
  readonly iatMaxMs: number;
}

export class World {
  readonly protocol: Protocol;
  readonly pool: Pool;
  readonly keeper: () => Keeper;
  nowMs: number = POOL_START_MS + 11 * HOUR_MS;
  readonly known: Map<Namespace, Known> = new Map<Namespace, Known>();
  isOpen: boolean = false;
  /** Not answered by Envoy, oldest first. */
  pending: { readonly typeUrl: string; readonly nonce: string; readonly response: Response }[] = [];
  readonly #offered: Readonly<Record<Namespace, Set<number>>> = { "team-a": new Set(), "istio-system": new Set() };
  readonly #files = new Files();
  #trust!: Trust;
  #relay!: Relay;
  #inspection!: Inspection;
  #kept!: KeptForms;
  #said = new Set<string>();
  /** Nonces that istiod waits for, by type. */
  #owed = new Map<string, string[]>();
  /** What Envoy runs. */
  #envoy = new Map<string, Map<string, Uint8Array>>();
  #changed: string[] = [];
  #nonce = 0;

  constructor(protocol: Protocol, pool: Pool, keeper: () => Keeper) {
    this.protocol = protocol;
    this.pool = pool;
    this.keeper = keeper;
    this.restart();
  }

  /** Another process with the same disk. */
  restart(): void {
    this.#trust = new Trust({ pin: this.pool.pin, keeper: this.keeper(), nowMs: () => this.nowMs });
    this.#trust.onChange((ns) => this.#changed.push(ns));
    this.reconnect();
    this.#checkTrust();
  }

  /** Envoy opens another stream, with what it has. */
  reconnect(): void {
    const { protocol } = this;
    const relay = (this.#relay = new Relay(protocol));
    const wants = (typeUrl: string, name: string): boolean => relay.subscription(typeUrl)?.wants(name) === true;
    this.#inspection = new Inspection({
      ...{ protocol, trust: this.#trust, files: this.#files, namespace: "team-a", labels: {}, isStale: () => false },
      accepted: (typeUrl) => relay.known(typeUrl).accepted,
      kept: (typeUrl) => this.#kept.of(typeUrl),
      initial: (typeUrl) => relay.known(typeUrl).initial,
      ...{ wants },
    });
    const originOf = (resource: Resource): Resource => this.#inspection.originOf(resource);
    this.#kept = new KeptForms({ node: "node", relay, keeper: this.keeper(), originOf });
    this.pending = [];
    this.#owed = new Map();
    this.isOpen = false;
    this.#said = new Set();
    for (const typeUrl of [LISTENER, EXTENSION]) this.#ask(typeUrl);
  }

  #ask(typeUrl: string): void {
    const names = typeUrl === EXTENSION ? [EXT] : [];
    const has = [...(this.#envoy.get(typeUrl)?.keys() ?? [])];
    const request =
      this.protocol === "sotw"
        ? { ...NO_REQUEST, typeUrl, names }
        : {
            ...NO_REQUEST,
            typeUrl,
            subscribe: names,
            initialVersions: Object.fromEntries(has.map((name) => [name, "0"])),
          };
    this.#apply(this.#relay.handle({ kind: "request", request }));
  }

  open(): void {
    this.isOpen = true;
    this.#owed = new Map();
    const effects = this.#relay.handle({ kind: "upstream-open" });
    expect(effects.map(({ kind }) => kind)).toEqual(["upstream", "upstream"]);
    this.#apply(effects);
  }

  close(): void {
    this.isOpen = false;
    this.#apply(this.#relay.handle({ kind: "upstream-closed" }));
  }

  /** istiod says what the extension is. */
  async pushExtension(parts: Readonly<Record<Namespace, Part>>): Promise<void> {
    for (const ns of NAMESPACES) this.#expect(ns, parts[ns]);
    await this.#push(EXTENSION, { [EXT]: this.pool.extension(parts) });
    this.#checkTrust();
  }

  async pushListeners(inbound: "good" | "bad" | "absent", isOther: boolean): Promise<void> {
    const contents = { ...(inbound !== "absent" && { inbound: INBOUND[inbound] }), ...(isOther && { other: OTHER }) };
    const removed = ["inbound", "other"].filter((name) => !Object.hasOwn(contents, name));
    await this.#push(LISTENER, contents, this.protocol === "delta" ? removed : []);
    this.#checkTrust();
  }

  /** Envoy's word on the oldest response of this type. */
  answer(typeUrl: string, error?: string): void {
    const index = this.pending.findIndex((one) => one.typeUrl === typeUrl);
    const [one] = this.pending.splice(index, 1);
    if (one === undefined) throw new Error("nothing to answer");
    if (error === undefined) this.#install(one.response);
    const names = typeUrl === EXTENSION && this.protocol === "sotw" ? [EXT] : [];
    const request = { ...NO_REQUEST, typeUrl, nonce: one.nonce, names, ...(error !== undefined && { error }) };
    this.#apply(this.#relay.handle({ kind: "request", request }));
    this.#checkEnvoy();
  }

  /** What is kept, for types that nobody has served. */
  async serveKept(): Promise<void> {
    for (const { typeUrl, acceptedCount, pendingCount } of this.#relay.views) {
      const kept = [...this.#kept.stored(typeUrl).values()];
      if (acceptedCount + pendingCount === 0 && kept.length > 0)
        this.#offer(await this.#inspection.offer(typeUrl, kept));
    }
    await this.#judgeAgain();
    this.#checkTrust();
  }

  /** At the end: everything is answered, and istiod waits for nothing. */
  finish(): void {
    while (this.pending[0]) this.answer(this.pending[0].typeUrl);
    expect(this.#relay.pendingCount).toBe(0);
    if (this.isOpen) expect([...this.#owed.values()].flat()).toEqual([]);
    this.#checkTrust();
  }

  async #push(
    typeUrl: string,
    contents: Readonly<Record<string, Uint8Array>>,
    removed: readonly string[] = [],
  ): Promise<void> {
    const nonce = `i${++this.#nonce}`;
    const bytes = wireResponse({ protocol: this.protocol, typeUrl, nonce, contents, removed });
    const inspected = await this.#inspection.inspect(readResponse(bytes, this.protocol));
    this.#owed.set(typeUrl, [...(this.#owed.get(typeUrl) ?? []), nonce]);
    const before = this.#answers();
    this.#apply(this.#relay.handle({ kind: "response", inspected }));
    // Not before Envoy has answered.
    if (inspected.delivery) expect(this.#answers()).toEqual(before);
    await this.#judgeAgain();
  }

  #answers(): readonly (readonly string[])[] {
    return [...this.#owed.values()].map((owed) => [...owed]);
  }

  async #judgeAgain(): Promise<void> {
    if (this.#changed.length === 0) return;
    this.#changed = [];
    for (const typeUrl of this.#inspection.judgedTypes) this.#offer(await this.#inspection.again(typeUrl));
  }

  #offer(held: InspectionResult | undefined): void {
    if (held?.delivery) this.#apply(this.#relay.handle({ kind: "offer", delivery: held.delivery }));
  }

  #apply(effects: readonly RelayEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === "upstream") this.#heard(effect.request);
      else if (effect.kind === "downstream") this.#sent(effect.response);
      else if (effect.kind === "accepted") this.#kept.keep(effect.typeUrl, effect);
    }
  }

  /** One answer for each response, in their order, and nothing that is none. */
  #heard({ typeUrl, nonce }: Request): void {
    expect(this.isOpen).toBe(true);
    if (nonce === "") {
      expect(this.#said.has(typeUrl)).toBe(false);
      return;
    }
    expect(this.#owed.get(typeUrl)?.shift()).toBe(nonce);
  }

  #sent(response: Response): void {
    const read = readResponse(writeResponse(response, this.protocol), this.protocol);
    this.pending.push({ typeUrl: read.typeUrl, nonce: read.nonce, response: read });
    const names = read.resources.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const resource of read.resources) this.#checkDelivered(resource);
    if (read.typeUrl !== LISTENER) return;
    // A closed one may be taken away: a port without a listener refuses as well.
    if (Buffer.compare(this.#envoy.get(LISTENER)?.get("inbound") ?? new Uint8Array(), INBOUND.good) !== 0) return;
    // Before its owner was heard, nobody has said that it must stay.
    if (!this.known.has("team-a")) return;
    expect(read.removed).not.toContain("inbound");
    if (this.protocol === "sotw") expect(names).toContain("inbound");
  }

  /** Never a mixture, never older than what is known, never a listener without the filter. */
  #checkDelivered({ typeUrl, name, value }: Resource): void {
    if (typeUrl === LISTENER && name === "inbound") expect(Buffer.compare(value, INBOUND.bad)).not.toBe(0);
    const text = typeUrl === EXTENSION ? readExtension(value).text : undefined;
    if (text === undefined) return;
    const { sets } = readConfiguration(JSON.parse(text) as Record<string, unknown>, "delivered");
    const ages = new Map(sets.map((bundle) => [this.pool.ageOf(bundle)?.ns, this.pool.ageOf(bundle)?.age]));
    const believed = NAMESPACES.flatMap((ns) =>
      this.#ageOf(ns) === undefined ? [] : [[ns, this.#ageOf(ns)] as const],
    );
    expect(ages).toEqual(new Map(believed));
  }

  #install({ typeUrl, resources, removed }: Response): void {
    const isWhole = this.protocol === "sotw" && TYPES.get(typeUrl)?.fullState === true;
    const has = (isWhole ? undefined : this.#envoy.get(typeUrl)) ?? new Map<string, Uint8Array>();
    for (const { name, value } of resources) has.set(name, value);
    for (const name of removed) has.delete(name);
    this.#envoy.set(typeUrl, has);
  }

  #checkEnvoy(): void {
    const accepted = [...this.#relay.known(LISTENER).accepted].map(([name, { value }]) => [name, value] as const);
    const has = this.#envoy.get(LISTENER) ?? new Map<string, Uint8Array>();
    for (const [name, value] of accepted) expect(has.get(name)).toEqual(value);
  }

  /** The reference: what is good, in time and not older than what is known is believed, nothing else. */
  #expect(ns: Namespace, part: Part): void {
    if (part.kind !== "good") return;
    this.#offered[ns].add(part.age);
    if (this.#isDue(ns, part.age)) this.#learn(ns, part.age);
  }

  #isDue(ns: Namespace, age: number): boolean {
    const aged = this.pool.ages[ns][age];
    const known = this.known.get(ns);
    if (aged === undefined || age < (known?.age ?? 0) || aged.signedMs > this.nowMs + SKEW_MS) return false;
    return aged.freshUntilMs + SKEW_MS > Math.max(this.nowMs, known?.iatMaxMs ?? 0);
  }

  #learn(ns: Namespace, age: number): void {
    const signedMs = this.pool.ages[ns][age]?.signedMs ?? 0;
    this.known.set(ns, { age, iatMaxMs: Math.max(signedMs, this.known.get(ns)?.iatMaxMs ?? 0) });
  }

  #ageOf(ns: Namespace): number | undefined {
    const bundle = this.#trust.known(ns)?.bundle;
    return bundle && this.pool.ageOf(bundle)?.age;
  }

  /** What was sent before its time may be believed later, when it is read again. */
  #catchUp(): void {
    for (const ns of NAMESPACES) {
      const age = this.#ageOf(ns);
      if (age === undefined || age === this.known.get(ns)?.age) continue;
      expect([this.#offered[ns].has(age), this.#isDue(ns, age)]).toEqual([true, true]);
      this.#learn(ns, age);
    }
  }

  #checkTrust(): void {
    this.#catchUp();
    const believed = NAMESPACES.map((ns) => this.#ageOf(ns));
    expect(believed).toEqual(NAMESPACES.map((ns) => this.known.get(ns)?.age));
    const onDisk = this.keeper().namespaces();
    expect(NAMESPACES.map((ns) => onDisk.get(ns)?.bundle)).toEqual(
      NAMESPACES.map((ns) => this.#trust.known(ns)?.bundle),
    );
  }
}
