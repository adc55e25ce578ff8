/** A namespace owner of the demo: keys in memory, and what `wpgate sign`, `seal` and `root rotate` do with them. */
import { SigningKey } from "../crypto/ecdsa-p256.ts";
import type { RootDocument } from "../envelope/documents.ts";
import type { RecipientPublic } from "../envelope/types.ts";
import type { NamespaceBundle } from "../owner/bundle.ts";
import type { OwnerObject } from "../owner/objects.ts";
import type { PinFile } from "../owner/pin.ts";
import { publish, type SignedBundle, type Signers } from "../owner/publish.ts";
import { readPublished, type Published } from "../owner/published.ts";
import { DEFAULT_SETTINGS, rootKeys, signRoot } from "../owner/root.ts";

export const MESH = "demo";
export const TRUST_DOMAIN = "cluster.local";
const DAY_SEC = 86_400;

export interface OwnerKeys {
  readonly root: SigningKey;
  readonly cfg: SigningKey;
  readonly fresh: SigningKey;
}

export function newOwnerKeys(): OwnerKeys {
  return { root: SigningKey.generate(), cfg: SigningKey.generate(), fresh: SigningKey.generate() };
}

export interface Policies {
  readonly plain: readonly OwnerObject[];
  readonly sealed: readonly OwnerObject[];
  readonly recipients: readonly RecipientPublic[];
}

export class DemoOwner {
  readonly ns: string;
  readonly pin: PinFile;
  keys: OwnerKeys;
  #bundle: NamespaceBundle;

  private constructor(parts: { ns: string; pin: PinFile; keys: OwnerKeys; bundle: NamespaceBundle }) {
    this.ns = parts.ns;
    this.pin = parts.pin;
    this.keys = parts.keys;
    this.#bundle = parts.bundle;
  }

  static async create(ns: string, keys: OwnerKeys = newOwnerKeys()): Promise<DemoOwner> {
    const document: RootDocument = {
      ...{ ns, mesh: MESH, trustDomain: TRUST_DOMAIN, ep: 1, minEp: 1, keys: listed(keys) },
      thresholds: { root: 1, cfg: 1, fresh: 1, push: 1 },
      ...DEFAULT_SETTINGS,
    };
    const root = await signRoot({ ...rootOptions(ns), document, signers: [keys.root] });
    const where = { role: "policy", mesh: MESH, trustDomain: TRUST_DOMAIN, rootNamespace: "istio-system" } as const;
    const bundle = { roots: [root.text], envelopes: [] };
    return new DemoOwner({ ns, keys, bundle, pin: { ...where, roots: { [ns]: root.digest } } });
  }

  /** What was published last. */
  get bundle(): NamespaceBundle {
    return this.#bundle;
  }

  get root(): RootDocument {
    return this.#published().root.document;
  }

  /** These policies and no others, from now on. */
  async publish({ plain, sealed, recipients }: Policies): Promise<SignedBundle> {
    const bundle = await this.signBundle({ plain, sealed, recipients }, this.keys);
    this.#bundle = bundle;
    return bundle;
  }

  /** What `publish` would publish, signed by other keys; nobody else sees it. */
  async signBundle({ plain, sealed, recipients }: Policies, keys: OwnerKeys): Promise<SignedBundle> {
    const published = this.#published();
    const { bundle } = await publish({
      identity: {
        ...{ ns: this.ns, mesh: MESH, trustDomain: TRUST_DOMAIN, sub: contactOf(this.ns) },
        ...{ ep: published.root.document.ep, lifetimeSec: 90 * DAY_SEC, freshSec: DAY_SEC },
      },
      ...{ nowMs: Date.now(), published, knownRecipients: [] },
      put: [
        ...plain.map((object) => ({ object, recipients: [] })),
        ...sealed.map((object) => ({ object, recipients })),
      ],
      remove: [...published.objects.values()].filter(
        ({ rt, name }) => ![...plain, ...sealed].some((object) => object.rt === rt && object.name === name),
      ),
      ...{ cfgSigners: [keys.cfg], freshSigners: [keys.fresh] },
    });
    return bundle;
  }

  /** Root N+1 with other keys; statements have to be published again. */
  async rotate(keys: OwnerKeys): Promise<void> {
    const { document } = this.#published().root;
    const signers: Signers = [this.keys.root, ...(keys.root === this.keys.root ? [] : [keys.root])];
    const next = { ...document, ep: document.ep + 1, keys: listed(keys) };
    const root = await signRoot({ ...rootOptions(this.ns), document: next, signers });
    this.#bundle = { roots: [...this.#bundle.roots, root.text], envelopes: [] };
    this.keys = keys;
  }

  #published(): Published {
    return readPublished({ pin: this.pin, ns: this.ns, bundle: this.#bundle });
  }
}

function listed(keys: OwnerKeys): RootDocument["keys"] {
  return rootKeys((["root", "cfg", "fresh"] as const).map((role) => ({ role, publicKey: keys[role].publicKey })));
}

function rootOptions(ns: string): { readonly sub: string; readonly nowMs: number; readonly lifetimeSec: number } {
  return { sub: contactOf(ns), nowMs: Date.now(), lifetimeSec: 90 * DAY_SEC };
}

function contactOf(ns: string): string {
  return `mailto:owner@${ns}.example`;
}
