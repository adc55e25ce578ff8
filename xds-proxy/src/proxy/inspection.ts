/**
 * Everything that istiod sends to one node, held to what the owners signed. Each resource is judged alone; what fails is
 * replaced by its last verified form, by one that refuses all, or left out, and the rest goes on. Nothing is reordered.
 */
import { ParseError } from "../errors.ts";
import type { Inspected } from "../xds/relay.ts";
import { makeResource, nameOf, type Resource } from "../xds/resource.ts";
import type { Response } from "../xds/response.ts";
import { CLUSTER, ENDPOINTS, EXTENSION, LISTENER, ROUTES, TYPES, type Protocol } from "../xds/type-url.ts";
import {
  checkCluster,
  checkEndpoints,
  checkListener,
  checkRoutes,
  denyAllExtension,
  denyAllListener,
  isProtected,
} from "../guard/check.ts";
import { clusterView, type ClusterView } from "../guard/cluster-view.ts";
import type { Guard, GuardFinding } from "../guard/types.ts";
import { OwnerExtensions, type CodeFiles } from "./owner-extension.ts";
import { refusalText, type Outcome, type Refused } from "./refused.ts";
import type { Trust } from "./trust.ts";

export interface InspectionOptions {
  readonly protocol: Protocol;
  readonly trust: Trust;
  readonly files: CodeFiles;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly recipient?: string | undefined;
  /** Whether no verified word has come for longer than the owners allow: then listeners are closed, good or not. */
  readonly isStale: () => boolean;
  /** What Envoy has of a type on this stream, as it got it. */
  readonly accepted: (typeUrl: string) => ReadonlyMap<string, Resource>;
  /** What Envoy accepted last of a type, now or in an earlier life, in the form of `originOf`. */
  readonly kept: (typeUrl: string) => ReadonlyMap<string, Resource>;
  /** What Envoy says it has before it gets anything (delta). */
  readonly initial: (typeUrl: string) => readonly string[];
}

export interface InspectionResult extends Inspected {
  readonly refused: readonly Refused[];
}

/** What is about a response beside its own resources. */
interface Beside {
  readonly foreign: ReadonlySet<Resource>;
  /** Names that Envoy has and the server does not. */
  readonly leftovers: readonly string[];
}

const NOTHING_ELSE: Beside = { foreign: new Set(), leftovers: [] };
/** Versions of responses that no server has sent. */
const AGAIN = "wpgate-again";
const KEPT = "wpgate-kept";

/** Types whose content is looked at; others pass. */
const JUDGED = new Set([CLUSTER, ENDPOINTS, LISTENER, ROUTES, EXTENSION]);

interface Judged {
  /** What Envoy gets; absent where it gets nothing. */
  readonly resource?: Resource;
  readonly refused: readonly Refused[];
}

export class Inspection {
  readonly #options: InspectionOptions;
  readonly #extensions: OwnerExtensions;
  /** What istiod says now, good or bad, to judge it again when the owners say something else. */
  readonly #latest = new Map<string, Map<string, Resource>>();
  /** What Envoy was sent last, whether it has answered or not. */
  readonly #sent = new Map<string, Map<string, Resource>>();
  /** By the bytes that Envoy gets instead. */
  readonly #origins = new WeakMap<Uint8Array, Resource>();
  #view: ClusterView | undefined;

  constructor(options: InspectionOptions) {
    this.#options = options;
    this.#extensions = new OwnerExtensions(options);
  }

  async inspect(response: Response): Promise<InspectionResult> {
    const foreign = this.#foreign(response);
    this.#note(response, foreign);
    return await this.#hold(response, { foreign, leftovers: this.#leftovers(response) });
  }

  /** What would be sent now if istiod said again what it said last: for what owners have changed since. */
  async again(typeUrl: string): Promise<InspectionResult | undefined> {
    const latest = this.#latest.get(typeUrl);
    if (latest === undefined) return undefined;
    const resources = [...latest.values()];
    const before = new Map(this.#sent.get(typeUrl) ?? this.#options.accepted(typeUrl));
    const held = await this.#hold({ typeUrl, version: AGAIN, nonce: "", resources, removed: [] }, NOTHING_ELSE);
    const { delivery } = held;
    const isSame = delivery && this.#isAll(before, delivery);
    return isSame === true ? undefined : held;
  }

  /** Types whose verdict may have been another one if this one had come first: what leads where is what the clusters say. */
  judgedAfter(typeUrl: string): readonly string[] {
    if (typeUrl !== CLUSTER || this.#guards().length === 0) return [];
    return this.judgedTypes.filter((other) => other !== CLUSTER && other !== EXTENSION);
  }

  /** What was kept from before, under what is known now: for when istiod cannot be asked. */
  async offer(typeUrl: string, resources: readonly Resource[]): Promise<InspectionResult> {
    return await this.#hold({ typeUrl, version: KEPT, nonce: "", resources, removed: [] }, NOTHING_ELSE);
  }

  /** The form in which a resource is kept: an extension configuration as istiod sent it, before anything was put into it. */
  originOf(resource: Resource): Resource {
    return this.#origins.get(resource.value) ?? resource;
  }

  async #hold(response: Response, { foreign, leftovers }: Beside): Promise<InspectionResult> {
    const { typeUrl, version, nonce } = response;
    const judged = await this.#judgeAll(typeUrl, response.resources, foreign);
    const all = [...judged, ...this.#restored(typeUrl, judged)];
    const gone = [...response.removed, ...leftovers];
    const removal = this.#removal(typeUrl, gone);
    const dropped = this.#dropped(typeUrl, response.resources, all);
    const refused = [...all.flatMap((one) => one.refused), ...removal.refused];
    const resources = all.flatMap(({ resource }) => resource ?? []);
    const isUntouched =
      refused.length === 0 &&
      leftovers.length === 0 &&
      dropped.length === 0 &&
      resources.every((resource, index) => resource === response.resources[index]);
    const removed = [...new Set([...removal.removed, ...dropped])];
    const delivery = isUntouched ? response : { typeUrl, version, resources, removed };
    this.#remember(delivery);
    return { typeUrl, version, nonce, delivery, refused, ...(refused.length > 0 && { refusal: refusalText(refused) }) };
  }

  /** Types that have to be judged again after the owners have said something new. */
  get judgedTypes(): readonly string[] {
    return [...this.#latest.keys()].filter((typeUrl) => JUDGED.has(typeUrl));
  }

  /** Resources that cannot be what they are sent as: another message inside, or a name for the second time. */
  #foreign({ typeUrl, resources }: Response): ReadonlySet<Resource> {
    const names = new Set<string>();
    return new Set(
      resources.filter((resource) => {
        const isSecond = TYPES.has(typeUrl) && names.has(resource.name);
        names.add(resource.name);
        return isSecond || (JUDGED.has(typeUrl) && !isWhatItIsSentAs(resource, typeUrl));
      }),
    );
  }

  #note({ typeUrl, resources, removed }: Response, foreign: ReadonlySet<Resource>): void {
    if (!JUDGED.has(typeUrl)) return;
    const latest = (this.#isWhole(typeUrl) ? undefined : this.#latest.get(typeUrl)) ?? new Map<string, Resource>();
    for (const resource of resources) if (!foreign.has(resource)) latest.set(resource.name, resource);
    for (const name of removed) latest.delete(name);
    this.#latest.set(typeUrl, latest);
    if (typeUrl === CLUSTER || typeUrl === ENDPOINTS) this.#view = undefined;
  }

  async #judgeAll(
    typeUrl: string,
    resources: readonly Resource[],
    foreign: ReadonlySet<Resource>,
  ): Promise<readonly Judged[]> {
    const guards = this.#guards();
    const judged: Judged[] = [];
    for (const resource of resources) {
      if (foreign.has(resource)) {
        const isRight = resource.typeUrl === typeUrl;
        const reason = isRight ? "its name is there twice, or another one inside" : `holds ${resource.typeUrl}`;
        judged.push({ refused: [refusedOf(typeUrl, resource.name, { code: "TYPE", reason }, "dropped")] });
      } else if (typeUrl === EXTENSION) judged.push(await this.#judgeExtension(resource));
      else judged.push(this.#judgeGuarded(typeUrl, resource, guards));
    }
    return judged;
  }

  #judgeGuarded(typeUrl: string, resource: Resource, guards: readonly Guard[]): Judged {
    const findings = this.#findings(typeUrl, resource.value, guards);
    if (findings.length === 0) return { resource, refused: [] };
    const kept = this.#options.kept(typeUrl).get(resource.name);
    const isGood = kept !== undefined && this.#findings(typeUrl, kept.value, guards).length === 0;
    const closed = isGood ? kept : this.#closed(typeUrl, resource, guards);
    const outcome: Outcome = isGood ? "kept" : closed ? "denied" : "dropped";
    const refused = findings.map((finding) => refusedOf(typeUrl, resource.name, faultOf(finding), outcome));
    return { ...(closed && { resource: closed }), refused };
  }

  #findings(typeUrl: string, value: Uint8Array | undefined, guards: readonly Guard[]): readonly Finding[] {
    if (value === undefined) return [];
    if (typeUrl === LISTENER && this.#options.isStale()) return [STALE];
    if (typeUrl === LISTENER && this.#isUnknown()) return [UNKNOWN_OWNER];
    if (guards.length === 0) return [];
    switch (typeUrl) {
      case LISTENER:
        return checkListener(value, guards, this.#clusters());
      case ROUTES:
        return checkRoutes(value, guards, this.#clusters());
      case CLUSTER:
        return checkCluster(value, guards, this.#clusters());
      case ENDPOINTS:
        return checkEndpoints(value, guards, this.#clusters());
      default:
        return [];
    }
  }

  /** A listener of which nothing good is known; other types may be absent. */
  #closed(typeUrl: string, resource: Resource, guards: readonly Guard[]): Resource | undefined {
    const isClosing = this.#options.isStale() || this.#isUnknown() || isProtected(resource.value, guards);
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

  /** Protected listeners that a state-of-the-world response leaves out, which would delete them. */
  #restored(typeUrl: string, judged: readonly Judged[]): readonly Judged[] {
    if (this.#options.protocol !== "sotw" || typeUrl !== LISTENER) return [];
    const present = new Set(judged.flatMap(({ resource }) => resource?.name ?? []));
    return [...this.#options.kept(LISTENER).values()]
      .filter(({ name, value }) => !present.has(name) && this.#mustStay(LISTENER, name, value))
      .map((resource) => ({ resource, refused: [refusedOf(LISTENER, resource.name, REMOVED, "kept")] }));
  }

  /** Names that Envoy has in a form that must not stay either: in delta, leaving out what came instead would keep it. */
  #dropped(typeUrl: string, resources: readonly Resource[], judged: readonly Judged[]): readonly string[] {
    if (this.#options.protocol !== "delta" || !JUDGED.has(typeUrl)) return [];
    const guards = this.#guards();
    const kept = this.#options.kept(typeUrl);
    const present = new Set(judged.flatMap(({ resource }) => resource?.name ?? []));
    return resources
      .map(({ name }) => name)
      .filter((name) => !present.has(name) && this.#findings(typeUrl, kept.get(name)?.value, guards).length > 0);
  }

  #removal(typeUrl: string, names: readonly string[]): { removed: readonly string[]; refused: readonly Refused[] } {
    const kept = this.#options.kept(typeUrl);
    const stays = new Set(names.filter((name) => this.#mustStay(typeUrl, name, kept.get(name)?.value)));
    return {
      removed: names.filter((name) => !stays.has(name)),
      refused: [...stays].map((name) => refusedOf(typeUrl, name, REMOVED, "kept")),
    };
  }

  #mustStay(typeUrl: string, name: string, value: Uint8Array | undefined): boolean {
    const guards = this.#guards();
    if (typeUrl === EXTENSION) return guards.some(({ filter }) => filter.extension === name);
    if (typeUrl !== LISTENER || value === undefined || !isProtected(value, guards)) return false;
    return this.#findings(LISTENER, value, guards).length === 0;
  }

  /** Names that Envoy brought along and the server does not have: with the first response to "all", they are gone. */
  #leftovers({ typeUrl, resources, removed }: Response): readonly string[] {
    const initial = this.#options.initial(typeUrl);
    if (initial.length === 0) return [];
    const mentioned = new Set([...resources.map(({ name }) => name), ...removed]);
    return initial.filter((name) => !mentioned.has(name));
  }

  #replaced(origin: Resource, value: Uint8Array): Resource {
    const { name, version, typeUrl } = origin;
    const resource = makeResource({ name, version, typeUrl, value });
    if (typeUrl === EXTENSION) this.#origins.set(resource.value, origin);
    return resource;
  }

  #remember({ typeUrl, resources, removed }: Omit<Response, "nonce">): void {
    if (!JUDGED.has(typeUrl)) return;
    const sent = (this.#isWhole(typeUrl) ? undefined : this.#sent.get(typeUrl)) ?? new Map<string, Resource>();
    for (const resource of resources) sent.set(resource.name, resource);
    for (const name of removed) sent.delete(name);
    this.#sent.set(typeUrl, sent);
  }

  /** Whether nothing would change for an Envoy that has these. */
  #isAll(forms: ReadonlyMap<string, Resource>, { typeUrl, resources, removed }: Omit<Response, "nonce">): boolean {
    if (removed.some((name) => forms.has(name))) return false;
    if (this.#isWhole(typeUrl) && forms.size !== resources.length) return false;
    return resources.every((resource) => sameBytes(forms.get(resource.name), resource));
  }

  #isWhole(typeUrl: string): boolean {
    return this.#options.protocol === "sotw" && TYPES.get(typeUrl)?.fullState === true;
  }

  #guards(): readonly Guard[] {
    return this.#options.trust.guardsFor(this.#options.namespace, this.#options.labels);
  }

  /** Whether an owner is pinned here who was never heard of: nothing is known of what must be kept. */
  #isUnknown(): boolean {
    const { trust, namespace } = this.#options;
    return trust.namespacesFor(namespace).some((ns) => trust.known(ns) === undefined);
  }

  #clusters(): ClusterView {
    const values = (typeUrl: string): Uint8Array[] =>
      [...(this.#latest.get(typeUrl)?.values() ?? [])].map(({ value }) => value);
    this.#view ??= clusterView(values(CLUSTER), values(ENDPOINTS));
    return this.#view;
  }
}

interface Fault {
  readonly code: string;
  readonly reason: string;
}

type Finding = GuardFinding | Fault;

const UNKNOWN_OWNER: Fault = {
  code: "no-statements",
  reason: "a namespace is pinned of which no verified statements have come yet",
};
const STALE: Fault = {
  code: "stale",
  reason: "no signed word has come for longer than the root of the mesh allows (onStale: deny)",
};
const REMOVED: Fault = { code: "removed", reason: "a protected resource was taken away" };

function faultOf(finding: Finding): Fault {
  return "clause" in finding ? { code: finding.clause, reason: `${finding.where}: ${finding.reason}` } : finding;
}

function refusedOf(typeUrl: string, resource: string, { code, reason }: Fault, outcome: Outcome): Refused {
  return { typeUrl, resource, code, reason, outcome };
}

/** A name beside the message counts for subscriptions; the one inside is what Envoy goes by. */
function isWhatItIsSentAs({ name, value, typeUrl }: Resource, expected: string): boolean {
  if (typeUrl !== expected) return false;
  try {
    return nameOf(value, typeUrl) === name;
  } catch (error) {
    if (error instanceof ParseError) return false;
    throw error;
  }
}

function sameBytes(a: Resource | undefined, b: Resource): boolean {
  return a !== undefined && Buffer.compare(a.value, b.value) === 0;
}
