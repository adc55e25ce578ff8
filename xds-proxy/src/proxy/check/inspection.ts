/**
 * Everything that istiod sends to one node, held to what the owners signed. Each resource is judged alone; what fails is
 * replaced by its last verified form, by one that refuses all, or left out, and the rest goes on. Nothing is reordered.
 */
import { ClusterViews, type ClusterView } from "../../guard/cluster-view.ts";
import type { Inspected } from "../../xds/relay.ts";
import type { Resource } from "../../xds/resource.ts";
import type { Response } from "../../xds/response.ts";
import { CLUSTER, ENDPOINTS, EXTENSION, LISTENER, TYPES, type Protocol } from "../../xds/type-url.ts";
import {
  isWhatItIsSentAs,
  JUDGED,
  Judgement,
  REMOVED,
  refusedOf,
  type Judged,
  type JudgementOptions,
} from "./judgement.ts";
import { refusalText, type Refused } from "./refused.ts";

export interface InspectionOptions extends Omit<JudgementOptions, "clusters"> {
  readonly protocol: Protocol;
  /** What Envoy has of a type on this stream, as it got it. */
  readonly accepted: (typeUrl: string) => ReadonlyMap<string, Resource>;
  /** What Envoy says it has before it gets anything (delta). */
  readonly initial: (typeUrl: string) => readonly string[];
  /** Whether Envoy asks for it. */
  readonly wants: (typeUrl: string, name: string) => boolean;
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

export class Inspection {
  readonly #options: InspectionOptions;
  readonly #judgement: Judgement;
  /** What istiod says now, good or bad, to judge it again when the owners say something else. */
  readonly #latest = new Map<string, Map<string, Resource>>();
  /** What Envoy was sent last, whether it has answered or not. */
  readonly #sent = new Map<string, Map<string, Resource>>();
  /** Types that were passed on unread last. */
  readonly #passed = new Set<string>();
  readonly #views = new ClusterViews();
  #view: ClusterView | undefined;

  constructor(options: InspectionOptions) {
    this.#options = options;
    this.#judgement = new Judgement({ ...options, clusters: () => this.#clusters() });
  }

  async inspect(response: Response): Promise<InspectionResult> {
    if (this.#isNobodysBusiness(response)) return this.#pass(response);
    const foreign = this.#foreign(response);
    this.#note(response, foreign);
    return await this.#hold(response, { foreign, leftovers: this.#leftovers(response) });
  }

  /** What would be sent now if istiod said again what it said last: for what owners have changed since. */
  async again(typeUrl: string): Promise<InspectionResult | undefined> {
    const latest = this.#latestOf(typeUrl);
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
    if (typeUrl !== CLUSTER || !this.#judgement.isGuarded) return [];
    return this.judgedTypes.filter((other) => other !== CLUSTER && other !== EXTENSION);
  }

  /** What was kept from before, under what is known now: for when istiod cannot be asked. */
  async offer(typeUrl: string, resources: readonly Resource[]): Promise<InspectionResult> {
    return await this.#hold({ typeUrl, version: KEPT, nonce: "", resources, removed: [] }, NOTHING_ELSE);
  }

  /** The form in which a resource is kept: an extension configuration as istiod sent it, before anything was put into it. */
  originOf(resource: Resource): Resource {
    return this.#judgement.originOf(resource);
  }

  async #hold(response: Response, { foreign, leftovers }: Beside): Promise<InspectionResult> {
    const { typeUrl, version, nonce } = response;
    const judged = await this.#judgeAll(typeUrl, response.resources, foreign);
    const all = [...judged, ...(await this.#restored(typeUrl, judged))];
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
    return [...new Set([...this.#latest.keys(), ...this.#passed])].filter((typeUrl) => JUDGED.has(typeUrl));
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
    const latest = new Map(this.#isWhole(typeUrl) ? [] : this.#latestOf(typeUrl));
    for (const resource of resources) if (!foreign.has(resource)) latest.set(resource.name, resource);
    for (const name of removed) latest.delete(name);
    this.#latest.set(typeUrl, latest);
    this.#judgement.forgetOthers(typeUrl, latest);
    this.#passed.delete(typeUrl);
    if (typeUrl === CLUSTER || typeUrl === ENDPOINTS) this.#view = undefined;
  }

  async #judgeAll(
    typeUrl: string,
    resources: readonly Resource[],
    foreign: ReadonlySet<Resource>,
  ): Promise<readonly Judged[]> {
    const judged: Judged[] = [];
    for (const resource of resources) {
      if (!foreign.has(resource)) judged.push(await this.#judgement.judge(typeUrl, resource));
      else {
        const isRight = resource.typeUrl === typeUrl;
        const reason = isRight ? "its name is there twice, or another one inside" : `holds ${resource.typeUrl}`;
        judged.push({ refused: [refusedOf(typeUrl, resource.name, { code: "TYPE", reason }, "dropped")] });
      }
    }
    return judged;
  }

  /** What a response leaves out and must be there: protected listeners, which would be deleted, and owners' statements, for
   *  which Envoy would wait. */
  async #restored(typeUrl: string, judged: readonly Judged[]): Promise<readonly Judged[]> {
    const present = new Set(judged.flatMap(({ resource }) => resource?.name ?? []));
    const missing = [...this.#options.kept(typeUrl).values()].filter(({ name }) => !present.has(name));
    if (typeUrl === EXTENSION) return await this.#restoredExtensions(missing);
    if (typeUrl !== LISTENER || !this.#isWhole(LISTENER)) return [];
    return missing
      .filter((form) => this.#judgement.mustStay(LISTENER, form.name, form))
      .map((resource) => ({ resource, refused: [refusedOf(LISTENER, resource.name, REMOVED, "kept")] }));
  }

  async #restoredExtensions(missing: readonly Resource[]): Promise<readonly Judged[]> {
    const { accepted, wants } = this.#options;
    const restored: Judged[] = [];
    for (const kept of missing) {
      const { name } = kept;
      const isOwners = this.#judgement.guardedExtensions.includes(name);
      if (!isOwners || accepted(EXTENSION).has(name) || !wants(EXTENSION, name)) continue;
      const { resource } = await this.#judgement.judge(EXTENSION, kept);
      restored.push({ ...(resource && { resource }), refused: [refusedOf(EXTENSION, name, REMOVED, "kept")] });
    }
    return restored;
  }

  /** Names that Envoy has in a form that must not stay either: in delta, leaving out what came instead would keep it. */
  #dropped(typeUrl: string, resources: readonly Resource[], judged: readonly Judged[]): readonly string[] {
    if (this.#options.protocol !== "delta" || !JUDGED.has(typeUrl)) return [];
    // What Envoy has not answered yet, it may have in a moment.
    const forms = [this.#options.kept(typeUrl), this.#sent.get(typeUrl)];
    const isBad = (name: string): boolean =>
      forms.some((form) => this.#judgement.findings(typeUrl, form?.get(name)).length > 0);
    const present = new Set(judged.flatMap(({ resource }) => resource?.name ?? []));
    return resources.map(({ name }) => name).filter((name) => !present.has(name) && isBad(name));
  }

  #removal(typeUrl: string, names: readonly string[]): { removed: readonly string[]; refused: readonly Refused[] } {
    const kept = this.#options.kept(typeUrl);
    const stays = new Set(names.filter((name) => this.#judgement.mustStay(typeUrl, name, kept.get(name))));
    return {
      removed: names.filter((name) => !stays.has(name)),
      refused: [...stays].map((name) => refusedOf(typeUrl, name, REMOVED, "kept")),
    };
  }

  /** Names that Envoy brought along and the server does not have: with the first response to "all", they are gone. */
  #leftovers({ typeUrl, resources, removed }: Response): readonly string[] {
    const initial = this.#options.initial(typeUrl);
    if (initial.length === 0) return [];
    const mentioned = new Set([...resources.map(({ name }) => name), ...removed]);
    return initial.filter((name) => !mentioned.has(name));
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

  /** Whether no owner has anything to say about it: then nothing of it has to be read while Envoy waits. */
  #isNobodysBusiness({ typeUrl }: Response): boolean {
    if (this.#options.initial(typeUrl).length > 0) return false;
    if (!JUDGED.has(typeUrl)) return true;
    return typeUrl !== LISTENER && typeUrl !== EXTENSION && !this.#judgement.isGuarded;
  }

  #pass(response: Response): InspectionResult {
    const { typeUrl, version, nonce } = response;
    this.#passed.add(typeUrl);
    this.#latest.delete(typeUrl);
    this.#sent.delete(typeUrl);
    this.#view = undefined;
    return { typeUrl, version, nonce, delivery: response, refused: [] };
  }

  /** Of a type that was passed on unread, what Envoy has made of it. */
  #latestOf(typeUrl: string): ReadonlyMap<string, Resource> | undefined {
    return this.#latest.get(typeUrl) ?? (this.#passed.has(typeUrl) ? this.#options.accepted(typeUrl) : undefined);
  }

  #clusters(): ClusterView {
    const none = new Map<string, Resource>();
    this.#view ??= this.#views.next(this.#latestOf(CLUSTER) ?? none, this.#latestOf(ENDPOINTS) ?? none);
    return this.#view;
  }
}

function sameBytes(a: Resource | undefined, b: Resource): boolean {
  return a !== undefined && Buffer.compare(a.value, b.value) === 0;
}
