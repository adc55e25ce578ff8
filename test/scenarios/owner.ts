/** Namespace owners of the tests: keys, root chains, and signed bundles of policies that a carrier can then maltreat. */
import { randomBytes } from "node:crypto";
import { encodeBase64Url } from "../../xds-proxy/src/bytes/base64url.ts";
import { utf8 } from "../../xds-proxy/src/bytes/octets.ts";
import { ExchangeKey } from "../../xds-proxy/src/crypto/ecdh-p256.ts";
import { SigningKey } from "../../xds-proxy/src/crypto/ecdsa-p256.ts";
import { digestOf, keyIdOf } from "../../xds-proxy/src/crypto/sha256.ts";
import { decodeWebpushMessage } from "../../xds-proxy/src/envelope/format.ts";
import { signStatement } from "../../xds-proxy/src/envelope/seal.ts";
import type { Signer, StatementOptions } from "../../xds-proxy/src/envelope/seal.ts";
import { encodeFresh, encodeRoot, encodeSet } from "../../xds-proxy/src/envelope/documents.ts";
import type { RootDocument, SetEntry } from "../../xds-proxy/src/envelope/documents.ts";
import type { Recipient, RecipientPublic, Use } from "../../xds-proxy/src/envelope/types.ts";
import { encodeBundle, type NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import { describeSet } from "../../xds-proxy/src/owner/describe.ts";

export const MESH = "mesh";
export const TRUST_DOMAIN = "cluster.local";
export const POLICY_TYPE = "security.istio.io/v1/AuthorizationPolicy";
const DAY_SEC = 86_400;

export const nowSec = (): number => Math.floor(Date.now() / 1000);

export interface KeyRing {
  readonly root: SigningKey;
  readonly cfg: SigningKey;
  readonly fresh: SigningKey;
}

export function newKeys(): KeyRing {
  return { root: SigningKey.generate(), cfg: SigningKey.generate(), fresh: SigningKey.generate() };
}

/** A workload that sealed policies can be read by. */
export interface Reader extends Recipient {
  readonly public: RecipientPublic;
}

export function newReader(): Reader {
  const key = ExchangeKey.generate();
  const auth = randomBytes(16);
  return { key, auth, public: { p256dh: key.publicKey, auth } };
}

/** An AuthorizationPolicy. */
export interface Policy {
  readonly name: string;
  readonly spec: object;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ver?: string;
  /** Sealed for these, one envelope each. */
  readonly readers?: readonly RecipientPublic[];
}

/** An object of another kind. */
export interface SignedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: unknown;
  /** Sealed for these, one envelope each; no member of the object. */
  readonly readers?: readonly RecipientPublic[];
}

export interface BundleContent {
  readonly policies: readonly Policy[];
  /** Beside the policies; their types come after theirs in the order of a set. */
  readonly objects?: readonly SignedObject[];
  /** Of set, fresh and each policy that has none of its own; `1` when absent. */
  readonly ver?: string;
  readonly freshVer?: string;
  /** Of everything but the roots; now when absent. */
  readonly iatSec?: number;
  /** Of set and policies; 30 days after `iatSec` when absent. */
  readonly expSec?: number;
  /** One hour after `iatSec` when absent. */
  readonly freshExpSec?: number;
  readonly keys?: Partial<KeyRing>;
}

export interface ConfirmationContent {
  readonly ver: string;
  readonly iatSec?: number;
  /** One hour after `iatSec` when absent. */
  readonly expSec?: number;
  readonly signer?: Signer;
}

export interface OwnerOptions {
  readonly ns: string;
  readonly mesh?: string;
  readonly root?: Partial<RootDocument>;
  readonly keys?: KeyRing;
}

interface Signing {
  readonly iatSec: number;
  readonly expSec: number;
  readonly ver: string;
  readonly key: Signer;
}

type SetEntryNames = Pick<SetEntry, "rt" | "name" | "ver">;

interface SignedEntry {
  readonly entry: SetEntry;
  readonly envelopes: readonly Uint8Array[];
}

type Content = Pick<StatementOptions, "data" | "rt" | "name" | "ver" | "recipient" | "iatSec" | "expSec">;

export class Owner {
  readonly keys: KeyRing;
  /** The current root. */
  readonly root: RootDocument;
  /** The chain, oldest first, as texts. */
  readonly roots: readonly string[];
  /** Digest of the first root, for a pin. */
  readonly rootDigest: string;

  private constructor(owner: Pick<Owner, "keys" | "root" | "roots" | "rootDigest">) {
    this.keys = owner.keys;
    this.root = owner.root;
    this.roots = owner.roots;
    this.rootDigest = owner.rootDigest;
  }

  static async create(options: OwnerOptions): Promise<Owner> {
    const keys = options.keys ?? newKeys();
    const root = rootDocument(keys, { ns: options.ns, mesh: options.mesh ?? MESH, ...options.root });
    const data = encodeRoot(root);
    const text = await signRoot(root, [keys.root]);
    return new Owner({ keys, root, roots: [text], rootDigest: digestOf(data) });
  }

  /** Digest of the current root, for a pin. */
  get currentDigest(): string {
    return digestOf(encodeRoot(this.root));
  }

  get ns(): string {
    return this.root.ns;
  }

  /** The same owner one root later, with new keys unless given; old and new root keys sign. */
  async rotate(options: { keys?: KeyRing; root?: Partial<RootDocument> } = {}): Promise<Owner> {
    const keys = options.keys ?? newKeys();
    const root = { ...this.root, ...rootKeys(keys), ep: this.root.ep + 1, ...options.root };
    const text = await signRoot(root, keys.root === this.keys.root ? [keys.root] : [keys.root, this.keys.root]);
    return new Owner({ keys, root, roots: [...this.roots, text], rootDigest: this.rootDigest });
  }

  /** Signs policies, set and fresh. */
  async bundle(content: BundleContent): Promise<NamespaceBundle> {
    const { ver = "1", iatSec = nowSec(), policies, objects = [] } = content;
    const keys = { ...this.keys, ...content.keys };
    const times = { iatSec, expSec: content.expSec ?? iatSec + 30 * DAY_SEC };
    const signing = { ...times, ver, key: keys.cfg };
    const signed = await Promise.all([
      ...policies.map((policy) => this.#policy(policy, signing)),
      ...objects.map((object) => this.#object(object, signing)),
    ]);
    const rcps = new Set(
      [...policies, ...objects].flatMap(({ readers = [] }) => readers.map(({ p256dh }) => keyIdOf(p256dh))),
    );
    const set = encodeSet({ rcps: [...rcps], entries: signed.map(({ entry }) => entry) });
    const fresh = encodeFresh({ set: { ver, cd: digestOf(set) } });
    const freshTimes = { iatSec, expSec: content.freshExpSec ?? iatSec + 3_600, ver: content.freshVer ?? ver };
    return {
      roots: this.roots,
      fresh: encodeBase64Url(await this.sign("fresh", { data: fresh, ...freshTimes }, keys.fresh)),
      set: encodeBase64Url(await this.sign("set", { data: set, ver, ...times }, keys.cfg)),
      envelopes: signed.flatMap(({ envelopes }) => envelopes.map(encodeBase64Url)),
    };
  }

  /** One more fresh statement for the set of a bundle. */
  async confirm({ set = "" }: NamespaceBundle, content: ConfirmationContent): Promise<string> {
    const { ver, iatSec = nowSec(), expSec = iatSec + 3_600, signer = this.keys.fresh } = content;
    const { ver: setVer, cd } = describeSet(set);
    const data = encodeFresh({ set: { ver: setVer, cd } });
    return encodeBase64Url(await this.sign("fresh", { data, ver, iatSec, expSec }, signer));
  }

  /** One statement of this namespace. */
  async sign(use: Use, content: Content, ...signers: readonly [Signer, ...Signer[]]): Promise<Uint8Array> {
    return await signStatement({ ...addressOf(this.root), use, ep: this.root.ep, signers, ...content });
  }

  async #object({ readers, ...object }: SignedObject, { key, ...content }: Signing): Promise<SignedEntry> {
    const { apiVersion, kind, metadata } = object;
    const [rt, name] = [`${apiVersion}/${kind}`, `${metadata.namespace}/${metadata.name}`];
    return await this.#entry({ ...content, rt, name, data: utf8(JSON.stringify(object)) }, readers, key);
  }

  async #policy(policy: Policy, { key, ...times }: Signing): Promise<SignedEntry> {
    const ver = policy.ver ?? times.ver;
    const content = { ...times, rt: POLICY_TYPE, name: `${this.ns}/${policy.name}`, ver };
    return await this.#entry({ ...content, data: policyData(this.ns, policy) }, policy.readers, key);
  }

  async #entry(
    content: Omit<Content, "recipient"> & SetEntryNames,
    readers: readonly (RecipientPublic | undefined)[] = [undefined],
    key: Signer,
  ): Promise<SignedEntry> {
    const envelopes = await Promise.all(
      readers.map((recipient) => this.sign("cfg", { ...content, ...(recipient && { recipient }) }, key)),
    );
    const cds = envelopes.map((envelope, i) => {
      const recipient = readers[i];
      return {
        cd: digestOf(recipient ? decodeWebpushMessage(envelope).data : content.data),
        ...(recipient && { rcp: keyIdOf(recipient.p256dh) }),
      };
    });
    const { rt, name, ver } = content;
    return { entry: { rt, name, ver, cds }, envelopes };
  }
}

/** The bytes that an owner signs for a policy. */
export function policyData(namespace: string, { name, spec, annotations }: Policy): Uint8Array {
  const metadata = { name, namespace, ...(annotations && { annotations }) };
  return utf8(JSON.stringify({ apiVersion: "security.istio.io/v1", kind: "AuthorizationPolicy", metadata, spec }));
}

/** The pin's JSON text. */
export function pinOf(
  owners: readonly Owner[],
  rootNamespace = "istio-system",
  trustDomainAliases?: readonly string[],
): string {
  return JSON.stringify({
    role: "policy",
    mesh: owners[0]?.root.mesh ?? MESH,
    trustDomain: owners[0]?.root.trustDomain ?? TRUST_DOMAIN,
    trustDomainAliases,
    rootNamespace,
    roots: Object.fromEntries(owners.map((owner) => [owner.ns, owner.rootDigest])),
  });
}

function rootDocument(
  keys: KeyRing,
  overrides: Partial<RootDocument> & Pick<RootDocument, "ns" | "mesh">,
): RootDocument {
  return {
    trustDomain: TRUST_DOMAIN,
    ...{ ep: 1, minEp: 1, ...rootKeys(keys) },
    thresholds: { root: 1, cfg: 1, fresh: 1, push: 1 },
    ...({ mode: "enforce", default: "deny", paths: "strict", onStale: "keep" } as const),
    maxFreshSec: DAY_SEC,
    ...overrides,
  };
}

function rootKeys(keys: KeyRing): Pick<RootDocument, "keys"> {
  return {
    keys: (["root", "cfg", "fresh"] as const).map((role) => ({ publicKey: keys[role].publicKey, roles: [role] })),
  };
}

async function signRoot(root: RootDocument, signers: readonly [Signer, ...Signer[]]): Promise<string> {
  const iatSec = nowSec();
  const content = { data: encodeRoot(root), iatSec, expSec: iatSec + 90 * DAY_SEC };
  return encodeBase64Url(await signStatement({ ...addressOf(root), use: "root", ep: root.ep, signers, ...content }));
}

function addressOf(root: RootDocument): Pick<StatementOptions, "ns" | "mesh" | "trustDomain" | "sub"> {
  return { ns: root.ns, mesh: root.mesh, trustDomain: root.trustDomain, sub: `mailto:owner@${root.ns}.example` };
}

/** A plugin configuration with fresh statements beside its sets. */
export function withOuterFresh(bundles: readonly NamespaceBundle[], fresh: unknown): string {
  return JSON.stringify({ ...(JSON.parse(encodeBundle(bundles)) as object), fresh });
}
