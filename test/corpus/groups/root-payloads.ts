/** Payloads of roots (docs/envelope.md section 5): every member, every limit. */
import { p256 } from "@noble/curves/nist.js";
import { encodeBase64Url } from "../../../xds-proxy/src/bytes/base64url.ts";
import { utf8 } from "../../../xds-proxy/src/bytes/octets.ts";
import {
  FRESH_TTL_MAX_SEC,
  FRESH_TTL_MIN_SEC,
  ROOT_KEYS_MAX_COUNT,
  THRESHOLD_MAX_COUNT,
} from "../../../xds-proxy/src/gen/limits.ts";
import type { NamedCase } from "../case.ts";
import { KEYS, rootValue, thresholds } from "../documents.ts";
import type { KeyRoles } from "../documents.ts";
import { MESH, NS, TRUST_DOMAIN } from "../forge.ts";
import { signingKey } from "../keys.ts";

import { INVALID, member, one } from "../roots.ts";
import type { Row } from "../roots.ts";
const many = (count: number, role: string): readonly KeyRoles[] =>
  Array.from({ length: count }, (_, i) => [`many-${i + 1}`, role] as const);
const key = (name: string): string => encodeBase64Url(signingKey(name).publicKey);
const label = (length: number): string => "a".repeat(length);
const FIELD_PRIME = p256.Point.Fp.ORDER;
const rawKey = (row: Row, bytes: Uint8Array): NamedCase =>
  member(row, { keys: [...(rootValue()["keys"] as object[]), { k: encodeBase64Url(bytes), roles: ["fresh"] }] });
const keyList = (row: Row, ...keys: readonly object[]): NamedCase =>
  member(row, { keys: [...(rootValue()["keys"] as object[]), ...keys] });
const offCurve = Uint8Array.from(signingKey("cfg-2").publicKey);
offCurve[64] = (offCurve[64] ?? 0) ^ 1;
/** A point with a small x, written with x + p: the same point in a form that is not canonical. */
const smallPoint = Array.from({ length: 20 }, (_, x) => `02${x.toString(16).padStart(64, "0")}`)
  .flatMap((compressed) => tryPoint(compressed))
  .at(0);
const overPrime = Buffer.from(
  `04${((smallPoint?.x ?? 0n) + FIELD_PRIME).toString(16)}${hex(smallPoint?.y ?? 0n)}`,
  "hex",
);

function tryPoint(compressed: string): readonly { x: bigint; y: bigint }[] {
  try {
    return [p256.Point.fromHex(compressed).toAffine()];
  } catch {
    return [];
  }
}

function hex(value: bigint): string {
  return value.toString(16).padStart(64, "0");
}

const PAYLOADS: readonly NamedCase[] = [
  one(["payload-text", "no JSON", INVALID], { payload: utf8("root") }),
  one(["payload-newline", "a newline after the payload", INVALID], {
    payload: utf8(`${JSON.stringify(rootValue())}\n`),
  }),
  one(["payload-reordered", "the members in another order, with white space", "ok"], {
    payload: utf8(JSON.stringify(Object.fromEntries(Object.entries(rootValue()).reverse()), null, 1)),
  }),
  member(["kind", "another kind", INVALID], { kind: "root" }),
  member(["extra", "an unknown member", INVALID], { ver: "1" }),
  member(["without-mode", "a member is missing", INVALID], { mode: undefined }),
  member(["mode", "a mode that does not exist", INVALID], { mode: "off" }),
  member(["mode-monitor", "mode is monitor", "ok"], {
    mode: "monitor",
    default: "istio",
    paths: "istio",
    onStale: "deny",
  }),
  member(["default", "a default that does not exist", INVALID], { default: "allow" }),
  member(["paths", "paths that do not exist", INVALID], { paths: "loose" }),
  member(["on-stale", "an onStale that does not exist", INVALID], { onStale: "allow" }),
  member(["ep-zero", "ep is 0", INVALID], { ep: 0, minEp: 0 }),
  member(["ep-string", "ep as a string", INVALID], { ep: "1" }),
  member(["min-ep-zero", "minEp is 0", INVALID], { minEp: 0 }),
  member(["min-ep-over", "minEp is greater than ep", INVALID], { minEp: 2 }),
  member(["ep-negative", "a negative number", INVALID], { minEp: -1 }),
  member(["max-fresh-least", "the smallest maxFreshSec", "ok"], { maxFreshSec: FRESH_TTL_MIN_SEC }),
  member(["max-fresh-under", "maxFreshSec is too small", INVALID], { maxFreshSec: FRESH_TTL_MIN_SEC - 1 }),
  member(["max-fresh-most", "the largest maxFreshSec", "ok"], { maxFreshSec: FRESH_TTL_MAX_SEC }),
  member(["max-fresh-over", "maxFreshSec is too large", INVALID], { maxFreshSec: FRESH_TTL_MAX_SEC + 1 }),
  member(["threshold-zero", "a threshold of 0", INVALID], { thresholds: thresholds({ cfg: 0 }) }),
  member(["threshold-over-keys", "a threshold that the keys cannot meet", INVALID], {
    thresholds: thresholds({ cfg: 2 }),
  }),
  member(["threshold-missing", "a threshold is missing", INVALID], { thresholds: thresholds({ push: undefined }) }),
  member(["threshold-extra", "a threshold of a role that does not exist", INVALID], {
    thresholds: thresholds({ msg: 1 }),
  }),
  one(["threshold-no-keys", "the largest threshold of a role without keys", "ok"], {
    keys: KEYS.slice(0, 3),
    changes: { thresholds: thresholds({ push: THRESHOLD_MAX_COUNT }) },
  }),
  one(["threshold-over", "a threshold of a role without keys that is too large", INVALID], {
    keys: KEYS.slice(0, 3),
    changes: { thresholds: thresholds({ push: THRESHOLD_MAX_COUNT + 1 }) },
  }),
  one(["threshold-most", "eight of nine keys", "ok"], {
    keys: [...KEYS, ...many(9, "cfg")],
    changes: { thresholds: thresholds({ cfg: THRESHOLD_MAX_COUNT }) },
  }),
  one(["threshold-nine", "nine of ten keys", INVALID], {
    keys: [...KEYS, ...many(9, "cfg")],
    changes: { thresholds: thresholds({ cfg: THRESHOLD_MAX_COUNT + 1 }) },
  }),
  one(["keys-most", "as many keys as there may be", "ok"], {
    keys: [...KEYS, ...many(ROOT_KEYS_MAX_COUNT - KEYS.length, "push")],
  }),
  one(["keys-too-many", "a key too many", INVALID], {
    keys: [...KEYS, ...many(ROOT_KEYS_MAX_COUNT + 1 - KEYS.length, "push")],
  }),
  member(["keys-none", "no keys", INVALID], { keys: [] }),
  one(["no-root-key", "no root key", INVALID], { keys: KEYS.slice(1), signers: ["cfg"] }),
  one(["no-cfg-key", "no cfg key", INVALID], { keys: [KEYS[0]!, ...KEYS.slice(2)] }),
  one(["one-key", "one key for everything", "ok"], { keys: [["root", "root", "cfg", "fresh", "push"]] }),
  keyList(["key-twice", "a key twice", INVALID], { k: key("cfg"), roles: ["fresh"] }),
  keyList(["role-twice", "a role twice", INVALID], { k: key("cfg-2"), roles: ["cfg", "cfg"] }),
  keyList(["roles-empty", "a key without a role", INVALID], { k: key("cfg-2"), roles: [] }),
  keyList(["role-unknown", "a role that does not exist", INVALID], { k: key("cfg-2"), roles: ["set"] }),
  keyList(["roles-string", "roles as a string", INVALID], { k: key("cfg-2"), roles: "cfg" }),
  keyList(["key-extra", "an unknown member beside a key", INVALID], { k: key("cfg-2"), roles: ["cfg"], kid: "1" }),
  keyList(["key-padded", "a key with padding", INVALID], { k: `${key("cfg-2")}=`, roles: ["cfg"] }),
  rawKey(["key-64-bytes", "a key without its 04", INVALID], signingKey("cfg-2").publicKey.subarray(1)),
  rawKey(
    ["key-compressed", "a compressed key", INVALID],
    Uint8Array.of(2, ...signingKey("cfg-2").publicKey.subarray(1, 33)),
  ),
  rawKey(["key-hybrid", "a key in the hybrid form", INVALID],
    Uint8Array.of(6 + ((signingKey("cfg-2").publicKey[64] ?? 0) & 1), ...signingKey("cfg-2").publicKey.subarray(1))), // prettier-ignore
  rawKey(["key-off-curve", "a key that is not on the curve", INVALID], offCurve),
  rawKey(["key-zero", "04 and zeros", INVALID], Uint8Array.of(4, ...new Uint8Array(64))),
  rawKey(["key-x-over-prime", "a key whose x is not below p", INVALID], overPrime),
  rawKey(["key-x-is-prime", "a key whose x is p", INVALID], Buffer.from(`04${hex(FIELD_PRIME)}${hex(0n)}`, "hex")),
];

/** Cases of another mesh or trust domain than the others, pinned as such. */
function placed(row: Row, place: { readonly mesh?: string; readonly trustDomain?: string }): NamedCase {
  const { mesh = MESH, trustDomain = TRUST_DOMAIN } = place;
  const claims = { aud: `https://${NS}.${mesh}.${trustDomain}` };
  const [name, file] = one(row, { changes: { mesh, trustDomain }, claims });
  return [name, { ...file, pin: { ...file.pin, mesh, trustDomain } }];
}

const domain = (length: number): string => `${`${label(63)}.`.repeat(3)}${label(length - 192)}`;
const PLACES: readonly NamedCase[] = [
  placed(["mesh-63", "the longest label", "ok"], { mesh: label(63) }),
  placed(["mesh-hyphens", "hyphens inside a label", "ok"], { mesh: "a--1" }),
  placed(["domain-one-label", "a trust domain of one label", "ok"], { trustDomain: "local" }),
  placed(["domain-253", "the longest DNS name", "ok"], { trustDomain: domain(253) }),
  member(["ns-case", "ns in capitals", INVALID], { ns: NS.toUpperCase() }),
  member(["mesh-64", "a label that is too long", INVALID], { mesh: label(64) }),
  member(["mesh-empty", "mesh is empty", INVALID], { mesh: "" }),
  member(["mesh-dots", "mesh with a dot", INVALID], { mesh: "mesh.1" }),
  member(["mesh-newline", "a newline after the mesh", INVALID], { mesh: `${MESH}\n` }),
  member(["domain-dot", "a DNS name with a dot at its end", INVALID], { trustDomain: `${TRUST_DOMAIN}.` }),
  member(["domain-254", "a DNS name that is too long", INVALID], { trustDomain: domain(254) }),
];

export const ROOT_PAYLOAD_CASES: readonly NamedCase[] = [...PAYLOADS, ...PLACES];
