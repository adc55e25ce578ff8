/** The root chain (docs/envelope.md section 7). */
import { utf8 } from "../../../xds-proxy/src/bytes/octets.ts";
import { varintField } from "../../../xds-proxy/src/bytes/protobuf.ts";
import { CFG_TTL_MAX_SEC, CLOCK_SKEW_SEC, ROOT_CHAIN_MAX_COUNT } from "../../../xds-proxy/src/gen/limits.ts";
import type { NamedCase } from "../case.ts";
import { KEYS, thresholds } from "../documents.ts";
import type { KeyRoles } from "../documents.ts";
import { MESH, NOW_SEC, TRUST_DOMAIN } from "../forge.ts";
import type { ClaimValues } from "../forge.ts";

import { chain, INVALID, link, one, two } from "../roots.ts";
import type { Link, Row } from "../roots.ts";

const longChain = (count: number): readonly Link[] => Array.from({ length: count }, (_, i) => link(i + 1));

const CHAINS: readonly NamedCase[] = [
  one(["good", "the pinned root alone", "ok"], {}),
  two(["two", "a successor of the pinned root", "ok"], {}),
  chain(["skipped", "roots before the pinned one", "ok"], [link(1), link(2), link(3)], { pinned: 2 }),
  chain(["middle", "a root before the pinned one and one after it", "ok"], [link(1), link(2), link(3)], { pinned: 1 }),
  chain(["skipped-anything", "a skipped root that nobody could have signed", "ok"],
    [link(9, { payload: utf8("x"), claimsText: () => "x", signature: () => utf8("x") }), link(1)], { pinned: 1 }), // prettier-ignore
  chain(["skipped-protobuf", "a skipped root that is not protobuf", INVALID], ["AAAA", link(1)], { pinned: 1 }),
  chain(["skipped-text", "a skipped root that is not base64url", "PROTO"], ["A=", link(1)], { pinned: 1 }),
  chain(["empty", "no roots", INVALID], [], { pin: link(1).cd }),
  chain(["not-pinned", "the pinned root is not there", INVALID], [link(1), link(2)], { pin: link(3).cd }),
  chain(["longest", "the longest chain", "ok"], longChain(ROOT_CHAIN_MAX_COUNT)),
  chain(["too-long", "a root too many", INVALID], longChain(ROOT_CHAIN_MAX_COUNT + 1)),
  chain(["too-long-skipped", "skipped roots count", INVALID],
    [...Array.from({ length: ROOT_CHAIN_MAX_COUNT }, () => link(1)), link(2)], { pinned: ROOT_CHAIN_MAX_COUNT }), // prettier-ignore
  chain(["gap", "a root is missing", "ROOT_GAP"], [link(1), link(3)]),
  chain(["repeated", "the pinned root twice", "ROOT_GAP"], [link(1), link(1)]),
  chain(["reversed", "a predecessor after the pinned root", "ROOT_GAP"], [link(2), link(1)]),
  chain(
    ["gap-before-signature", "a root is missing, and nobody signed", "ROOT_GAP"],
    [link(1), link(3, { signature: () => new Uint8Array() })],
  ),
  chain(
    ["gap-before-place", "a root is missing, and another mesh", "ROOT_GAP"],
    [link(1), link(3, { changes: { mesh: "m" } })],
  ),
  chain(
    ["payload-before-gap", "a root is missing, and its payload is malformed", INVALID],
    [link(1), link(3, { changes: { mode: "off" } })],
  ),
  chain(["text", "a root that is not base64url", "PROTO"], [link(1), `${link(2).text}=`]),
  chain(
    ["text-after-fault", "a malformed root before one that is not base64url", INVALID],
    [link(1, { claims: { ns: "x" } }), "="],
  ),
  chain(["protobuf", "a root that is not protobuf", INVALID], [link(1), "AAAA"]),
];

const unpinned = (): NamedCase => {
  const [name, file] = one(["unpinned", "the pin does not name the namespace", "UNPINNED"], {});
  return [name, { ...file, pin: { ...file.pin, roots: { "team-b": link(1).cd } } }];
};
const unpinnedFirst = (): NamedCase => {
  const [name, file] = chain(
    ["unpinned-first", "the pin does not name the namespace, and there are no roots", "UNPINNED"],
    [],
  );
  return [name, { ...file, pin: { ...file.pin, roots: {} } }];
};
const unpinnedProto = (): NamedCase => {
  const [name, file] = chain(
    ["unpinned-proto", "a namespace with the name of a member that every object has", "UNPINNED"],
    [link(1)],
  );
  return [name, { ...file, ns: "constructor" }];
};

const NEXT: readonly KeyRoles[] = [["root-2", "root"], ...KEYS.slice(1)];
const FIRST_KEYS: readonly KeyRoles[] = [["root", "root"], ["root-b", "root"], ["root-c", "root"], ...KEYS.slice(1)];
const ROOT_TWO = { thresholds: thresholds({ root: 2 }) };
const bad = (wrong: number) => (signature: Uint8Array, i: number) =>
  i === wrong ? new Uint8Array(64).fill(1) : signature;

const SIGNERS: readonly NamedCase[] = [
  two(["rotation", "a new root key, signed by both", "ok"], { keys: NEXT, signers: ["root", "root-2"] }),
  two(["rotation-new-first", "the new key as the sender", "ok"], { keys: NEXT, signers: ["root-2", "root"] }),
  two(["rotation-old-only", "a new root key, signed by the old one only", INVALID], { keys: NEXT, signers: ["root"] }),
  two(["rotation-new-only", "a new root key, signed by itself only", INVALID], { keys: NEXT, signers: ["root-2"] }),
  two(["successor-stranger", "a stranger beside the right signers", INVALID], { signers: ["root", "stranger"] }),
  two(["successor-cfg", "a cfg key beside the right signers", INVALID], { signers: ["root", "cfg"] }),
  two(["successor-cfg-only", "a successor signed by a cfg key", INVALID], { signers: ["cfg"] }),
  two(["successor-bad", "a successor with a bad signature", INVALID], { signature: bad(0) }),
  two(["successor-bad-cosigner", "a bad cosignature that no threshold needs", INVALID],
    { keys: FIRST_KEYS, signers: ["root", "root-b"], signature: bad(1) }, { keys: FIRST_KEYS }), // prettier-ignore
  two(["successor-twice", "a signer twice", INVALID], { signers: ["root", "root"] }),
  two(["old-threshold", "the old root asks for two, one signs", INVALID],
    { keys: FIRST_KEYS, signers: ["root"] },
    { keys: FIRST_KEYS, changes: ROOT_TWO, signers: ["root", "root-b"] }), // prettier-ignore
  two(["old-threshold-met", "the old root asks for two, two sign", "ok"],
    { keys: FIRST_KEYS, signers: ["root", "root-c"] },
    { keys: FIRST_KEYS, changes: ROOT_TWO, signers: ["root", "root-b"] }), // prettier-ignore
  two(
    ["new-threshold", "the new root asks for two, one signs", INVALID],
    { keys: FIRST_KEYS, changes: ROOT_TWO },
    { keys: FIRST_KEYS },
  ),
  two(["counts-for-each", "two keys of the old root, one of the new; each threshold counts its own", "ok"],
    { keys: [["root-c", "root"], ...KEYS.slice(1)], signers: ["root", "root-b", "root-c"] },
    { keys: FIRST_KEYS, changes: ROOT_TWO, signers: ["root", "root-b"] }), // prettier-ignore
  two(["role-moved", "a key that is root in the old and cfg in the new", "ok"],
    { keys: [["root-2", "root"], ["root", "cfg"]], signers: ["root", "root-2"] }), // prettier-ignore
  one(["pinned-predecessor", "a predecessor's signer in the pinned root is not looked at", "ok"], {
    signers: ["root", "old-root"],
  }),
  one(["pinned-predecessor-first", "the predecessor's signer is the sender", "ok"], { signers: ["old-root", "root"] }),
  one(["pinned-predecessor-bad", "the predecessor's signature in the pinned root is not looked at", "ok"], {
    signers: ["root", "old-root"],
    signature: bad(1),
  }),
  one(["pinned-predecessor-twice", "a predecessor's signer twice", "ok"], {
    signers: ["root", "old-root", "old-root"],
  }),
  one(["pinned-cfg", "a cfg key beside the root key is not looked at", "ok"], { signers: ["root", "cfg"] }),
  one(["pinned-cfg-only", "the pinned root is signed by its cfg key only", INVALID], { signers: ["cfg"] }),
  one(["pinned-stranger-only", "the pinned root is signed by a stranger only", INVALID], { signers: ["stranger"] }),
  one(["pinned-bad", "the pinned root has a bad signature", INVALID], { signature: bad(0) }),
  one(["pinned-twice", "a root key signed the pinned root twice", INVALID], { signers: ["root", "root"] }),
  one(["pinned-threshold", "the pinned root asks for two, one signs", INVALID], {
    keys: FIRST_KEYS,
    changes: ROOT_TWO,
  }),
  one(["pinned-threshold-met", "the pinned root asks for two, two sign", "ok"], {
    keys: FIRST_KEYS,
    changes: ROOT_TWO,
    signers: ["root-c", "root-b"],
  }),
  one(["pinned-threshold-twice", "one key signs twice where two are asked for", INVALID], {
    keys: FIRST_KEYS,
    changes: ROOT_TWO,
    signers: ["root", "root"],
  }),
];

const SUCCESSION: readonly NamedCase[] = [
  two(["min-ep-raised", "minEp rises to ep", "ok"], { changes: { minEp: 2 } }),
  chain(
    ["min-ep-kept", "minEp stays as it was raised", "ok"],
    [link(1), link(2, { changes: { minEp: 2 } }), link(3, { changes: { minEp: 2 } })],
  ),
  chain(
    ["min-ep-between", "minEp rises to something below ep", INVALID],
    [link(1), link(2), link(3, { changes: { minEp: 2 } })],
  ),
  chain(
    ["min-ep-lowered", "minEp falls", INVALID],
    [link(2, { changes: { minEp: 2 } }), link(3, { changes: { minEp: 1 } })],
  ),
  two(["successor-other-ns", "a successor of another namespace", INVALID], { changes: { ns: "team-b" } }),
  two(["successor-other-mesh", "a successor of another mesh", INVALID], { changes: { mesh: "mesh-2" } }),
  two(["successor-other-domain", "a successor of another trust domain", INVALID], {
    changes: { trustDomain: "example.org" },
  }),
  one(["pinned-other-ns", "the pinned root is of another namespace", INVALID], { changes: { ns: "team-b" } }),
  one(["pinned-other-mesh", "the pinned root is of another mesh", INVALID], { changes: { mesh: "mesh-2" } }),
  one(["pinned-other-domain", "the pinned root is of another trust domain", INVALID], {
    changes: { trustDomain: "x.y" },
  }),
];

const claim = (row: Row, claims: ClaimValues): NamedCase => one(row, { claims });
const OLD = { iat: NOW_SEC - 10_000, exp: NOW_SEC - CLOCK_SKEW_SEC };
const AHEAD = { iat: NOW_SEC + CLOCK_SKEW_SEC + 1 };
const LONG = { iat: NOW_SEC, exp: NOW_SEC + CFG_TTL_MAX_SEC + 1 };

const STATEMENT: readonly NamedCase[] = [
  claim(["expired", "the last root is expired", "EXPIRED"], OLD),
  chain(["expired-last-ms", "the last millisecond of the last root", "ok"], [link(1, { claims: OLD })], {
    nowMs: NOW_SEC * 1000 - 1,
  }),
  two(["expired-first", "a root before the last is expired", "ok"], {}, { claims: OLD }),
  two(["expired-second", "the last of two roots is expired", "EXPIRED"], { claims: OLD }),
  claim(["ahead", "iat of the last root lies ahead", "NOT_YET_VALID"], AHEAD),
  two(["ahead-first", "iat of a root before the last lies ahead", INVALID], {}, { claims: AHEAD }),
  claim(["ttl", "the last root lives too long", "TTL_TOO_LONG"], LONG),
  claim(["ttl-longest", "the longest lifetime of a root", "ok"], { iat: NOW_SEC, exp: NOW_SEC + CFG_TTL_MAX_SEC }),
  two(["ttl-first", "a root before the last lives too long", INVALID], {}, { claims: LONG }),
  claim(["ahead-before-ttl", "iat lies ahead and the lifetime is too long", "NOT_YET_VALID"], {
    iat: NOW_SEC + 100,
    exp: NOW_SEC + 2 * CFG_TTL_MAX_SEC,
  }),
  claim(["expired-before-ttl", "expired, and the lifetime was too long", "EXPIRED"], { iat: 0, exp: NOW_SEC - 61 }),
  claim(["times-before-ep", "expired, and the claim ep is wrong", "EXPIRED"], { ...OLD, ep: 2 }),
  one(["signature-before-times", "expired, and a bad signature", INVALID], { claims: OLD, signature: bad(0) }),
  claim(["claim-ep", "the claim ep is not that of the payload", INVALID], { ep: 2 }),
  claim(["claim-cd", "cd is not the digest of data", INVALID], { cd: link(2).cd }),
  claim(["claim-len", "len is not the length of data", INVALID], { len: 1 }),
  claim(["claim-aud", "aud of another namespace", INVALID], { aud: `https://team-b.${MESH}.${TRUST_DOMAIN}` }),
  claim(["claim-ns", "ns of another namespace", INVALID], { ns: "team-b" }),
  claim(["claim-use", "use is cfg", INVALID], { use: "cfg" }),
  claim(["claim-ver", "a root with ver", INVALID], { ver: "1" }),
  claim(["claim-dom", "dom is another", INVALID], { dom: "x" }),
  claim(["claim-ce", "a root with ce and rcp", INVALID], { ce: "aes128gcm", rcp: "x" }),
  one(["encoding", "content_encoding is 1", INVALID], { contentEncoding: 1 }),
  one(["unknown-field", "an unknown protobuf field", INVALID], { message: (fields) => [...fields, varintField(8, 0)] }),
];

export const ROOT_CASES: readonly NamedCase[] = [
  ...CHAINS,
  ...[unpinned(), unpinnedFirst(), unpinnedProto()],
  ...SIGNERS,
  ...SUCCESSION,
  ...STATEMENT,
];
