/** Statements of two owners that are signed once: of every age, under three roots, and what a carrier can make of them. */
import { encodeBundle, type NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import type { PinFile } from "../../xds-proxy/src/owner/pin.ts";
import { extensionOf, MODULE_SHA256 } from "./istiod-resources.ts";
import { guardOf, pinOf, policyOf, TestOwner } from "./owner.ts";

export const POOL_START_MS: number = Date.parse("2030-01-01T00:00:00Z");
const SPEC = { ports: [{ port: 8080 }], belt: false, filter: { sha256: [MODULE_SHA256] } };
const HOUR_MS = 3_600_000;

export const NAMESPACES = ["team-a", "istio-system"] as const;
export type Namespace = (typeof NAMESPACES)[number];

/** What a push says of one namespace. */
export type Part =
  | { readonly kind: "good"; readonly age: number }
  /** A signature that is none; statements of two ages in one; fewer than there are. */
  | { readonly kind: "spoilt" | "mixed" | "partial"; readonly age: number }
  | { readonly kind: "absent" };

export interface Aged {
  readonly bundle: NamespaceBundle;
  /** When it was signed. */
  readonly signedMs: number;
  readonly freshUntilMs: number;
}

export class Pool {
  readonly pin: PinFile;
  readonly ages: Readonly<Record<Namespace, readonly Aged[]>>;
  readonly #texts = new Map<string, Uint8Array>();

  private constructor(pin: PinFile, ages: Readonly<Record<Namespace, readonly Aged[]>>) {
    this.pin = pin;
    this.ages = ages;
  }

  static async create(): Promise<Pool> {
    const owners = { "team-a": await ownerOf("team-a"), "istio-system": await ownerOf("istio-system") };
    const ages = { "team-a": await agesOf(owners["team-a"]), "istio-system": await agesOf(owners["istio-system"]) };
    return new Pool(pinOf(owners["team-a"], owners["istio-system"]), ages);
  }

  /** The extension configuration with these parts. */
  extension(parts: Readonly<Record<Namespace, Part>>): Uint8Array {
    const key = JSON.stringify(parts);
    const known = this.#texts.get(key);
    if (known) return known;
    const sets = NAMESPACES.flatMap((ns) => this.#part(ns, parts[ns]) ?? []);
    const value = extensionOf({ text: encodeBundle(sets) });
    this.#texts.set(key, value);
    return value;
  }

  /** The age of a part that is exactly what an owner published. */
  ageOf(bundle: NamespaceBundle): { readonly ns: Namespace; readonly age: number } | undefined {
    const text = JSON.stringify(bundle);
    for (const ns of NAMESPACES) {
      const age = this.ages[ns].findIndex((aged) => JSON.stringify(aged.bundle) === text);
      if (age >= 0) return { ns, age };
    }
    return undefined;
  }

  #part(ns: Namespace, part: Part): NamespaceBundle | undefined {
    if (part.kind === "absent") return undefined;
    const bundle = this.#aged(ns, part.age);
    const other = this.#aged(ns, part.age === 0 ? 1 : part.age - 1);
    switch (part.kind) {
      case "good":
        return bundle;
      case "spoilt":
        return { ...bundle, set: spoilt(bundle.set ?? "") };
      case "mixed":
        return { ...bundle, envelopes: other.envelopes };
      case "partial":
        return { ...bundle, envelopes: bundle.envelopes.slice(1) };
    }
  }

  #aged(ns: Namespace, age: number): NamespaceBundle {
    const aged = this.ages[ns][age];
    if (aged === undefined) throw new Error(`no statements ${age} of ${ns}`);
    return aged.bundle;
  }
}

export const AGES_COUNT = 6;

async function ownerOf(ns: Namespace): Promise<TestOwner> {
  return await TestOwner.create(ns, POOL_START_MS);
}

/** Two under each of three roots; the last one takes back what was signed under those before it. */
async function agesOf(owner: TestOwner): Promise<readonly Aged[]> {
  const ages: Aged[] = [];
  for (let age = 0; age < AGES_COUNT; age++) {
    if (age > 0 && age % 2 === 0) await owner.rotate({ revoking: age === 4 });
    owner.nowMs += 10 * HOUR_MS;
    const guard = owner.ns === "team-a" ? [guardOf(owner.ns, SPEC)] : [];
    const method = ["GET", "PUT", "POST"][age % 3] ?? "GET";
    const bundle = await owner.publish([policyOf(owner.ns, method), policyOf(owner.ns, "HEAD", "b"), ...guard]);
    ages.push({ bundle, signedMs: owner.nowMs, freshUntilMs: owner.nowMs + 24 * HOUR_MS });
  }
  return ages;
}

function spoilt(text: string): string {
  const at = text.length - 8;
  return text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
}
