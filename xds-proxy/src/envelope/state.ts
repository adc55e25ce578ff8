/** What a consumer remembers of a namespace, and the floors that follow from it (docs/envelope.md section 8, step 8). */
import { compareU64, isU64Text } from "../bytes/decimal.ts";
import { asInteger, asString, exactly, member, wrong } from "../bytes/json-shape.ts";
import { parseStrictJson } from "../bytes/json.ts";
import { refuse } from "./refusal.ts";
import { iatMaxSecOf, lastOf } from "./roots.ts";
import type { RootChain } from "./roots.ts";
import type { TrustState } from "./types.ts";

const MEMBERS = ["ep", "minEp", "rootCd", "setVer", "setCd", "freshVer", "freshCd", "iatMax"] as const;

/** What was verified just now, in the words of the state. */
export interface Observed {
  readonly chain: RootChain;
  readonly set: Version;
  readonly fresh: Version;
  /** Largest `iat` of everything verified. */
  readonly iatMaxSec: number;
}

export interface Version {
  readonly ver: string;
  /** base64url SHA-256 of `data`. */
  readonly cd: string;
}

/** @throws ParseError JSON, DOCUMENT. */
export function parseTrustState(bytes: Uint8Array): TrustState {
  const object = exactly({ value: parseStrictJson(bytes, { allowNegative: false }), path: "" }, MEMBERS);
  const text = (name: (typeof MEMBERS)[number]): string => asString(member(object, name, ""));
  const integer = (name: (typeof MEMBERS)[number]): number => asInteger(member(object, name, ""));
  const version = (name: "setVer" | "freshVer"): string =>
    isU64Text(text(name)) ? text(name) : wrong(name, "a decimal u64");
  return {
    ...{ ep: integer("ep"), minEp: integer("minEp"), rootCd: text("rootCd") },
    ...{ setVer: version("setVer"), setCd: text("setCd"), freshVer: version("freshVer"), freshCd: text("freshCd") },
    iatMax: integer("iatMax"),
  };
}

/** @throws VerifyError ROLLBACK, EQUIVOCATION. */
export function checkFloors({ chain, set, fresh }: Observed, state: TrustState): void {
  const forgotten = lastOf(chain).document.minEp > state.minEp;
  const versions = [
    { seen: set, known: { ver: state.setVer, cd: state.setCd } },
    { seen: fresh, known: { ver: state.freshVer, cd: state.freshCd } },
  ].filter(() => !forgotten);
  checkNotOlder(chain, state);
  for (const { known, seen } of versions) {
    if (compareU64(seen.ver, known.ver) < 0) refuse("ROLLBACK", `version ${seen.ver} after ${known.ver}`);
  }
  checkSameRoot(chain, state);
  for (const { known, seen } of versions) {
    if (seen.ver === known.ver && seen.cd !== known.cd) refuse("EQUIVOCATION", `another version ${seen.ver}`);
  }
}

/** Of a root chain by itself.
 *  @throws VerifyError ROLLBACK, EQUIVOCATION. */
export function checkRootFloors(chain: RootChain, state: TrustState): void {
  checkNotOlder(chain, state);
  checkSameRoot(chain, state);
}

function checkNotOlder(chain: RootChain, state: TrustState): void {
  const { ep, minEp } = lastOf(chain).document;
  if (ep < state.ep || minEp < state.minEp) refuse("ROLLBACK", "an older root");
}

function checkSameRoot(chain: RootChain, state: TrustState): void {
  const root = chain.find(({ document }) => document.ep === state.ep);
  if (root && root.cd !== state.rootCd) refuse("EQUIVOCATION", `another root ${state.ep}`);
}

/** Version `0` of no digest: a set and a fresh that were never seen. */
const NOTHING_SEEN = { setVer: "0", setCd: "", freshVer: "0", freshCd: "" } as const;

/** The next state when only a root chain was verified. */
export function stateOfRoots(chain: RootChain, state: TrustState | undefined): TrustState {
  const { document, cd } = lastOf(chain);
  const kept = state === undefined || document.minEp > state.minEp ? NOTHING_SEEN : state;
  const { setVer, setCd, freshVer, freshCd } = kept;
  const iatMax = Math.max(...chain.map(({ iat }) => iat), iatMaxSecOf(state, document));
  return { ep: document.ep, minEp: document.minEp, rootCd: cd, setVer, setCd, freshVer, freshCd, iatMax };
}

/** A state that others may have advanced since, with the roots of one that was learned beside it; never goes back in anything. */
export function mergeRoots(kept: TrustState | undefined, learned: TrustState): TrustState {
  if (kept === undefined || learned.minEp > kept.minEp) return learned;
  const newer = learned.ep > kept.ep ? learned : kept;
  const { ep, minEp, rootCd } = newer;
  return { ...kept, ep, minEp, rootCd, iatMax: Math.max(kept.iatMax, learned.minEp < kept.minEp ? 0 : learned.iatMax) };
}

export function nextState({ chain, set, fresh, iatMaxSec }: Observed, state: TrustState | undefined): TrustState {
  const { document, cd } = lastOf(chain);
  return {
    ...{ ep: document.ep, minEp: document.minEp, rootCd: cd },
    ...{ setVer: set.ver, setCd: set.cd, freshVer: fresh.ver, freshCd: fresh.cd },
    iatMax: Math.max(iatMaxSec, iatMaxSecOf(state, document)),
  };
}
