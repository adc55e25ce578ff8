/**
 * What an online signer may confirm. It holds a key that can say "this is the current set" and reads the set from a place
 * where others write, so it believes nothing but signatures: the set is one that the cfg keys signed under the pinned
 * roots, it has not run out, and none that is newer has ever been seen, neither by this signer nor by the fresh
 * statements that are there. What it confirms is never older than what it confirmed before.
 */
import { compareU64 } from "../bytes/decimal.ts";
import { checking, refuse } from "../envelope/refusal.ts";
import { lastOf, verifyRootChain, type RootChain } from "../envelope/roots.ts";
import { checkFloors, nextState, type Version } from "../envelope/state.ts";
import { authenticate, parseFreshPayload } from "../envelope/statement.ts";
import type { RootDocument } from "../envelope/documents.ts";
import type { Pin, TrustState } from "../envelope/types.ts";
import { ParseError, VerifyError } from "../errors.ts";
import type { NamespaceBundle } from "./bundle.ts";
import { describe, type PublishedSet } from "./describe.ts";
import { readPublished, type Published } from "./published.ts";
import { nextVersion } from "./version.ts";

export interface ConfirmationOptions {
  readonly pin: Pin;
  readonly ns: string;
  readonly bundle: NamespaceBundle;
  /** Fresh statements that lie beside the bundle. */
  readonly others: readonly string[];
  readonly nowMs: number;
  /** What was seen before, when anything was. */
  readonly seen: TrustState | undefined;
}

/** A fresh statement whose signature is right. */
export interface KnownFresh extends Version {
  readonly text: string;
  readonly set: Version;
  readonly iatSec: number;
  readonly expSec: number;
}

export interface Confirmation {
  readonly published: Published;
  readonly root: RootDocument;
  readonly set: PublishedSet;
  /** The one that counts: of those that are authentic, the one with the largest version. It may name another set. */
  readonly fresh: KnownFresh | undefined;
  /** Whether one of `others` is not authentic: where it counts, nobody believes the set any more. */
  readonly strangers: boolean;
  /** What a new fresh statement has to be numbered. */
  readonly nextVer: string;
  readonly seen: TrustState;
}

/** @throws VerifyError when this set must not be confirmed */
export function readConfirmation(options: ConfirmationOptions): Confirmation {
  const { pin, ns, bundle, nowMs, seen } = options;
  const chain = verifyRootChain({ pin, ns, roots: bundle.roots, nowMs });
  const root = lastOf(chain).document;
  const published = readPublished(options);
  const set = currentSet(published, nowMs);
  const confirmations = [bundle.fresh, ...options.others].flatMap((text) => readFresh(text, root));
  const fresh = largest(confirmations);
  checking("set", () => {
    for (const known of confirmations) checkNotOlder(set, known.set);
    if (seen !== undefined) checkFloors({ chain, set, fresh: freshOf(seen), iatMaxSec: 0 }, seen);
  });
  const known = [fresh?.ver, isForgotten(chain, seen) ? undefined : seen?.freshVer].filter((ver) => ver !== undefined);
  const nextVer = nextVersion(known.toSorted(compareU64).at(-1), nowMs);
  const strangers = options.others.some((text) => readFresh(text, root).length === 0);
  return {
    published,
    root,
    set,
    fresh,
    strangers,
    nextVer,
    seen: stateOf(chain, set, fresh ?? { ver: "0", cd: "" }, seen),
  };
}

/** What is known once a statement with this version has been handed on. */
export function confirmed({ seen }: Confirmation, fresh: Version): TrustState {
  return { ...seen, freshVer: fresh.ver, freshCd: fresh.cd };
}

/** When it has to be renewed, seconds: at half of its life, or at once where it is not about this set. */
export function renewalAtSec({ fresh, set, strangers }: Pick<Confirmation, "fresh" | "set" | "strangers">): number {
  if (strangers || fresh === undefined || fresh.set.ver !== set.ver || fresh.set.cd !== set.cd) return 0;
  return fresh.iatSec + (fresh.expSec - fresh.iatSec) / 2;
}

/** @throws VerifyError */
function currentSet({ set, notKept }: Published, nowMs: number): PublishedSet {
  if (set === undefined) {
    const fault = notKept.find(({ where, error }) => where === "set" && error.code !== "OMITTED");
    throw fault?.error ?? new VerifyError("SET_MISMATCH", "there is no set", { where: "set" });
  }
  if (set.expSec * 1000 <= nowMs) throw new VerifyError("EXPIRED", "the set has run out", { where: "set" });
  return set;
}

/** Nothing where it is not authentic: a stranger's statement says nothing about what is current. */
function readFresh(text: string | undefined, root: RootDocument): readonly KnownFresh[] {
  if (text === undefined) return [];
  try {
    const { iat } = describe(text).claims;
    const clock = { nowMs: iat * 1000, iatMaxSec: 0 };
    const { claims, data } = authenticate(text, "fresh", { root, clock, recipient: undefined });
    const { set } = parseFreshPayload(data);
    return [{ text, set, ver: claims.ver ?? "0", cd: claims.cd, iatSec: claims.iat, expSec: claims.exp }];
  } catch (error) {
    if (error instanceof VerifyError || error instanceof ParseError) return [];
    throw error;
  }
}

function largest(known: readonly KnownFresh[]): KnownFresh | undefined {
  return known.toSorted((a, b) => compareU64(a.ver, b.ver)).at(-1);
}

/** A fresh statement that is older than the set, or about the set before, is what a new set begins with. */
function checkNotOlder(set: Version, named: Version): void {
  if (compareU64(set.ver, named.ver) < 0) refuse("ROLLBACK", `set ${set.ver}, and ${named.ver} was confirmed before`);
  if (set.ver === named.ver && set.cd !== named.cd)
    refuse("EQUIVOCATION", `another set ${set.ver} was confirmed before`);
}

/** Statements that were confirmed may be taken away again: that is no reason not to make a new one. */
function freshOf({ freshVer, freshCd }: TrustState): Version {
  return { ver: freshVer, cd: freshCd };
}

/** Raising `minEp` begins all versions anew. */
function isForgotten(chain: RootChain, seen: TrustState | undefined): boolean {
  return seen !== undefined && lastOf(chain).document.minEp > seen.minEp;
}

function stateOf(chain: RootChain, set: Version, fresh: Version, seen: TrustState | undefined): TrustState {
  const floor = isForgotten(chain, seen) ? undefined : seen;
  const newer = floor !== undefined && compareU64(floor.freshVer, fresh.ver) > 0 ? freshOf(floor) : fresh;
  return nextState({ chain, set, fresh: newer, iatMaxSec: 0 }, seen);
}
