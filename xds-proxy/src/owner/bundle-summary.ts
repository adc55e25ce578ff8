/** What a namespace's part of a bundle claims to be: versions and times. Compares claims; verification is another matter. */
import { compareU64 } from "../bytes/decimal.ts";
import { parseFresh, parseRoot } from "../envelope/documents.ts";
import type { Version } from "../envelope/state.ts";
import type { Code } from "../gen/codes.ts";
import type { NamespaceBundle } from "./bundle.ts";
import { describe, describeSet } from "./describe.ts";
import { displayName, objectKey } from "./object-name.ts";

export interface BundleSummary {
  readonly ns: string;
  readonly root: { readonly ep: number; readonly minEp: number; readonly mode: string; readonly expSec: number };
  readonly set?: Version & { readonly expSec: number };
  readonly fresh?: FreshSummary;
  readonly objectCount: number;
  readonly sealedCount: number;
  /** Of all but fresh, what runs out first. */
  readonly firstExpiry: { readonly what: string; readonly expSec: number };
}

export interface FreshSummary extends Version {
  readonly set: Version;
  readonly iatSec: number;
  readonly expSec: number;
}

/** @throws ParseError where something is no envelope, or no root */
export function summarize(bundle: NamespaceBundle): BundleSummary {
  const last = describe(bundle.roots.at(-1) ?? "");
  const { ep, minEp, mode } = parseRoot(last.data);
  const root = { ep, minEp, mode, expSec: last.claims.exp };
  const set = bundle.set === undefined ? undefined : describeSet(bundle.set);
  const statements = bundle.envelopes.map((text) => describe(text).claims);
  const keys = statements.map(({ rt = "", name = "" }) => objectKey({ rt, name }));
  const sealed = keys.filter((_, index) => statements[index]?.rcp !== undefined);
  const expiries = [
    { what: `root ${ep}`, expSec: root.expSec },
    ...(set === undefined ? [] : [{ what: "the set", expSec: set.expSec }]),
    ...statements.map(({ rt = "", name = "", exp }) => ({ what: displayName({ rt, name }), expSec: exp })),
  ];
  return {
    ...{ ns: last.claims.ns, root, objectCount: new Set(keys).size, sealedCount: new Set(sealed).size },
    ...(set !== undefined && { set: { ver: set.ver, cd: set.cd, expSec: set.expSec } }),
    ...(bundle.fresh !== undefined && { fresh: summarizeFresh(bundle.fresh) }),
    firstExpiry: expiries.reduce((first, next) => (next.expSec < first.expSec ? next : first)),
  };
}

/** @throws ParseError */
export function summarizeFresh(text: string): FreshSummary {
  const { claims, data } = describe(text);
  const { set } = parseFresh(data);
  return { ver: claims.ver ?? "0", cd: claims.cd, set, iatSec: claims.iat, expSec: claims.exp };
}

export interface StaleSummary {
  readonly code: Extract<Code, "ROLLBACK" | "EQUIVOCATION">;
  readonly message: string;
}

/** Why a consumer that has `seen` the one will not take `next` (docs/envelope.md section 8, step 8). */
export function olderThan(seen: BundleSummary, next: BundleSummary): StaleSummary | undefined {
  const older = (what: string, before: string | number, after: string | number): StaleSummary => ({
    ...{ code: "ROLLBACK", message: `${what} ${before} is there, and this is ${after}` },
  });
  if (next.root.ep < seen.root.ep) return older("root", seen.root.ep, next.root.ep);
  if (next.root.minEp < seen.root.minEp) return older("minEp", seen.root.minEp, next.root.minEp);
  // A raised minEp begins the versions anew.
  if (next.root.minEp > seen.root.minEp) return undefined;
  for (const what of ["set", "fresh"] as const) {
    const [before, after] = [seen[what], next[what]];
    if (before === undefined || after === undefined) continue;
    if (compareU64(after.ver, before.ver) < 0) return older(what, before.ver, after.ver);
    if (after.ver === before.ver && after.cd !== before.cd)
      return { code: "EQUIVOCATION", message: `another ${what} ${after.ver} is there` };
  }
  return undefined;
}
