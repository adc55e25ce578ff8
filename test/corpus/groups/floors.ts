/** Floors and the next state (docs/envelope.md section 8, step 8). */
import { digestOf } from "../../../xds-proxy/src/crypto/sha256.ts";
import type { Code } from "../../../xds-proxy/src/gen/codes.ts";
import type { TrustState } from "../../../xds-proxy/src/envelope/types.ts";
import type { NamedCase, RootChainParts } from "../case.ts";
import { json, rootValue } from "../documents.ts";
import { forgeText, NOW_SEC } from "../forge.ts";
import type { ClaimValues } from "../forge.ts";
import { namespaceCase, object, stateOf, statementsOf } from "../namespace.ts";
import type { NamespaceOptions } from "../namespace.ts";

type Row = readonly [name: string, comment: string, verdict: "ok" | Code];

const ALLOW = object({ name: "allow" });
const OTHER = "A".repeat(43);

/** Roots `first` to `last`; the one with `ep` `pinned` is pinned. */
function chainOf(changes: readonly ClaimValues[], pinned = 0): RootChainParts & { readonly last: string } {
  const links = changes.map((members, i) => {
    const value = rootValue({ ep: i + 1, ...members });
    const data = json(value);
    return {
      text: forgeText({ use: "root", data, signers: ["root"], claims: { ep: value["ep"] } }),
      cd: digestOf(data),
    };
  });
  const cd = (i: number): string => links.at(i)?.cd ?? "";
  return { roots: links.map(({ text }) => text), pinned: cd(pinned), last: cd(-1) };
}

const ONE = chainOf([{}]);
const TWO = chainOf([{}, {}]);
const RAISED = chainOf([{}, { minEp: 2 }]);
const { setData, freshData } = statementsOf({ objects: [ALLOW] });
const STATE = stateOf(setData, freshData, ONE);

interface FloorOptions extends Partial<Omit<NamespaceOptions, "comment" | "expect" | "state">> {
  readonly state?: Partial<TrustState>;
}

function from([name, comment, verdict]: Row, options: FloorOptions): NamedCase {
  const { state, ...rest } = options;
  const expect = verdict === "ok" ? [ALLOW.payload] : verdict;
  const objects = [ALLOW];
  return [
    `floor-${name}`,
    namespaceCase({ comment, expect, objects, chain: ONE, ...rest, state: { ...STATE, ...state } }),
  ];
}

const floor = (row: Row, state: Partial<TrustState>): NamedCase => from(row, { state });
const versions = (set: string, fresh: string): Pick<NamespaceOptions, "set" | "fresh"> => ({
  set: { claims: { ver: set } },
  fresh: { claims: { ver: fresh } },
});

const VERSIONS: readonly NamedCase[] = [
  floor(["same", "the same namespace again", "ok"], {}),
  floor(["set-below", "an older set than the state knows", "ROLLBACK"], { setVer: "2" }),
  floor(["fresh-below", "an older fresh than the state knows", "ROLLBACK"], { freshVer: "2" }),
  floor(["set-numeric", "versions are numbers: 1 is below 10", "ROLLBACK"], { setVer: "10" }),
  floor(["set-largest", "the state knows version 2^64-1", "ROLLBACK"], { setVer: "18446744073709551615" }),
  from(["set-above", "a newer set and fresh than the state knows", "ok"], {
    ...versions("10", "11"),
    state: { setVer: "9", setCd: OTHER, freshVer: "9", freshCd: OTHER },
    next: newer("10", "11"),
  }),
  floor(["set-first", "the state knows version 0", "ok"], { setVer: "0", setCd: OTHER, freshVer: "0", freshCd: OTHER }),
  floor(["set-other", "another set of the same version", "EQUIVOCATION"], { setCd: OTHER }),
  floor(["fresh-other", "another fresh of the same version", "EQUIVOCATION"], { freshCd: OTHER }),
  floor(["root-other", "another root of the same version", "EQUIVOCATION"], { rootCd: OTHER }),
  floor(["rollback-before-equivocation", "an older fresh, and another set", "ROLLBACK"], {
    setCd: OTHER,
    freshVer: "2",
  }),
  floor(["rollback-before-root", "an older set, and another root", "ROLLBACK"], { rootCd: OTHER, setVer: "2" }),
];

/** The next state after `versions`. */
function newer(setVer: string, freshVer: string): Partial<TrustState> {
  const made = statementsOf({ objects: [ALLOW], ...versions(setVer, freshVer) });
  return { setVer, freshVer, setCd: digestOf(made.setData), freshCd: digestOf(made.freshData) };
}

const NEXT_ROOT = { ep: 2, rootCd: TWO.last };
const RAISED_ROOT = { ep: 2, minEp: 2, rootCd: RAISED.last };
/** Statements under the second root. */
const UNDER_TWO = { set: { claims: { ep: 2 } }, fresh: { claims: { ep: 2 } } };
const SECOND = object({ name: "allow", forgery: { claims: { ep: 2 } } });
const underRaised: FloorOptions = { chain: RAISED, objects: [SECOND], ...UNDER_TWO, next: RAISED_ROOT };

const ROOTS: readonly NamedCase[] = [
  from(["root-newer", "a newer root than the state knows", "ok"], { chain: TWO, next: NEXT_ROOT }),
  floor(["root-below", "an older root than the state knows", "ROLLBACK"], { ep: 2 }),
  floor(["min-ep-below", "a smaller minEp than the state knows", "ROLLBACK"], { minEp: 2 }),
  from(["root-known-in-chain", "the chain contains the root that the state knows", "ok"], {
    chain: TWO,
    state: { ep: 1, rootCd: TWO.pinned },
    next: NEXT_ROOT,
  }),
  from(["root-other-in-chain", "the chain contains another root of the state's ep", "EQUIVOCATION"], {
    chain: TWO,
    state: { ep: 1, rootCd: OTHER },
  }),
  from(["root-pinned-newer", "the pinned root is newer than the state's", "ok"], {
    chain: { ...chainOf([{}, {}], 1) },
    state: { ep: 1, rootCd: OTHER },
    next: NEXT_ROOT,
  }),
  from(["min-ep-forgets-versions", "a raised minEp forgets versions and digests", "ok"], {
    ...underRaised,
    state: { setVer: "18446744073709551615", freshVer: "5", setCd: OTHER, freshCd: OTHER },
  }),
  from(["min-ep-forgets-not-root", "a raised minEp does not forget the root", "EQUIVOCATION"], {
    ...underRaised,
    state: { rootCd: OTHER },
  }),
  from(["min-ep-same", "minEp was raised before; versions count", "ROLLBACK"], {
    ...underRaised,
    state: { ...RAISED_ROOT, setVer: "2" },
  }),
  from(["min-ep-revokes", "a statement of before minEp", "EPOCH"], { ...underRaised, objects: [ALLOW] }),
];

const HOUR = 3_600;
const ahead = NOW_SEC + 10 * 86_400;

const CLOCK: readonly NamedCase[] = [
  from(["iat-max-kept", "a larger iatMax stays", "ok"], {
    state: { iatMax: NOW_SEC - 5 },
    next: { iatMax: NOW_SEC - 5 },
  }),
  from(["iat-max-grows", "iatMax grows to the largest iat", "ok"], {
    set: { claims: { iat: NOW_SEC - 3 } },
    next: { iatMax: NOW_SEC - 3 },
  }),
  floor(["iat-max-fresh", "fresh is expired by iatMax; the clock was set back", "FRESH_STALE"], {
    iatMax: NOW_SEC + HOUR + 60,
  }),
  from(["iat-max-fresh-last", "the last second of fresh by iatMax", "ok"], {
    state: { iatMax: NOW_SEC + HOUR + 59 },
    next: { iatMax: NOW_SEC + HOUR + 59 },
  }),
  floor(["iat-max-root", "the root is expired by iatMax", "EXPIRED"], { iatMax: NOW_SEC + 31 * 86_400 }),
  from(["iat-max-set", "the set is expired by iatMax", "EXPIRED"], {
    set: { claims: { exp: NOW_SEC + 100 } },
    state: { iatMax: NOW_SEC + 160 },
  }),
  from(["iat-max-forgotten", "a raised minEp forgets iatMax", "ok"], { ...underRaised, state: { iatMax: ahead } }),
  from(["iat-max-not-for-iat", "iatMax does not make an iat ahead valid", "NOT_YET_VALID"], {
    set: { claims: { iat: NOW_SEC + 61, exp: NOW_SEC + HOUR } },
    state: { iatMax: NOW_SEC + 100 },
  }),
];

export const FLOOR_CASES: readonly NamedCase[] = [...VERSIONS, ...ROOTS, ...CLOCK];
