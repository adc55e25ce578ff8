/** Whole namespaces (docs/envelope.md section 8, steps 1 to 7). */
import type { Code } from "../../../xds-proxy/src/gen/codes.ts";
import { CLOCK_SKEW_SEC, ENVELOPES_MAX_COUNT } from "../../../xds-proxy/src/gen/limits.ts";
import type { NamedCase } from "../case.ts";
import { KEYS, thresholds } from "../documents.ts";
import { NOW_SEC, POLICY_TYPE } from "../forge.ts";
import { namespaceCase, object, ownId, statementsOf } from "../namespace.ts";
import type { ListedObject, NamespaceOptions } from "../namespace.ts";

type Row = readonly [name: string, comment: string, verdict: "ok" | Code];
type Options = Omit<NamespaceOptions, "comment" | "expect">;

/** With `ok`, the payloads of `read`; by default those of all objects. */
function from([name, comment, verdict]: Row, options: Options, read = options.objects ?? []): NamedCase {
  const expect = verdict === "ok" ? read.map(({ payload }) => payload) : verdict;
  return [`namespace-${name}`, namespaceCase({ comment, expect, ...options })];
}

const ALLOW = object({ name: "allow" });
const DENY = object({ name: "deny", spec: { action: "DENY", rules: [{}] } });
const GUARD = object({ name: "guard", kind: "RequestAuthentication" });
const SEALED = object({ name: "sealed", readers: ["a", "b"] });
const FOR_B = object({ name: "for-b", readers: ["b"] });
const ALLOW_2 = object({ name: "allow", ver: "2", spec: { rules: [] } });
const BOTH = [ALLOW, DENY];
const [ALLOW_TEXT = "", DENY_TEXT = ""] = BOTH.flatMap(({ texts }) => texts);
const flipLast = (signature: Uint8Array): Uint8Array => signature.map((byte, i) => (i === 63 ? byte ^ 1 : byte));
const EXPIRED = { exp: NOW_SEC - CLOCK_SKEW_SEC };

const WHOLE: readonly NamedCase[] = [
  from(["good", "two policies", "ok"], { objects: BOTH }),
  from(["empty", "a namespace without policies", "ok"], {}),
  from(
    ["any-order", "statements in another order than the set", "ok"],
    { objects: BOTH, envelopes: [DENY_TEXT, ALLOW_TEXT] },
    [DENY, ALLOW],
  ),
  from(["other-versions", "versions of statements are their own", "ok"], { objects: [ALLOW_2, DENY] }),
  from(["wanted-use", "a set is wanted of a namespace", "USE"], { objects: BOTH, want: { use: "set" } }),
  from(["fresh-missing", "no fresh", "FRESH_STALE"], { objects: BOTH, without: ["fresh"] }),
  from(["fresh-expired", "fresh is expired", "FRESH_STALE"], { objects: BOTH, fresh: { claims: EXPIRED } }),
  from(["fresh-ahead", "iat of fresh lies ahead", "NOT_YET_VALID"], {
    objects: BOTH,
    fresh: { claims: { iat: NOW_SEC + CLOCK_SKEW_SEC + 1, exp: NOW_SEC + 3_600 } },
  }),
  from(["fresh-ttl", "fresh lives too long", "TTL_TOO_LONG"], {
    objects: BOTH,
    fresh: { claims: { exp: NOW_SEC + 86_400 } },
  }),
  from(["fresh-signature", "fresh with a bad signature", "SIGNATURE"], {
    objects: BOTH,
    fresh: { signature: flipLast },
  }),
  from(["fresh-by-stranger", "fresh signed by a stranger", "KEY_UNKNOWN"], {
    objects: BOTH,
    fresh: { signers: ["stranger"] },
  }),
  from(["fresh-by-cfg", "fresh signed by a cfg key", "ok"], { objects: BOTH, fresh: { signers: ["cfg"] } }),
  from(["fresh-text", "fresh is not base64url", "PROTO"], { objects: BOTH, replace: { fresh: "=" } }),
  from(["fresh-is-set", "the set where fresh should be", "USE"], {
    objects: BOTH,
    replace: { fresh: statementsOf({ objects: BOTH }).set },
  }),
  from(["set-missing", "no set", "SET_MISMATCH"], { objects: BOTH, without: ["set"] }),
  from(["set-expired", "the set is expired", "EXPIRED"], { objects: BOTH, set: { claims: EXPIRED } }),
  from(["set-signature", "the set has a bad signature", "SIGNATURE"], { objects: BOTH, set: { signature: flipLast } }),
  from(["set-by-fresh", "an empty set by a stolen online key", "KEY_ROLE"], { set: { signers: ["fresh"] } }),
  from(["set-ver", "fresh names another version", "SET_MISMATCH"], { objects: BOTH, names: { ver: "2" } }),
  from(["set-cd", "fresh names another set of the same version", "SET_MISMATCH"], {
    objects: BOTH,
    names: { cd: "A".repeat(43) },
  }),
  from(["set-older", "an older set beside the current fresh", "SET_MISMATCH"], {
    objects: BOTH,
    replace: { set: statementsOf({ objects: [ALLOW], set: { claims: { ver: "0" } } }).set },
  }),
  from(["fresh-older", "an older fresh beside the current set", "SET_MISMATCH"], {
    objects: BOTH,
    set: { claims: { ver: "2" } },
    replace: { fresh: statementsOf({ objects: BOTH }).fresh },
  }),
  from(["fault-of-set-first", "a set with a fault of its own that fresh does not name", "SIGNATURE"], {
    objects: BOTH,
    set: { signature: flipLast },
    names: { ver: "2" },
  }),
  from(["root-before-fresh", "an expired root, and no fresh", "EXPIRED"], {
    objects: BOTH,
    without: ["fresh"],
    nowMs: (NOW_SEC + 40 * 86_400) * 1000,
  }),
  from(["fresh-before-set", "neither fresh nor a good set", "FRESH_STALE"], {
    objects: BOTH,
    without: ["fresh"],
    set: { signature: flipLast },
  }),
];

const filler = Array.from({ length: 256 }, (_, i) => `${i}`.padStart(3, "0"));
const twice = (text: string): readonly string[] => Array.from({ length: ENVELOPES_MAX_COUNT + 1 }, () => text);

const MEMBERS: readonly NamedCase[] = [
  from(["too-many", "a statement too many; the other faults come later", "SIZE"], {
    envelopes: twice(""),
    without: ["fresh"],
  }),
  from(["not-in-set", "a policy that the set does not list", "NOT_IN_SET"], {
    objects: [ALLOW],
    envelopes: [ALLOW_TEXT, DENY_TEXT],
  }),
  from(["not-in-set-empty", "a policy beside an empty set", "NOT_IN_SET"], { envelopes: [ALLOW_TEXT] }),
  from(["mixed-older", "an older version than the set lists", "MIXED"], { objects: [ALLOW_2], envelopes: ALLOW.texts }),
  from(["mixed-newer", "a newer version than the set lists", "MIXED"], { objects: [ALLOW], envelopes: ALLOW_2.texts }),
  from(["mixed-content", "another content of the same version", "MIXED"], {
    objects: [ALLOW],
    envelopes: object({ name: "allow", spec: { rules: [] } }).texts,
  }),
  from(["mixed-twice", "a statement twice", "MIXED"], {
    objects: BOTH,
    envelopes: [ALLOW_TEXT, DENY_TEXT, ALLOW_TEXT],
  }),
  from(["mixed-twice-resigned", "an object twice, with different claims", "MIXED"], {
    objects: [ALLOW],
    envelopes: [ALLOW_TEXT, ...object({ name: "allow", forgery: { claims: { iat: NOW_SEC - 500 } } }).texts],
  }),
  from(["omitted", "a listed policy is missing", "OMITTED"], { objects: BOTH, envelopes: [ALLOW_TEXT] }),
  from(["omitted-all", "every policy is missing", "OMITTED"], { objects: BOTH, envelopes: [] }),
  from(["mixed-before-omitted", "one policy twice and one missing", "MIXED"], {
    objects: BOTH,
    envelopes: [ALLOW_TEXT, ALLOW_TEXT],
  }),
  from(["member-signature", "a policy with a bad signature", "SIGNATURE"], {
    objects: [ALLOW, object({ name: "deny", forgery: { signature: flipLast } })],
  }),
  from(["member-expired", "an expired policy", "EXPIRED"], {
    objects: [object({ name: "allow", forgery: { claims: EXPIRED } })],
  }),
  from(["member-text", "a statement that is not base64url", "PROTO"], {
    objects: [ALLOW],
    envelopes: [`${ALLOW_TEXT}=`],
  }),
  from(["first-fault", "the first of two faults counts", "NOT_IN_SET"], {
    objects: [ALLOW],
    envelopes: [DENY_TEXT, "="],
  }),
  from(["member-is-set", "the set among the statements", "USE"], {
    objects: [ALLOW],
    envelopes: [ALLOW_TEXT, statementsOf({ objects: [ALLOW] }).set],
  }),
  from(["own-fault-before-set", "a bad signature on a policy that is not listed", "SIGNATURE"], {
    objects: [ALLOW],
    envelopes: [ALLOW_TEXT, ...object({ name: "deny", forgery: { signature: flipLast } }).texts],
  }),
  from(["threshold-two", "everything signed by two of two", "ok"], {
    objects: [object({ name: "allow", forgery: { signers: ["cfg", "cfg-2"] } })],
    set: { signers: ["cfg-2", "cfg"] },
    root: { keys: [...KEYS, ["cfg-2", "cfg"]], changes: { thresholds: thresholds({ cfg: 2 }) } },
  }),
  from(["threshold-set", "a set signed by one of two", "THRESHOLD"], {
    objects: [object({ name: "allow", forgery: { signers: ["cfg", "cfg-2"] } })],
    root: { keys: [...KEYS, ["cfg-2", "cfg"]], changes: { thresholds: thresholds({ cfg: 2 }) } },
  }),
];

/** Statements of `object` for one recipient. */
const textFor = (sealed: ListedObject, id: string): string => {
  const cds = sealed.entry["cds"] as readonly { rcp?: string }[];
  return sealed.texts[cds.findIndex(({ rcp }) => rcp === ownId(id))] ?? "";
};
const BROKEN_FOR_A = object({
  name: "broken",
  readers: ["a"],
  seal: { body: (body) => body.map((byte, i) => (i === 90 ? byte ^ 1 : byte)) },
});

const SEALED_CASES: readonly NamedCase[] = [
  from(["sealed", "a plain and a sealed policy", "ok"], {
    objects: [ALLOW, SEALED],
    envelopes: [ALLOW_TEXT, textFor(SEALED, "a")],
    reader: "a",
  }),
  from(["sealed-all", "the copy of another recipient is there too", "ok"], { objects: [ALLOW, SEALED], reader: "a" }),
  from(["sealed-other-key", "the other recipient reads its own copy", "ok"], { objects: [SEALED], reader: "b" }),
  from(["sealed-omitted", "our copy is missing", "OMITTED"], {
    objects: [SEALED],
    envelopes: [textFor(SEALED, "b")],
    reader: "a",
  }),
  from(["sealed-others-omitted", "the other recipient's copy is missing", "ok"],
    { objects: [SEALED], envelopes: [textFor(SEALED, "b")], reader: "b" }), // prettier-ignore
  from(["sealed-not-for-us", "a policy that is sealed for another yields nothing", "ok"],
    { objects: [ALLOW, FOR_B], rcps: [ownId("a"), ownId("b")].sort(), reader: "a" }, [ALLOW]), // prettier-ignore
  from(["sealed-not-for-us-absent", "a policy that is sealed for another may be missing", "ok"],
    { objects: [ALLOW, FOR_B], envelopes: ALLOW.texts, rcps: [ownId("a"), ownId("b")].sort(), reader: "a" }, [ALLOW]), // prettier-ignore
  from(["sealed-without-key", "a sealed policy, and we have no key", "RECIPIENT"], { objects: [ALLOW, SEALED] }),
  from(["sealed-wrong-key", "our key is not in rcps", "RECIPIENT"], { objects: [ALLOW, SEALED], reader: "c" }),
  from(["rcps-without-sealed", "rcps without us, though nothing is sealed", "RECIPIENT"], {
    objects: [ALLOW],
    rcps: [ownId("b")],
    reader: "a",
  }),
  from(["rcps-without-key", "rcps, and we have no key, though nothing is sealed", "RECIPIENT"], {
    objects: [ALLOW],
    rcps: [ownId("b")],
  }),
  from(["rcps-empty-with-key", "a key that nothing is sealed for, and no rcps", "ok"], {
    objects: [ALLOW],
    reader: "a",
  }),
  from(["recipient-before-members", "our key is not in rcps, and a policy is malformed", "RECIPIENT"], {
    objects: [SEALED],
    envelopes: ["="],
    reader: "c",
  }),
  from(["sealed-broken", "our copy does not decrypt", "DECRYPT"], { objects: [BROKEN_FOR_A], reader: "a" }),
  from(["sealed-broken-unwanted", "our copy of a type that is not wanted does not decrypt", "ok"],
    { objects: [BROKEN_FOR_A], reader: "a", want: { use: "cfg", rt: "other" } }, []), // prettier-ignore
  from(["sealed-broken-not-ours", "another's copy does not decrypt", "ok"],
    { objects: [ALLOW, BROKEN_FOR_A], rcps: [ownId("a"), ownId("b")].sort(), reader: "b" }, [ALLOW]), // prettier-ignore
  from(["sealed-as-plain", "a plain statement where the set lists a sealed one", "MIXED"], {
    objects: [SEALED],
    envelopes: object({ name: "sealed" }).texts,
    reader: "a",
  }),
  from(["plain-as-sealed", "a sealed statement where the set lists a plain one", "MIXED"], {
    objects: [object({ name: "sealed" })],
    envelopes: [textFor(SEALED, "a")],
    reader: "a",
  }),
  from(["sealed-stranger", "a copy for a recipient that the entry does not list", "MIXED"], {
    objects: [FOR_B],
    rcps: [ownId("a"), ownId("b")].sort(),
    envelopes: [...FOR_B.texts, ...object({ name: "for-b", readers: ["a"] }).texts],
    reader: "b",
  }),
  from(["sealed-twice", "our copy twice", "MIXED"], {
    objects: [SEALED],
    envelopes: [...SEALED.texts, textFor(SEALED, "a")],
    reader: "a",
  }),
  from(["sealed-swapped-rcp", "our copy under the rcp of the other recipient", "MIXED"], {
    objects: [SEALED],
    envelopes: object({ name: "sealed", readers: ["a"], forgery: { claims: { rcp: ownId("b") } } }).texts,
    reader: "a",
  }),
];

const byType = { use: "cfg", rt: POLICY_TYPE };
const BAD_PAYLOAD = object({ name: "guard", kind: "RequestAuthentication", forgery: { data: new Uint8Array(3) } });

const WANTED: readonly NamedCase[] = [
  from(["wanted-type", "a type that is not wanted yields nothing", "ok"], { objects: [ALLOW, GUARD], want: byType }, [
    ALLOW,
  ]),
  from(["wanted-type-absent", "a type that is not wanted may be missing", "ok"],
    { objects: [ALLOW, GUARD], envelopes: ALLOW.texts, want: byType }, [ALLOW]), // prettier-ignore
  from(["wanted-type-omitted", "the wanted type is missing", "OMITTED"], {
    objects: [ALLOW, GUARD],
    envelopes: GUARD.texts,
    want: byType,
  }),
  from(["wanted-name", "a name that is not wanted yields nothing", "ok"],
    { objects: BOTH, want: { use: "cfg", name: "team-a/deny" } }, [DENY]), // prettier-ignore
  from(["wanted-name-omitted", "the wanted name is missing", "OMITTED"],
    { objects: BOTH, envelopes: ALLOW.texts, want: { use: "cfg", name: "team-a/deny" } }), // prettier-ignore
  from(["wanted-nothing", "nothing of the wanted type", "ok"], { objects: BOTH, want: { use: "cfg", rt: "x" } }, []),
  from(["unwanted-signature", "a type that is not wanted, with a bad signature", "SIGNATURE"], {
    objects: [ALLOW, object({ name: "guard", kind: "RequestAuthentication", forgery: { signature: flipLast } })],
    want: byType,
  }),
  from(["unwanted-payload", "a type that is not wanted, with a malformed payload", "PAYLOAD"], {
    objects: [ALLOW, BAD_PAYLOAD],
    want: byType,
  }),
  from(["unwanted-not-in-set", "a type that is not wanted and not listed", "NOT_IN_SET"], {
    objects: [ALLOW],
    envelopes: [ALLOW_TEXT, ...GUARD.texts],
    want: byType,
  }),
];

/** Made when asked for: five hundred signatures take a second. */
export function namespaceCases(): readonly NamedCase[] {
  const sealed = filler.map((name) => object({ name, readers: ["a", "b"] }));
  const most = from(["most", "as many statements as there may be", "ok"], { objects: sealed, reader: "a" });
  return [...WHOLE, ...MEMBERS, ...SEALED_CASES, ...WANTED, most];
}
