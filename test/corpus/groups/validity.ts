/** Times, epoch, digest, encoding, and what is wanted (docs/envelope.md section 6, steps 10 to 14). */
import { encodeBase64Url } from "../../../xds-proxy/src/bytes/base64url.ts";
import type { Code } from "../../../xds-proxy/src/gen/codes.ts";
import { CFG_TTL_MAX_SEC, CLOCK_SKEW_SEC, PUSH_TTL_MAX_SEC } from "../../../xds-proxy/src/gen/limits.ts";
import { single } from "../case.ts";
import type { CaseWant, NamedCase, Single } from "../case.ts";
import { json, policyValue } from "../documents.ts";
import { forgeText, NOW_SEC, POLICY_TYPE, RESPONSE_TYPE } from "../forge.ts";
import type { ClaimValues, Forgery } from "../forge.ts";
import { fixedBytes } from "../keys.ts";

const GOOD: Forgery = { use: "cfg", data: json(policyValue()), signers: ["cfg"] };
const FRESH: Forgery = {
  use: "fresh",
  data: json({ kind: "Fresh", set: { ver: "1", cd: "A".repeat(43) } }),
  signers: ["fresh"],
};
const PUSH: Forgery = { use: "push", data: fixedBytes("a discovery response"), signers: ["push"] };

type Row = readonly [name: string, comment: string, verdict: "ok" | Code];

function from([name, comment, verdict]: Row, statement: Forgery, more: Partial<Single> = {}): NamedCase {
  const expect = verdict === "ok" ? [statement.data] : verdict;
  const want = { use: statement.use };
  return [`validity-${name}`, single({ comment, expect, envelopes: [forgeText(statement)], want, ...more })];
}

const claim = (row: Row, claims: ClaimValues): NamedCase => from(row, { ...GOOD, claims });
const times = (row: Row, statement: Forgery, claims: ClaimValues, nowMs = NOW_SEC * 1000): NamedCase =>
  from(row, { ...statement, claims }, { nowMs });

const SOON = { exp: NOW_SEC + 600 };
const NOW_MS = NOW_SEC * 1000;
const TIMES: readonly NamedCase[] = [
  times(["iat-skew", "iat is as far ahead as the skew allows", "ok"], GOOD, { ...SOON, iat: NOW_SEC + CLOCK_SKEW_SEC }),
  times(["iat-ahead", "iat is one second further ahead", "NOT_YET_VALID"], GOOD, {
    ...SOON,
    iat: NOW_SEC + CLOCK_SKEW_SEC + 1,
  }),
  times(["iat-ahead-1ms", "iat is one millisecond further ahead", "NOT_YET_VALID"],
    GOOD, { ...SOON, iat: NOW_SEC + CLOCK_SKEW_SEC }, NOW_MS - 1), // prettier-ignore
  times(
    ["exp-last-ms", "the last millisecond before the end", "ok"],
    GOOD,
    { exp: NOW_SEC - CLOCK_SKEW_SEC },
    NOW_MS - 1,
  ),
  times(["exp-passed", "the first millisecond after the end", "EXPIRED"], GOOD, { exp: NOW_SEC - CLOCK_SKEW_SEC }),
  times(["exp-long-ago", "expired a year ago", "EXPIRED"], GOOD, {
    exp: NOW_SEC - 31_536_000,
    iat: NOW_SEC - 31_536_060,
  }),
  times(["ttl-cfg-longest", "the longest lifetime of a cfg", "ok"], GOOD, {
    exp: NOW_SEC + CFG_TTL_MAX_SEC,
    iat: NOW_SEC,
  }),
  times(["ttl-cfg", "a lifetime one second too long", "TTL_TOO_LONG"], GOOD, {
    exp: NOW_SEC + CFG_TTL_MAX_SEC + 1,
    iat: NOW_SEC,
  }),
  times(["exp-largest", "exp is 2^53-1", "TTL_TOO_LONG"], GOOD, { exp: Number.MAX_SAFE_INTEGER }),
  times(["iat-largest", "iat is 2^53-2", "NOT_YET_VALID"], GOOD, {
    exp: Number.MAX_SAFE_INTEGER,
    iat: Number.MAX_SAFE_INTEGER - 1,
  }),
  times(["iat-zero", "iat is 0", "TTL_TOO_LONG"], GOOD, { iat: 0 }),
  times(["ttl-fresh-longest", "the longest lifetime that the root allows a fresh", "ok"],
    FRESH, { exp: NOW_SEC + 86_400, iat: NOW_SEC }), // prettier-ignore
  times(["ttl-fresh", "a fresh that lives one second too long", "TTL_TOO_LONG"],
    FRESH, { exp: NOW_SEC + 86_401, iat: NOW_SEC }), // prettier-ignore
  times(["fresh-expired", "a fresh by itself that is late", "EXPIRED"], FRESH, { exp: NOW_SEC - CLOCK_SKEW_SEC }),
  times(["ttl-push-longest", "the longest lifetime of a push", "ok"],
    PUSH, { exp: NOW_SEC + PUSH_TTL_MAX_SEC, iat: NOW_SEC }), // prettier-ignore
  times(["ttl-push", "a push that lives one second too long", "TTL_TOO_LONG"],
    PUSH, { exp: NOW_SEC + PUSH_TTL_MAX_SEC + 1, iat: NOW_SEC }), // prettier-ignore
  times(["ahead-before-ttl", "iat lies ahead and the lifetime is too long", "NOT_YET_VALID"],
    GOOD, { iat: NOW_SEC + 100, exp: NOW_SEC + 2 * CFG_TTL_MAX_SEC }), // prettier-ignore
  times(["expired-before-ttl", "expired, and the lifetime was too long", "EXPIRED"],
    GOOD, { iat: NOW_SEC - 2 * CFG_TTL_MAX_SEC, exp: NOW_SEC - 3_600 }), // prettier-ignore
  times(["times-before-epoch", "expired, and of a later root", "EXPIRED"], GOOD, { exp: NOW_SEC - 61, ep: 9 }),
];

const epoch = (row: Row, ep: number): NamedCase => {
  const root = { changes: { ep: 5, minEp: 3 } };
  return from(row, { ...GOOD, claims: { ep } }, { root });
};

function flipped(data: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(data);
  copy[10] = (copy[10] ?? 0) ^ 1;
  return copy;
}

const CONTENT: readonly NamedCase[] = [
  epoch(["ep-oldest", "ep is minEp", "ok"], 3),
  epoch(["ep-revoked", "ep is below minEp", "EPOCH"], 2),
  epoch(["ep-current", "ep is that of the root", "ok"], 5),
  epoch(["ep-ahead", "ep is that of a root which is not there", "EPOCH"], 6),
  claim(["ep-zero", "ep is 0", "EPOCH"], { ep: 0 }),
  claim(["len-short", "len is one less than the length", "LENGTH"], { len: GOOD.data.length - 1 }),
  claim(["len-long", "len is one more than the length", "LENGTH"], { len: GOOD.data.length + 1 }),
  claim(["len-zero", "len is 0", "LENGTH"], { len: 0 }),
  claim(["epoch-before-length", "ep and len are wrong", "EPOCH"], { ep: 2, len: 0 }),
  claim(["length-before-digest", "len and cd are wrong", "LENGTH"], { len: 0, cd: "x" }),
  claim(["cd-empty", "cd is empty", "DIGEST"], { cd: "" }),
  claim(["cd-other", "cd is the digest of something else", "DIGEST"], { cd: "A".repeat(43) }),
  from(["data-flipped", "one bit of data is flipped", "DIGEST"], { ...GOOD, sentData: flipped }),
  from(["data-swapped", "another policy of the same length", "DIGEST"], {
    ...GOOD,
    sentData: () => json(policyValue({ name: "allaw" })),
  }),
  from(["data-longer", "a byte after data", "LENGTH"], { ...GOOD, sentData: (data) => Uint8Array.of(...data, 32) }),
  from(["encoding-without-ce", "content_encoding 1 without ce", "ENCODING"], { ...GOOD, contentEncoding: 1 }),
  from(["encoding-2", "a content_encoding that does not exist", "ENCODING"], { ...GOOD, contentEncoding: 2 }),
  from(["encoding-negative", "content_encoding -1", "ENCODING"], { ...GOOD, contentEncoding: -1 }),
  from(["digest-before-encoding", "data and content_encoding are wrong", "DIGEST"], {
    ...GOOD,
    sentData: flipped,
    contentEncoding: 1,
  }),
];

const wanted = (row: Row, statement: Forgery, want: Omit<CaseWant, "use">): NamedCase =>
  from(row, statement, { want: { use: statement.use, ...want } });

const SID = encodeBase64Url(fixedBytes("session").subarray(0, 16));
const IN_SESSION: Forgery = { ...PUSH, claims: { sid: SID, seq: "7" } };
const HEARTBEAT: Forgery = {
  ...{ use: "push", data: json({ kind: "Heartbeat", types: [] }), signers: ["push"] },
  claims: { rt: "wpgate/Heartbeat", sid: SID, seq: "8" },
};
const pushClaim = (row: Row, claims: ClaimValues): NamedCase => from(row, { ...PUSH, claims });

const WANTED: readonly NamedCase[] = [
  wanted(["type", "the wanted type and name", "ok"], GOOD, { rt: POLICY_TYPE, name: "team-a/allow" }),
  wanted(["type-other", "another type than wanted", "TYPE"], GOOD, { rt: "wpgate.dev/v1/Guard" }),
  wanted(["name-other", "another name than wanted", "NAME"], GOOD, { name: "team-a/deny" }),
  wanted(["name-prefix", "a name that begins with the wanted one", "NAME"], GOOD, { name: "team-a/al" }),
  wanted(["type-before-name", "another type and name than wanted", "TYPE"], GOOD, { rt: "x", name: "x" }),
  wanted(["type-of-set", "a type is wanted of a set, which has none", "TYPE"],
    { use: "set", data: json({ kind: "Set", rcps: [], entries: [] }), signers: ["cfg"] }, { rt: POLICY_TYPE }), // prettier-ignore
  wanted(["name-of-fresh", "a name is wanted of a fresh, which has none", "NAME"], FRESH, { name: "team-a/allow" }),
  wanted(["session-of-cfg", "a session is not asked of a cfg", "ok"], GOOD, { sid: SID, seq: "1" }),
  from(["push", "a push without a session", "ok"], { ...PUSH, claims: { sid: "" } }),
  wanted(["session", "the wanted session and sequence number", "ok"], IN_SESSION, {
    sid: SID,
    seq: "7",
    rt: RESPONSE_TYPE,
  }),
  wanted(["session-other", "a push of another session", "SESSION"], IN_SESSION, {
    sid: encodeBase64Url(new Uint8Array(16)),
    seq: "7",
  }),
  wanted(["session-none", "a push of no session where one is wanted", "SESSION"],
    { ...PUSH, claims: { sid: "" } }, { sid: SID }), // prettier-ignore
  wanted(["session-empty-wanted", "a push of a session where none is wanted", "SESSION"], IN_SESSION, { sid: "" }),
  wanted(["sequence-repeated", "a push that came before", "SEQUENCE"], IN_SESSION, { sid: SID, seq: "8" }),
  wanted(["sequence-gap", "a push before this one is missing", "SEQUENCE"], IN_SESSION, { sid: SID, seq: "6" }),
  wanted(["session-before-sequence", "another session and number", "SESSION"], IN_SESSION, { sid: "", seq: "1" }),
  wanted(["heartbeat", "a heartbeat, whose payload is for its consumer", "ok"], HEARTBEAT, {
    rt: "wpgate/Heartbeat",
    sid: SID,
    seq: "8",
  }),
  wanted(["heartbeat-for-response", "a heartbeat where a response is wanted", "TYPE"], HEARTBEAT, {
    rt: RESPONSE_TYPE,
    sid: SID,
    seq: "8",
  }),
  wanted(["push-of-node", "a push for another node", "NAME"], IN_SESSION, {
    rt: RESPONSE_TYPE,
    name: "sidecar~10.0.0.2~b.team-a~local",
    sid: SID,
    seq: "7",
  }),
  wanted(["sequence-prefix", "seq begins with the wanted one", "SEQUENCE"],
    { ...PUSH, claims: { sid: SID, seq: "70" } }, { sid: SID, seq: "7" }), // prettier-ignore
  from(["push-flipped", "one bit of a push is flipped, and it came before", "DIGEST"],
    { ...IN_SESSION, sentData: flipped }, { want: { use: "push", sid: SID, seq: "8" } }), // prettier-ignore
  from(["push-expired", "a push of another session that has expired", "EXPIRED"],
    { ...PUSH, claims: { exp: NOW_SEC - CLOCK_SKEW_SEC, sid: "" } }, { want: { use: "push", sid: SID } }), // prettier-ignore
  wanted(["name-before-session", "another name and session", "NAME"], IN_SESSION, { name: "x", sid: "" }),
  pushClaim(["sid-15-bytes", "a session nonce of 15 bytes", "CLAIMS"], { sid: encodeBase64Url(new Uint8Array(15)) }),
  pushClaim(["sid-padded", "a session nonce with padding", "CLAIMS"], { sid: `${SID}==` }),
  pushClaim(["sid-unused-bits", "a session nonce with unused bits that are not zero", "CLAIMS"], {
    sid: `${"A".repeat(21)}B`,
  }),
  pushClaim(["seq-zero", "seq is 0", "CLAIMS"], { seq: "0" }),
  pushClaim(["seq-largest", "seq is 2^64-1", "ok"], { seq: "18446744073709551615" }),
  pushClaim(["seq-leading-zero", "seq with a leading zero", "CLAIMS"], { seq: "01" }),
  pushClaim(["push-with-ver", "a push with ver", "CLAIMS"], { ver: "1" }),
  pushClaim(["push-without-sid", "a push without sid", "CLAIMS"], { sid: undefined }),
  from(["push-by-cfg", "a push signed by a cfg key", "KEY_ROLE"], { ...PUSH, signers: ["cfg"] }),
];

export const VALIDITY_CASES: readonly NamedCase[] = [...TIMES, ...CONTENT, ...WANTED];
