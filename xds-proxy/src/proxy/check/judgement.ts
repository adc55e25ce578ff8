/**
 * What becomes of one resource: it is good, or its last verified form takes its place, or one that refuses all, or nothing.
 * What is good is what the owners' Guards and statements say, as they are known now.
 */
import { ParseError } from "../../errors.ts";
import { denyAllExtension, denyAllListener, isProtected } from "../../guard/check.ts";
import type { ClusterView } from "../../guard/cluster-view.ts";
import type { Guard, GuardFinding } from "../../guard/types.ts";
import { makeResource, nameOf, type Resource } from "../../xds/resource.ts";
import { CLUSTER, ENDPOINTS, EXTENSION, LISTENER, ROUTES } from "../../xds/type-url.ts";
import { GuardFindings } from "./guard-findings.ts";
import { OwnerExtensions, type OwnerExtensionOptions } from "./owner-extension.ts";
import type { Outcome, Refused } from "./refused.ts";

export interface JudgementOptions extends OwnerExtensionOptions {
  /** Whether no verified word has come for longer than the owners allow: then listeners are closed, good or not. */
  readonly isStale: () => boolean;
  /** What Envoy accepted last of a type, now or in an earlier life, in the form of `originOf`. */
  readonly kept: (typeUrl: string) => ReadonlyMap<string, Resource>;
  /** Where clusters lead, as istiod says now. */
  readonly clusters: () => ClusterView;
}

/** Types whose content is looked at; others pass. */
export const JUDGED: ReadonlySet<string> = new Set([CLUSTER, ENDPOINTS, LISTENER, ROUTES, EXTENSION]);

export interface Judged {
  /** What Envoy gets; absent where it gets nothing. */
  readonly resource?: Resource;
  readonly refused: readonly Refused[];
}

export class Judgement {
  readonly #options: JudgementOptions;
  readonly #extensions: OwnerExtensions;
  readonly #guarded = new GuardFindings();
  /** By the bytes that Envoy gets instead. */
  readonly #origins = new WeakMap<Uint8Array, Resource>();

  constructor(options: JudgementOptions) {
    this.#options = options;
    this.#extensions = new OwnerExtensions(options);
  }

  async judge(typeUrl: string, resource: Resource): Promise<Judged> {
    const lasting = lastingOf(typeUrl, resource);
    return typeUrl === EXTENSION ? await this.#judgeExtension(lasting) : this.#judgeGuarded(typeUrl, lasting);
  }

  /** What speaks against a form of a resource; nothing where there is none. */
  findings(typeUrl: string, form: Resource | undefined): readonly Finding[] {
    if (form === undefined) return [];
    if (typeUrl === LISTENER && this.#options.isStale()) return [STALE];
    if (typeUrl === LISTENER && this.#isUnknown()) return [UNKNOWN_OWNER];
    const guards = this.#guards();
    return guards.length === 0 ? [] : this.#guarded.of(typeUrl, form, guards, this.#options.clusters());
  }

  /** Whether it must not be taken away: it is protected, and good as Envoy has it. */
  mustStay(typeUrl: string, name: string, form: Resource | undefined): boolean {
    const guards = this.#guards();
    if (typeUrl === EXTENSION) return guards.some(({ filter }) => filter.extension === name);
    if (typeUrl !== LISTENER || form === undefined || !isProtected(form.value, guards)) return false;
    return this.findings(LISTENER, form).length === 0;
  }

  /** These are all that there is of a type. */
  forgetOthers(typeUrl: string, all: ReadonlyMap<string, Resource>): void {
    this.#guarded.keepOnly(typeUrl, all);
  }

  /** The form in which a resource is kept: an extension configuration as istiod sent it, before anything was put into it. */
  originOf(resource: Resource): Resource {
    return this.#origins.get(resource.value) ?? resource;
  }

  /** Whether a Guard binds this node. */
  get isGuarded(): boolean {
    return this.#guards().length > 0;
  }

  /** Names of the extension configurations that must be there. */
  get guardedExtensions(): readonly string[] {
    return this.#guards().map(({ filter }) => filter.extension);
  }

  #judgeGuarded(typeUrl: string, resource: Resource): Judged {
    const findings = this.findings(typeUrl, resource);
    if (findings.length === 0) return { resource, refused: [] };
    const kept = this.#options.kept(typeUrl).get(resource.name);
    const isGood = kept !== undefined && this.findings(typeUrl, kept).length === 0;
    const closed = isGood ? kept : this.#closed(typeUrl, resource);
    const outcome: Outcome = isGood ? "kept" : closed ? "denied" : "dropped";
    const refused = findings.map((finding) => refusedOf(typeUrl, resource.name, faultOf(finding), outcome));
    return { ...(closed && { resource: closed }), refused };
  }

  /** A listener of which nothing good is known; other types may be absent. */
  #closed(typeUrl: string, resource: Resource): Resource | undefined {
    const isClosing = this.#options.isStale() || this.#isUnknown() || isProtected(resource.value, this.#guards());
    if (typeUrl !== LISTENER || !isClosing) return undefined;
    return this.#replaced(resource, denyAllListener(resource.value));
  }

  async #judgeExtension(resource: Resource): Promise<Judged> {
    const { name } = resource;
    const { value, faults } = await this.#extensions.judge(name, resource.value);
    if (value) {
      const isSame = faults.length === 0 && Buffer.compare(value, resource.value) === 0;
      const refused = faults.map((fault) => refusedOf(EXTENSION, name, fault, "repaired"));
      return { resource: isSame ? resource : this.#replaced(resource, value), refused };
    }
    const kept = this.#options.kept(EXTENSION).get(name);
    const renewed = kept && (await this.#extensions.judge(name, kept.value)).value;
    const outcome: Outcome = renewed ? "kept" : "denied";
    const refused = faults.map((fault) => refusedOf(EXTENSION, name, fault, outcome));
    if (renewed) return { resource: this.#replaced(kept, renewed), refused };
    // What is to be kept of it is what was good once, and may be again.
    return { resource: this.#replaced(kept ?? resource, denyAllExtension(name)), refused };
  }

  #replaced(origin: Resource, value: Uint8Array): Resource {
    const { name, version, typeUrl } = origin;
    const resource = makeResource({ name, version, typeUrl, value });
    if (typeUrl === EXTENSION) this.#origins.set(resource.value, origin);
    return resource;
  }

  #guards(): readonly Guard[] {
    return this.#options.trust.guardsFor(this.#options.namespace, this.#options.labels);
  }

  /** Whether an owner is pinned here who was never heard of: nothing is known of what must be kept. */
  #isUnknown(): boolean {
    const { trust, namespace } = this.#options;
    return trust.namespacesFor(namespace).some((ns) => trust.known(ns) === undefined);
  }
}

export interface Fault {
  readonly code: string;
  readonly reason: string;
}

export type Finding = GuardFinding | Fault;

const UNKNOWN_OWNER: Fault = {
  code: "no-statements",
  reason: "a namespace is pinned of which no verified statements have come yet",
};
const STALE: Fault = {
  code: "stale",
  reason: "no signed word has come for longer than the root of the mesh allows (onStale: deny)",
};
export const REMOVED: Fault = { code: "removed", reason: "a protected resource was taken away" };

/** Without a time to live, which would take away by the clock what must not be taken away by name. istiod sets none. */
function lastingOf(typeUrl: string, resource: Resource): Resource {
  const isRemovable = typeUrl !== LISTENER && typeUrl !== EXTENSION;
  return isRemovable || resource.expires !== true ? resource : makeResource(resource);
}

function faultOf(finding: Finding): Fault {
  return "clause" in finding ? { code: finding.clause, reason: `${finding.where}: ${finding.reason}` } : finding;
}

export function refusedOf(typeUrl: string, resource: string, { code, reason }: Fault, outcome: Outcome): Refused {
  return { typeUrl, resource, code, reason, outcome };
}

/** A name beside the message counts for subscriptions; the one inside is what Envoy goes by. */
export function isWhatItIsSentAs({ name, value, typeUrl }: Resource, expected: string): boolean {
  if (typeUrl !== expected) return false;
  try {
    return nameOf(value, typeUrl) === name;
  } catch (error) {
    if (error instanceof ParseError) return false;
    throw error;
  }
}
