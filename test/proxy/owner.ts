/** A namespace's owner whose clock the test sets, who signs policies and Guards, changes keys, and takes old ones back. */
import { SigningKey } from "../../xds-proxy/src/crypto/ecdsa-p256.ts";
import type { RootDocument } from "../../xds-proxy/src/envelope/documents.ts";
import type { RecipientPublic } from "../../xds-proxy/src/envelope/types.ts";
import { utf8 } from "../../xds-proxy/src/bytes/octets.ts";
import type { NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import type { OwnerObject } from "../../xds-proxy/src/owner/objects.ts";
import type { PinFile } from "../../xds-proxy/src/owner/pin.ts";
import { publish, type SignedBundle } from "../../xds-proxy/src/owner/publish.ts";
import { readPublished } from "../../xds-proxy/src/owner/published.ts";
import { DEFAULT_SETTINGS, rootKeys, signRoot } from "../../xds-proxy/src/owner/root.ts";

const [MESH, TRUST_DOMAIN, SUB] = ["prod", "cluster.local", "mailto:owner@example.com"];
const DAY_SEC = 86_400;
const LIFETIME_SEC = 90 * DAY_SEC;

interface Keys {
  readonly root: SigningKey;
  readonly cfg: SigningKey;
  readonly fresh: SigningKey;
}

function newKeys(): Keys {
  return { root: SigningKey.generate(), cfg: SigningKey.generate(), fresh: SigningKey.generate() };
}

function listed(keys: Keys): RootDocument["keys"] {
  return rootKeys((["root", "cfg", "fresh"] as const).map((role) => ({ role, publicKey: keys[role].publicKey })));
}

export class TestOwner {
  readonly ns: string;
  /** Of the first root. */
  readonly digest: string;
  nowMs: number;
  #keys: Keys;
  #document: RootDocument;
  #bundle: NamespaceBundle;

  private constructor(start: { digest: string; nowMs: number; keys: Keys; document: RootDocument; root: string }) {
    this.ns = start.document.ns;
    this.digest = start.digest;
    this.nowMs = start.nowMs;
    this.#keys = start.keys;
    this.#document = start.document;
    this.#bundle = { roots: [start.root], envelopes: [] };
  }

  static async create(ns: string, nowMs: number): Promise<TestOwner> {
    const keys = newKeys();
    const document: RootDocument = {
      ...{ ns, mesh: MESH, trustDomain: TRUST_DOMAIN, ep: 1, minEp: 1, keys: listed(keys) },
      thresholds: { root: 1, cfg: 1, fresh: 1, push: 1 },
      ...DEFAULT_SETTINGS,
    };
    const times = { sub: SUB, nowMs, lifetimeSec: LIFETIME_SEC };
    const { text: root, digest } = await signRoot({ ...times, document, signers: [keys.root] });
    return new TestOwner({ digest, nowMs, keys, document, root });
  }

  get ep(): number {
    return this.#document.ep;
  }

  /** A minute later: these objects and no others. */
  async publish(objects: readonly OwnerObject[], recipients: readonly RecipientPublic[] = []): Promise<SignedBundle> {
    this.nowMs += 60_000;
    const { ns, nowMs } = this;
    const published = readPublished({ pin: pinOf(this), ns, bundle: this.#bundle });
    const names = new Set(objects.map(({ name }) => name));
    const { bundle } = await publish({
      identity: {
        ...{ ns, mesh: MESH, trustDomain: TRUST_DOMAIN, sub: SUB, ep: this.ep },
        ...{ lifetimeSec: LIFETIME_SEC, freshSec: DAY_SEC },
      },
      ...{ nowMs, published, knownRecipients: [], renewAll: true },
      put: objects.map((object) => ({ object, recipients })),
      remove: [...published.objects.values()].filter(({ name }) => !names.has(name)),
      ...{ cfgSigners: [this.#keys.cfg], freshSigners: [this.#keys.fresh] },
    });
    this.#bundle = bundle;
    return bundle;
  }

  /** Other keys; with `revoking`, what the old ones signed counts no more. */
  async rotate({ revoking }: { revoking: boolean }): Promise<void> {
    this.nowMs += 60_000;
    const keys = newKeys();
    const ep = this.ep + 1;
    const minEp = revoking ? ep : this.#document.minEp;
    this.#document = { ...this.#document, ep, minEp, keys: listed(keys) };
    const { text } = await signRoot({
      ...{ document: this.#document, sub: SUB, nowMs: this.nowMs, lifetimeSec: LIFETIME_SEC },
      signers: [this.#keys.root, keys.root],
    });
    this.#bundle = { ...this.#bundle, roots: [...this.#bundle.roots, text] };
    this.#keys = keys;
  }
}

export function pinOf(...owners: readonly TestOwner[]): PinFile {
  return {
    ...{ role: "policy", mesh: MESH, trustDomain: TRUST_DOMAIN, rootNamespace: "istio-system" },
    roots: Object.fromEntries(owners.map(({ ns, digest }) => [ns, digest])),
  };
}

export function policyOf(ns: string, method: string, name = "a"): OwnerObject {
  const spec = { action: "ALLOW", rules: [{ to: [{ operation: { methods: [method] } }] }] };
  return objectOf("security.istio.io/v1", "AuthorizationPolicy", { ns, name, spec });
}

export function guardOf(ns: string, spec: object): OwnerObject {
  return objectOf("wpgate.dev/v1", "Guard", { ns, name: "guard", spec });
}

function objectOf(
  apiVersion: string,
  kind: string,
  { ns, name, spec }: { ns: string; name: string; spec: object },
): OwnerObject {
  const value = { apiVersion, kind, metadata: { name, namespace: ns }, spec };
  return { rt: `${apiVersion}/${kind}`, name: `${ns}/${name}`, data: utf8(JSON.stringify(value)), source: "test" };
}
