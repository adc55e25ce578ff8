/** Payloads of cfg, set and fresh (docs/envelope.md section 5), and strict JSON in them (section 1.1). */
import { utf8 } from "../../../xds-proxy/src/bytes/octets.ts";
import { keyIdOf } from "../../../xds-proxy/src/crypto/sha256.ts";
import type { Code } from "../../../xds-proxy/src/gen/codes.ts";
import { SET_ENTRIES_MAX_COUNT } from "../../../xds-proxy/src/gen/limits.ts";
import { single } from "../case.ts";
import type { NamedCase } from "../case.ts";
import { json, policyValue } from "../documents.ts";
import { forgeText, POLICY_TYPE } from "../forge.ts";
import { reader } from "../keys.ts";

type Verdict = "ok" | "PAYLOAD";
type Row = readonly [name: string, comment: string, verdict: Verdict];

const SIGNER: Readonly<Record<string, string>> = { cfg: "cfg", set: "cfg", fresh: "fresh" };

function payload(use: string, [name, comment, verdict]: Row, data: Uint8Array): NamedCase {
  const expect = verdict === "ok" ? [data] : (verdict satisfies Code);
  const envelopes = [forgeText({ use, data, signers: [SIGNER[use] ?? ""] })];
  return [`payload-${use}-${name}`, single({ comment, expect, envelopes, want: { use } })];
}

const cfg = (row: Row, value: unknown): NamedCase => payload("cfg", row, json(value));
const POLICY = policyValue();
const policy = (row: Row, changes: object): NamedCase => cfg(row, { ...POLICY, ...changes });
const metadata = (row: Row, changes: object): NamedCase =>
  policy(row, { metadata: { name: "allow", namespace: "team-a", ...changes } });
/** A policy whose `spec` is this text. */
const spec = (row: Row, text: string | Uint8Array): NamedCase => {
  const [before = "", after = ""] = JSON.stringify({ ...POLICY, spec: "SPEC" }).split('"SPEC"');
  return payload("cfg", row, Buffer.concat([utf8(before), typeof text === "string" ? utf8(text) : text, utf8(after)]));
};

const nested = (depth: number): string => `${'{"a":'.repeat(depth - 1)}{}${"}".repeat(depth - 1)}`;

const OBJECTS: readonly NamedCase[] = [
  cfg(["good", "a policy", "ok"], POLICY),
  cfg(["array", "a list of objects", "PAYLOAD"], [POLICY]),
  payload("cfg", ["text", "no JSON", "PAYLOAD"], utf8("apiVersion: v1\n")),
  payload("cfg", ["trailing-newline", "a newline after the object", "PAYLOAD"], utf8(`${JSON.stringify(POLICY)}\n`)),
  payload("cfg", ["two-documents", "two objects", "PAYLOAD"], utf8(JSON.stringify(POLICY).repeat(2))),
  payload("cfg", ["indented", "white space inside", "ok"], utf8(JSON.stringify(POLICY, null, 2))),
  payload("cfg", ["bom", "a byte order mark before the object", "PAYLOAD"], utf8(`\ufeff${JSON.stringify(POLICY)}`)),
  policy(["status", "a member status, as the Kubernetes API adds it", "PAYLOAD"], { status: {} }),
  policy(["without-spec", "no spec", "PAYLOAD"], { spec: undefined }),
  policy(["spec-array", "spec is an array", "PAYLOAD"], { spec: [] }),
  policy(["spec-null", "spec is null", "PAYLOAD"], { spec: null }),
  policy(["kind-number", "kind is a number", "PAYLOAD"], { kind: 1 }),
  policy(["kind-other", "another kind than rt", "PAYLOAD"], { kind: "RequestAuthentication" }),
  policy(["version-other", "another apiVersion than rt", "PAYLOAD"], { apiVersion: "security.istio.io/v1beta1" }),
  policy(["rt-split-elsewhere", "apiVersion and kind that make the same rt", "ok"], {
    apiVersion: "security.istio.io",
    kind: "v1/AuthorizationPolicy",
  }),
  policy(["metadata-absent", "no metadata", "PAYLOAD"], { metadata: undefined }),
  policy(["metadata-string", "metadata is a string", "PAYLOAD"], { metadata: "team-a/allow" }),
  metadata(["labels", "other members of metadata", "ok"], { labels: { a: "b" }, annotations: {} }),
  metadata(["name-absent", "no name", "PAYLOAD"], { name: undefined }),
  metadata(["name-other", "another name than the claim", "PAYLOAD"], { name: "deny" }),
  metadata(["namespace-absent", "no namespace", "PAYLOAD"], { namespace: undefined }),
  metadata(["namespace-other", "another namespace than the claims", "PAYLOAD"], { namespace: "team-b" }),
  metadata(["namespace-null", "namespace is null", "PAYLOAD"], { namespace: null }),
  [
    "payload-cfg-namespace-foreign",
    single({
      comment: "an object of another namespace, and a claim name that fits it",
      expect: "PAYLOAD",
      envelopes: [
        forgeText({
          use: "cfg",
          data: json(policyValue({ ns: "team-b" })),
          signers: ["cfg"],
          claims: { name: "team-b/allow" },
        }),
      ],
    }),
  ],
];

const JSON_TEXTS: readonly NamedCase[] = [
  spec(["negative", "negative integers", "ok"], '{"a":-1,"b":-9007199254740991}'),
  spec(["negative-over", "-2^53", "PAYLOAD"], '{"a":-9007199254740992}'),
  spec(["minus-zero", "-0", "PAYLOAD"], '{"a":-0}'),
  spec(["minus-alone", "a minus sign alone", "PAYLOAD"], '{"a":-}'),
  spec(["integer-largest", "2^53-1", "ok"], '{"a":9007199254740991}'),
  spec(["integer-over", "2^53", "PAYLOAD"], '{"a":9007199254740992}'),
  spec(["fraction", "a fraction", "PAYLOAD"], '{"a":1.5}'),
  spec(["fraction-zero", "a fraction that is an integer", "PAYLOAD"], '{"a":1.0}'),
  spec(["exponent", "an exponent", "PAYLOAD"], '{"a":1e2}'),
  spec(["hexadecimal", "a hexadecimal number", "PAYLOAD"], '{"a":0x10}'),
  spec(["depth-most", "as deep as allowed", "ok"], nested(15)),
  spec(["depth", "one level too deep", "PAYLOAD"], nested(16)),
  spec(["depth-arrays", "arrays one level too deep", "PAYLOAD"], `{"a":${"[".repeat(15)}${"]".repeat(15)}}`),
  spec(["depth-unclosed", "a hundred thousand open brackets", "PAYLOAD"], "[".repeat(100_000)),
  spec(["duplicate-deep", "a member twice, far inside", "PAYLOAD"], '{"a":[{"b":{"c":1,"c":1}}]}'),
  spec(["duplicate-siblings", "the same member in two objects", "ok"], '{"a":{"c":1},"b":{"c":1}}'),
  spec(["duplicate-nfc", "names that are equal only after normalisation", "ok"], '{"\\u00e9":1,"e\\u0301":1}'),
  spec(["duplicate-surrogates", "a name twice, once as an escaped pair", "PAYLOAD"], '{"\\ud83d\\ude00":1,"😀":1}'),
  spec(["proto-member", "a member __proto__", "ok"], '{"__proto__":{"a":1}}'),
  spec(["empty-name", "an empty member name", "ok"], '{"":1}'),
  spec(["words", "true, false and null", "ok"], '{"a":[true,false,null]}'),
  spec(["word-truncated", "the word nul", "PAYLOAD"], '{"a":nul}'),
  spec(["comment", "a comment", "PAYLOAD"], "{/* */}"),
  spec(["lone-surrogate", "a lone surrogate in a value", "PAYLOAD"], '{"a":"\\udc00"}'),
  spec(["lone-surrogate-name", "a lone surrogate in a name", "PAYLOAD"], '{"\\ud800":1}'),
  spec(["raw-surrogate", "a surrogate in UTF-8", "PAYLOAD"], Buffer.from("7b2261223a22eda080227d", "hex")),
  spec(["raw-newline", "a raw line feed inside a string", "PAYLOAD"], '{"a":"\n"}'),
  spec(["noncharacter", "U+FFFF and U+10FFFF", "ok"], '{"a":"\uffff\u{10ffff}"}'),
  spec(["missing-colon", "no colon", "PAYLOAD"], '{"a" 1}'),
  spec(["missing-comma", "no comma", "PAYLOAD"], '{"a":[1 2]}'),
  spec(["trailing-comma", "a comma after the last item", "PAYLOAD"], '{"a":[1,]}'),
  spec(["name-number", "a number as a name", "PAYLOAD"], "{1:1}"),
];

const R1 = keyIdOf(reader("a").p256dh);
const R2 = keyIdOf(reader("b").p256dh);
const [FIRST = "", SECOND = ""] = [R1, R2].sort();
const CD = "A".repeat(43);

interface EntryChanges {
  readonly rt?: unknown;
  readonly name?: unknown;
  readonly ver?: unknown;
  readonly cds?: unknown;
}

const entry = (changes: EntryChanges & object = {}): object => ({
  rt: POLICY_TYPE,
  name: "team-a/allow",
  ver: "1",
  cds: [{ cd: CD }],
  ...changes,
});
const setOf = (entries: readonly unknown[], changes: object = {}): object => ({
  kind: "Set",
  rcps: [],
  entries,
  ...changes,
});
const set = (row: Row, value: unknown): NamedCase => payload("set", row, json(value));
const sealedFor = (...rcps: readonly string[]): object => entry({ cds: rcps.map((rcp) => ({ cd: CD, rcp })) });
const names = (count: number): readonly object[] =>
  Array.from({ length: count }, (_, i) => entry({ name: `team-a/${String(i).padStart(3, "0")}` }));

const SETS: readonly NamedCase[] = [
  set(["empty", "no entries", "ok"], setOf([])),
  set(
    ["sorted", "entries sorted by rt, then name", "ok"],
    setOf([entry(), entry({ name: "team-a/b" }), entry({ rt: "t" })]),
  ),
  set(["unsorted-name", "names in the wrong order", "PAYLOAD"], setOf([entry({ name: "b" }), entry({ name: "a" })])),
  set(
    ["unsorted-rt", "types in the wrong order", "PAYLOAD"],
    setOf([entry({ rt: "b", name: "a" }), entry({ rt: "a", name: "b" })]),
  ),
  set(["duplicate", "an object twice", "PAYLOAD"], setOf([entry(), entry()])),
  set(["duplicate-ver", "two versions of an object", "PAYLOAD"], setOf([entry(), entry({ ver: "2" })])),
  set(
    ["utf8-order", "U+FFFF before U+10000, the order of UTF-8", "ok"],
    setOf([entry({ rt: "\uffff" }), entry({ rt: "\u{10000}" })]),
  ),
  set(["utf16-order", "U+10000 before U+FFFF, the order of UTF-16", "PAYLOAD"],
    setOf([entry({ rt: "\u{10000}" }), entry({ rt: "\uffff" })])), // prettier-ignore
  set(
    ["prefix-order", "a name before a longer one that begins with it", "ok"],
    setOf([entry({ name: "a" }), entry({ name: "ab" })]),
  ),
  set(["most", "as many entries as there may be", "ok"], setOf(names(SET_ENTRIES_MAX_COUNT))),
  set(["too-many", "one entry too many", "PAYLOAD"], setOf(names(SET_ENTRIES_MAX_COUNT + 1))),
  set(["kind", "another kind", "PAYLOAD"], setOf([], { kind: "set" })),
  set(["without-rcps", "no rcps", "PAYLOAD"], setOf([], { rcps: undefined })),
  set(["extra", "an unknown member", "PAYLOAD"], setOf([], { ver: "1" })),
  set(["entries-object", "entries is an object", "PAYLOAD"], setOf([], { entries: {} })),
  set(["entry-extra", "an unknown member in an entry", "PAYLOAD"], setOf([entry({ rcp: R1 } as EntryChanges)])),
  set(["entry-without-ver", "an entry without ver", "PAYLOAD"], setOf([entry({ ver: undefined })])),
  set(["ver-number", "ver as a number", "PAYLOAD"], setOf([entry({ ver: 1 })])),
  set(["ver-leading-zero", "ver with a leading zero", "PAYLOAD"], setOf([entry({ ver: "01" })])),
  set(["ver-over", "ver is 2^64", "PAYLOAD"], setOf([entry({ ver: "18446744073709551616" })])),
  set(["cds-empty", "no digest", "PAYLOAD"], setOf([entry({ cds: [] })])),
  set(["cds-two-plain", "two digests without rcp", "PAYLOAD"], setOf([entry({ cds: [{ cd: CD }, { cd: CD }] })])),
  set(
    ["cds-mixed", "a digest without rcp and one with", "PAYLOAD"],
    setOf([entry({ cds: [{ cd: CD }, { cd: CD, rcp: R1 }] })], { rcps: [R1] }),
  ),
  set(["cds-extra", "an unknown member beside cd", "PAYLOAD"], setOf([entry({ cds: [{ cd: CD, ver: "1" }] })])),
  set(["cds-rcp-null", "rcp is null", "PAYLOAD"], setOf([entry({ cds: [{ cd: CD, rcp: null }] })])),
  set(["cd-short", "a digest of 42 characters", "PAYLOAD"], setOf([entry({ cds: [{ cd: "A".repeat(42) }] })])),
  set(
    ["cd-unused-bits", "a digest with unused bits that are not zero", "PAYLOAD"],
    setOf([entry({ cds: [{ cd: `${"A".repeat(42)}B` }] })]),
  ),
  set(["sealed", "sealed for two", "ok"], setOf([sealedFor(FIRST, SECOND)], { rcps: [FIRST, SECOND] })),
  set(["sealed-unsorted", "recipients of an entry in the wrong order", "PAYLOAD"],
    setOf([sealedFor(SECOND, FIRST)], { rcps: [FIRST, SECOND] })), // prettier-ignore
  set(
    ["sealed-twice", "a recipient of an entry twice", "PAYLOAD"],
    setOf([sealedFor(FIRST, FIRST)], { rcps: [FIRST] }),
  ),
  set(
    ["sealed-stranger", "a recipient that is not in rcps", "PAYLOAD"],
    setOf([sealedFor(FIRST, SECOND)], { rcps: [FIRST] }),
  ),
  set(["rcps-unused", "rcps of which nothing is sealed for", "ok"], setOf([entry()], { rcps: [FIRST] })),
  set(["rcps-unsorted", "rcps in the wrong order", "PAYLOAD"], setOf([], { rcps: [SECOND, FIRST] })),
  set(["rcps-twice", "a recipient twice in rcps", "PAYLOAD"], setOf([], { rcps: [FIRST, FIRST] })),
  set(["rcps-no-key-id", "a text in rcps that is no key id", "PAYLOAD"], setOf([], { rcps: ["a"] })),
  set(["rcps-43-chars", "a whole digest in rcps", "PAYLOAD"], setOf([], { rcps: [CD] })),
  payload("set", ["negative", "a negative number", "PAYLOAD"], utf8('{"kind":"Set","rcps":[],"entries":[-1]}')),
];

const fresh = (row: Row, value: unknown): NamedCase => payload("fresh", row, json(value));
const FRESHES: readonly NamedCase[] = [
  fresh(["good", "the current set", "ok"], { kind: "Fresh", set: { ver: "18446744073709551615", cd: CD } }),
  fresh(["kind", "another kind", "PAYLOAD"], { kind: "Set", set: { ver: "1", cd: CD } }),
  fresh(["without-cd", "no digest", "PAYLOAD"], { kind: "Fresh", set: { ver: "1" } }),
  fresh(["without-set", "no set", "PAYLOAD"], { kind: "Fresh" }),
  fresh(["ver-number", "ver as a number", "PAYLOAD"], { kind: "Fresh", set: { ver: 1, cd: CD } }),
  fresh(["cd-short", "a digest of 42 characters", "PAYLOAD"], { kind: "Fresh", set: { ver: "1", cd: "A".repeat(42) } }),
  fresh(["extra", "an unknown member", "PAYLOAD"], { kind: "Fresh", set: { ver: "1", cd: CD }, iat: 1 }),
  fresh(["set-extra", "an unknown member in set", "PAYLOAD"], { kind: "Fresh", set: { ver: "1", cd: CD, rt: "" } }),
];

export const PAYLOAD_CASES: readonly NamedCase[] = [...OBJECTS, ...JSON_TEXTS, ...SETS, ...FRESHES];
