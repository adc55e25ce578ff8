/**
 * What is believed of each pinned namespace: the newest verified statements, and the Guards among them. Whatever istiod
 * sends is measured against this; it grows only by statements that verify, and it is on disk before anybody acts on it.
 */
import { digestOf } from "../../crypto/sha256.ts";
import { utf8 } from "../../bytes/octets.ts";
import type { RootDocument } from "../../envelope/documents.ts";
import type { Payload, Recipient, TrustState } from "../../envelope/types.ts";
import { appliesTo, parseGuard } from "../../guard/check.ts";
import type { Guard } from "../../guard/types.ts";
import type { NamespaceBundle } from "../../owner/bundle.ts";
import type { PinFile } from "../../owner/pin.ts";
import { verifyBundle, type GoodBundle, type RefusedBundle } from "../../owner/verify-bundle.ts";

/** `rt` of a Guard's statement. */
const GUARD_TYPE = "wpgate.dev/v1/Guard";
/** Plugin configurations whose verdict is remembered: istiod sends the same one to each Envoy, over and over. */
const REMEMBERED_MAX_COUNT = 64;

/** What of a namespace outlives the process. */
export interface KeptNamespace {
  readonly state: TrustState;
  readonly bundle?: NamespaceBundle;
}

export interface NamespaceKeeper {
  namespaces(): ReadonlyMap<string, KeptNamespace>;
  /** Durable when it returns. */
  keepNamespace(ns: string, kept: KeptNamespace): void;
}

export interface KnownNamespace {
  readonly ns: string;
  readonly state: TrustState;
  readonly bundle: NamespaceBundle;
  readonly root: RootDocument;
  readonly guards: readonly Guard[];
  /** Seconds since 1970. */
  readonly freshExpSec: number;
  readonly expiresAtSec: number;
}

export type PartVerdict = GoodBundle | RefusedBundle;

export interface TrustOptions {
  readonly pin: PinFile;
  readonly keeper: NamespaceKeeper;
  readonly recipient?: Recipient | undefined;
  readonly nowMs: () => number;
}

interface Remembered {
  readonly verdicts: readonly PartVerdict[];
  readonly untilSec: number;
}

export class Trust {
  readonly pin: PinFile;
  readonly recipient: Recipient | undefined;
  readonly #keeper: NamespaceKeeper;
  readonly #nowMs: () => number;
  readonly #known = new Map<string, KnownNamespace>();
  readonly #remembered = new Map<string, Remembered>();
  readonly #listeners = new Set<(ns: string) => void>();

  constructor({ pin, keeper, recipient, nowMs }: TrustOptions) {
    this.pin = pin;
    this.recipient = recipient;
    this.#keeper = keeper;
    this.#nowMs = nowMs;
    for (const [ns, { state, bundle }] of keeper.namespaces()) {
      // It was fresh when it was kept, and is the last that is known whatever time it is now.
      const verdict = bundle && this.#verify(bundle, state.iatMax * 1000);
      if (bundle && verdict?.result === "ok") this.#known.set(ns, knownOf(verdict, bundle));
    }
  }

  /** The pinned namespaces whose statements count for a node of this one. */
  namespacesFor(namespace: string): readonly string[] {
    const { role, roots, rootNamespace } = this.pin;
    // A pin of the other role says who may sign pushes, and asks for no policies.
    if (role !== "policy") return [];
    return [...new Set([namespace, rootNamespace])].filter((ns) => Object.hasOwn(roots, ns));
  }

  known(ns: string): KnownNamespace | undefined {
    return this.#known.get(ns);
  }

  get all(): Iterable<KnownNamespace> {
    return this.#known.values();
  }

  /** Those that bind a node. */
  guardsFor(namespace: string, labels: Readonly<Record<string, string>>): readonly Guard[] {
    const guards = this.namespacesFor(namespace).flatMap((ns) => this.#known.get(ns)?.guards ?? []);
    return guards.filter((guard) => appliesTo(guard, labels));
  }

  /** Calls back after the Guards of a namespace may have changed. Returns what ends that. */
  onChange(listener: (ns: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Judges the parts of a plugin configuration; what is good and new is believed from now on.
   *  @param text - the configuration, to recognise it again */
  consider(text: string, sets: readonly NamespaceBundle[]): readonly PartVerdict[] {
    const key = digestOf(utf8(text));
    const before = this.#remembered.get(key);
    if (
      before &&
      before.untilSec > this.#nowMs() / 1000 &&
      before.verdicts.every((verdict) => this.#isCurrent(verdict))
    )
      return before.verdicts;
    const verdicts = sets.map((bundle) => this.#take(bundle));
    this.#remember(key, {
      verdicts,
      untilSec: Math.min(...verdicts.map((v) => (v.result === "ok" ? v.expiresAtSec : 0))),
    });
    return verdicts;
  }

  #take(bundle: NamespaceBundle): PartVerdict {
    const verdict = this.#verify(bundle, this.#nowMs());
    if (verdict.result !== "ok" || this.#isCurrent(verdict)) return verdict;
    const { ns, state } = verdict;
    this.#keeper.keepNamespace(ns, { state, bundle });
    this.#known.set(ns, knownOf(verdict, bundle));
    for (const listener of this.#listeners) listener(ns);
    return verdict;
  }

  #verify(bundle: NamespaceBundle, nowMs: number): PartVerdict {
    const states = new Map([...this.#keeper.namespaces()].map(([ns, { state }]) => [ns, state]));
    return verifyBundle({ pin: this.pin, bundle, nowMs, states, recipient: this.recipient });
  }

  /** Whether it says what is believed already. */
  #isCurrent(verdict: PartVerdict): boolean {
    if (verdict.result !== "ok") return false;
    const state = this.#known.get(verdict.ns)?.state;
    return state !== undefined && JSON.stringify(state) === JSON.stringify(verdict.state);
  }

  #remember(key: string, remembered: Remembered): void {
    this.#remembered.delete(key);
    this.#remembered.set(key, remembered);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > REMEMBERED_MAX_COUNT && oldest !== undefined) this.#remembered.delete(oldest);
  }
}

function knownOf(
  { ns, state, root, objects, freshExpSec, expiresAtSec }: GoodBundle,
  bundle: NamespaceBundle,
): KnownNamespace {
  return { ns, state, bundle, root, guards: objects.flatMap(guardOf), freshExpSec, expiresAtSec };
}

/** `verifyBundle` refuses a namespace with a Guard that has faults. */
function guardOf({ rt, data }: Payload): readonly Guard[] {
  const guard = rt === GUARD_TYPE ? parseGuard(data).guard : undefined;
  return guard ? [guard] : [];
}
