/** Signers, signatures and thresholds (docs/envelope.md section 6, steps 7 to 9). */
import { concat, utf8 } from "../../../xds-proxy/src/bytes/octets.ts";
import { bytesField } from "../../../xds-proxy/src/bytes/protobuf.ts";
import type { Code } from "../../../xds-proxy/src/gen/codes.ts";
import { signingInputOf } from "../../../xds-proxy/src/crypto/jws.ts";
import { single } from "../case.ts";
import type { CaseWant, NamedCase } from "../case.ts";
import { json, policyValue, thresholds } from "../documents.ts";
import type { KeyRoles } from "../documents.ts";
import { forgeText } from "../forge.ts";
import type { Forgery } from "../forge.ts";
import { fixedSignature, signingKey } from "../keys.ts";

const GOOD: Forgery = { use: "cfg", data: json(policyValue()), signers: ["cfg"] };
const FRESH: Forgery = {
  use: "fresh",
  data: json({ kind: "Fresh", set: { ver: "1", cd: "A".repeat(43) } }),
  signers: ["fresh"],
};
const SET: Forgery = { use: "set", data: json({ kind: "Set", rcps: [], entries: [] }), signers: ["cfg"] };
const ORDER = BigInt("0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");

const KEYS: readonly KeyRoles[] = [
  ["root", "root"],
  ["cfg", "cfg"],
  ["cfg-2", "cfg"],
  ["cfg-3", "cfg", "root"],
  ["fresh", "fresh"],
  ["fresh-2", "fresh"],
  ["both", "fresh", "cfg"],
  ["both-2", "fresh", "cfg"],
  ["push", "push"],
];

type Row = readonly [name: string, comment: string, verdict: "ok" | Code];
type Thresholds = Readonly<Record<string, number>>;

function from([name, comment, verdict]: Row, statement: Forgery, limits: Thresholds = {}): NamedCase {
  const want: CaseWant = { use: statement.use };
  const expect = verdict === "ok" ? [statement.data] : verdict;
  const root = { keys: KEYS, changes: { thresholds: thresholds(limits) } };
  return [`signers-${name}`, single({ comment, expect, envelopes: [forgeText(statement)], want, root })];
}

const signed = (row: Row, ...signers: readonly string[]): NamedCase => from(row, { ...GOOD, signers });
const signature = (row: Row, edit: (signature: Uint8Array) => Uint8Array): NamedCase =>
  from(row, { ...GOOD, signature: edit });

const KEY_CASES: readonly NamedCase[] = [
  signed(["unknown", "a key that the root does not name", "KEY_UNKNOWN"], "stranger"),
  from(["k-65-bytes", "k with its leading 04", "KEY_UNKNOWN"], {
    ...GOOD,
    vapid: (fields) => [bytesField(4, signingKey("cfg").publicKey), ...fields.slice(1)],
  }),
  from(["k-compressed", "k as a compressed point", "KEY_UNKNOWN"], {
    ...GOOD,
    vapid: (fields) => [bytesField(4, signingKey("cfg").publicKey.subarray(0, 33)), ...fields.slice(1)],
  }),
  from(["k-absent", "no k", "KEY_UNKNOWN"], { ...GOOD, vapid: (fields) => fields.slice(1) }),
  from(["k-prefix", "the first 63 bytes of a known k", "KEY_UNKNOWN"], {
    ...GOOD,
    vapid: (fields) => [bytesField(4, signingKey("cfg").publicKey.subarray(1, 64)), ...fields.slice(1)],
  }),
  signed(["cfg-by-root", "a cfg signed by a root key", "KEY_ROLE"], "root"),
  signed(["cfg-by-fresh", "a cfg signed by the online key", "KEY_ROLE"], "fresh"),
  signed(["cfg-by-push", "a cfg signed by a push key", "KEY_ROLE"], "push"),
  signed(["cfg-by-two-roles", "a cfg signed by a key with two roles", "ok"], "cfg-3"),
  from(["set-by-fresh", "a set signed by the online key", "KEY_ROLE"], { ...SET, signers: ["fresh"] }),
  from(["fresh-by-push", "a fresh signed by a push key", "KEY_ROLE"], { ...FRESH, signers: ["push"] }),
  from(["fresh-by-root", "a fresh signed by a root key", "KEY_ROLE"], { ...FRESH, signers: ["root"] }),
  from(["fresh-by-cfg", "a fresh signed by a cfg key", "ok"], { ...FRESH, signers: ["cfg"] }),
  from(["fresh-mixed", "a fresh signed by a fresh key and a cfg key", "KEY_ROLE"], {
    ...FRESH,
    signers: ["fresh", "cfg"],
  }),
  from(["fresh-mixed-three", "three signers, and no role that all have", "KEY_ROLE"], {
    ...FRESH,
    signers: ["both", "fresh", "cfg"],
  }),
  from(["fresh-mixed-unknown", "a mixture, then a stranger", "KEY_UNKNOWN"], {
    ...FRESH,
    signers: ["fresh", "cfg", "stranger"],
  }),
  from(["fresh-mixed-push", "a mixture with a push key", "KEY_ROLE"], { ...FRESH, signers: ["fresh", "push"] }),
  from(["fresh-shared-role", "a fresh key and one with both roles share fresh", "ok"], {
    ...FRESH,
    signers: ["fresh", "both"],
  }),
  from(["fresh-shared-cfg", "a key with both roles and a cfg key share cfg", "ok"], {
    ...FRESH,
    signers: ["both", "cfg"],
  }),
  signed(["cosigner-unknown", "an unknown cosigner is not left uncounted", "KEY_UNKNOWN"], "cfg", "stranger"),
  signed(["cosigner-role", "a cosigner without the role", "KEY_ROLE"], "cfg", "fresh"),
  signed(["cosigner-order", "a cosigner without the role before a stranger", "KEY_ROLE"], "cfg", "fresh", "stranger"),
  signed(
    ["cosigner-order-2", "a stranger before a cosigner without the role", "KEY_UNKNOWN"],
    "cfg",
    "stranger",
    "fresh",
  ),
];

const toBytes = (value: bigint): Uint8Array => Buffer.from(value.toString(16).padStart(64, "0"), "hex");
const r = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, 32);
const s = (bytes: Uint8Array): Uint8Array => bytes.subarray(32);
const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
const negated = (bytes: Uint8Array): Uint8Array => concat(r(bytes), toBytes(ORDER - numberOf(s(bytes))));
const isHigh = (bytes: Uint8Array): boolean => numberOf(s(bytes)) > ORDER / 2n;

function flip(bytes: Uint8Array, i: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[i] = (copy[i] ?? 0) ^ 1;
  return copy;
}

const SIGNATURES: readonly NamedCase[] = [
  signature(["flip-r", "one bit of r is flipped", "SIGNATURE"], (bytes) => flip(bytes, 0)),
  signature(["flip-s", "one bit of s is flipped", "SIGNATURE"], (bytes) => flip(bytes, 63)),
  signature(["zero", "r and s are 0", "SIGNATURE"], () => new Uint8Array(64)),
  signature(["zero-r", "r is 0", "SIGNATURE"], (bytes) => concat(new Uint8Array(32), s(bytes))),
  signature(["zero-s", "s is 0", "SIGNATURE"], (bytes) => concat(r(bytes), new Uint8Array(32))),
  signature(["order-r", "r is the order of the group", "SIGNATURE"], (bytes) => concat(toBytes(ORDER), s(bytes))),
  signature(["order-s", "s is the order of the group", "SIGNATURE"], (bytes) => concat(r(bytes), toBytes(ORDER))),
  signature(["ones", "r and s are 2^256-1", "SIGNATURE"], () => new Uint8Array(64).fill(0xff)),
  signature(["high-s", "the higher of the two values of s", "ok"], (bytes) => (isHigh(bytes) ? bytes : negated(bytes))),
  signature(["low-s", "the lower of the two values of s", "ok"], (bytes) => (isHigh(bytes) ? negated(bytes) : bytes)),
  signature(["swapped", "s before r", "SIGNATURE"], (bytes) => concat(s(bytes), r(bytes))),
  signature(["63-bytes", "a signature of 63 bytes", "SIGNATURE"], (bytes) => bytes.subarray(0, 63)),
  signature(["65-bytes", "a signature of 65 bytes", "SIGNATURE"], (bytes) => concat(bytes, Uint8Array.of(0))),
  signature(["empty", "an empty signature", "SIGNATURE"], () => new Uint8Array()),
  signature(["der", "a signature in DER", "SIGNATURE"], (bytes) => derOf(bytes)),
  from(["absent", "no signature", "SIGNATURE"], { ...GOOD, vapid: (fields) => fields.slice(0, 2) }),
  from(["by-other-key", "a signature by another key than k", "SIGNATURE"], {
    ...GOOD,
    vapid: (fields) => [bytesField(4, signingKey("cfg-2").publicKey.subarray(1)), ...fields.slice(1)],
  }),
  from(["claims-without-header", "a signature over the claims alone", "SIGNATURE"], {
    ...GOOD,
    vapid: (fields) => [...fields.slice(0, 2), bytesField(33, fixedSignature("cfg", fields[1] ?? new Uint8Array()))],
  }),
  from(["role-before-signature", "a key without the role, and a bad signature", "KEY_ROLE"], {
    ...GOOD,
    signers: ["fresh"],
    signature: () => new Uint8Array(64),
  }),
];

function derOf(bytes: Uint8Array): Uint8Array {
  const integer = (value: Uint8Array): Uint8Array => concat(Uint8Array.of(2, 33, 0), value);
  const body = concat(integer(r(bytes)), integer(s(bytes)));
  return concat(Uint8Array.of(0x30, body.length), body);
}

/** The signature that `name` made for another statement. */
const lifted = (name: string, other: Partial<Forgery>): Forgery["signature"] => {
  let claims = new Uint8Array();
  forgeText({ ...GOOD, ...other, claimsText: (text) => ((claims = utf8(text) as Uint8Array<ArrayBuffer>), text) });
  const signature = fixedSignature(name, signingInputOf(claims));
  return (right, i) => (i === 0 ? right : signature);
};

const TWO = { cfg: 2 };
const TWO_SIGNERS: Forgery = { ...GOOD, signers: ["cfg", "cfg-2"] };
const THRESHOLDS: readonly NamedCase[] = [
  from(["two-of-two", "two of two signers", "ok"], TWO_SIGNERS, TWO),
  from(["one-of-two", "one signer where two are asked for", "THRESHOLD"], GOOD, TWO),
  from(["same-twice", "the same key twice", "THRESHOLD"], { ...GOOD, signers: ["cfg", "cfg"] }, TWO),
  from(["same-twice-needless", "a key twice where one signer is enough", "THRESHOLD"], {
    ...GOOD,
    signers: ["cfg", "cfg"],
  }),
  from(["same-twice-high-s", "the same key with both values of s", "THRESHOLD"],
    { ...GOOD, signers: ["cfg", "cfg"], signature: (bytes, i) => (i === 0 ? bytes : negated(bytes)) }, TWO), // prettier-ignore
  from(["third-signer", "one signer more than asked for", "ok"], { ...GOOD, signers: ["cfg", "cfg-2", "cfg-3"] }, TWO),
  from(["needless-cosigner-bad", "a bad signature that the threshold does not need", "SIGNATURE"],
    { ...GOOD, signers: ["cfg", "cfg-2", "cfg-3"], signature: (bytes, i) => (i === 2 ? flip(bytes, 5) : bytes) }, TWO), // prettier-ignore
  from(["cosigner-bad", "a cosignature with a flipped bit", "SIGNATURE"],
    { ...TWO_SIGNERS, signature: (bytes, i) => (i === 1 ? flip(bytes, 40) : bytes) }, TWO), // prettier-ignore
  from(["cosigner-other-ver", "a cosignature lifted from another version", "SIGNATURE"],
    { ...TWO_SIGNERS, signature: lifted("cfg-2", { claims: { ver: "2" } })! }, TWO), // prettier-ignore
  from(["cosigner-other-name", "a cosignature lifted from another name", "SIGNATURE"],
    { ...TWO_SIGNERS, signature: lifted("cfg-2", { claims: { name: "team-a/deny" } })! }, TWO), // prettier-ignore
  from(["cosigner-other-use", "a cosignature lifted from a set", "SIGNATURE"],
    { ...TWO_SIGNERS, signature: lifted("cfg-2", SET)! }, TWO), // prettier-ignore
  from(["cosigner-is-sender", "the sender's signature under a cosigner's key", "SIGNATURE"],
    { ...TWO_SIGNERS, signature: lifted("cfg", {})! }, TWO), // prettier-ignore
  from(["bad-before-duplicate", "a key twice, once with a bad signature", "SIGNATURE"],
    { ...GOOD, signers: ["cfg", "cfg"], signature: (bytes, i) => (i === 1 ? flip(bytes, 40) : bytes) }, TWO), // prettier-ignore
  from(["fresh-one-of-two", "one fresh signer where two are asked for", "THRESHOLD"], FRESH, { fresh: 2 }),
  from(["fresh-two-of-two", "two fresh signers", "ok"], { ...FRESH, signers: ["fresh", "fresh-2"] }, { fresh: 2 }),
  from(
    ["fresh-cfg-threshold", "a cfg key alone where fresh asks for two", "ok"],
    { ...FRESH, signers: ["cfg"] },
    { fresh: 2 },
  ),
  from(
    ["fresh-cfg-one-of-two", "a cfg key alone where cfg asks for two", "THRESHOLD"],
    { ...FRESH, signers: ["cfg"] },
    TWO,
  ),
  from(
    ["fresh-both-roles", "a key with both roles, one of the two thresholds", "ok"],
    { ...FRESH, signers: ["both"] },
    { fresh: 2 },
  ),
  from(["fresh-both-thresholds", "a key with both roles, neither threshold", "THRESHOLD"],
    { ...FRESH, signers: ["both"] }, { fresh: 2, cfg: 2 }), // prettier-ignore
  from(
    ["fresh-both-two", "two keys with both roles", "ok"],
    { ...FRESH, signers: ["both", "both-2"] },
    { fresh: 2, cfg: 3 },
  ),
  from(["set-one-of-two", "a set with one signer where two are asked for", "THRESHOLD"], SET, TWO),
  from(["signature-before-threshold", "one bad signer where two are asked for", "SIGNATURE"],
    { ...GOOD, signature: (bytes) => flip(bytes, 1) }, TWO), // prettier-ignore
];

export const SIGNER_CASES: readonly NamedCase[] = [...KEY_CASES, ...SIGNATURES, ...THRESHOLDS];
