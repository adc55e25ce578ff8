/** Encryption (docs/envelope.md section 4; section 6, step 15). Every fault of a body has one code. */
import { concat, utf8 } from "../../../xds-proxy/src/bytes/octets.ts";
import { ExchangeKey } from "../../../xds-proxy/src/crypto/ecdh-p256.ts";
import { keyIdOf } from "../../../xds-proxy/src/crypto/sha256.ts";
import type { Code } from "../../../xds-proxy/src/gen/codes.ts";
import { RECORD_SIZE_MAX_BYTES } from "../../../xds-proxy/src/gen/limits.ts";
import { single } from "../case.ts";
import type { NamedCase, Single } from "../case.ts";
import { json, policyValue } from "../documents.ts";
import { forgeText } from "../forge.ts";
import type { Forgery, Seal } from "../forge.ts";
import { reader, signingKey } from "../keys.ts";

const READER = reader("a");
const POLICY = json(policyValue());
const GOOD: Forgery = { use: "cfg", data: POLICY, signers: ["cfg"], seal: { for: READER } };
const PUSH: Forgery = { use: "push", data: utf8("any bytes"), signers: ["push"], seal: { for: READER } };

type Row = readonly [name: string, comment: string, verdict: "ok" | Code];

function from([name, comment, verdict]: Row, statement: Partial<Forgery>, more: Partial<Single> = {}): NamedCase {
  const sealed = { ...GOOD, ...statement };
  const expect = verdict === "ok" ? [sealed.data] : verdict;
  const options = { comment, expect, envelopes: [forgeText(sealed)], want: { use: sealed.use }, reader: READER };
  return [`sealed-${name}`, single({ ...options, ...more })];
}

const seal = (row: Row, changes: Partial<Seal>): NamedCase => from(row, { seal: { for: READER, ...changes } });
const body = (row: Row, edit: (body: Uint8Array) => Uint8Array): NamedCase => seal(row, { body: edit });
const text = (row: Row, edit: (text: Uint8Array) => Uint8Array): NamedCase => seal(row, { text: edit });
const preamble = (row: Row, changes: Seal["preamble"]): NamedCase => seal(row, { preamble: changes ?? {} });
const line = (row: Row, edit: (line: string) => string): NamedCase =>
  text(row, (bytes) => {
    const end = bytes.indexOf(0x0a);
    return concat(utf8(edit(Buffer.from(bytes.subarray(0, end)).toString())), bytes.subarray(end));
  });

/** salt 16, rs 4, idlen 1, keyid 65, record */
const RECORD_AT = 86;

function put(bytes: Uint8Array, at: number, values: readonly number[]): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy.set(values, at);
  return copy;
}

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const i = at < 0 ? bytes.length + at : at;
  return put(bytes, i, [(bytes[i] ?? 0) ^ 1]);
}

function sized(bytes: Uint8Array, recordSize: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  new DataView(copy.buffer).setUint32(16, recordSize);
  return copy;
}

const RECIPIENTS: readonly NamedCase[] = [
  from(["good", "a sealed statement", "ok"], {}),
  from(["push", "a sealed push; the preamble names its seq", "ok"], PUSH),
  from(["push-sequence", "a sealed push that came before, for another recipient", "SEQUENCE"], PUSH, {
    want: { use: "push", seq: "2" },
    reader: reader("b"),
  }),
  from(["without-recipient", "no recipient key was given", "RECIPIENT"], {}, { reader: undefined }),
  from(["for-another", "sealed for another recipient", "RECIPIENT"], {}, { reader: reader("b") }),
  from(["rcp-other", "rcp of another recipient, sealed for us", "RECIPIENT"], {
    claims: { rcp: keyIdOf(reader("b").p256dh) },
  }),
  from(["rcp-empty", "rcp is empty", "RECIPIENT"], { claims: { rcp: "" } }),
  from(["rcp-ours-body-not", "our rcp, sealed for another recipient", "DECRYPT"], {
    seal: { for: reader("b") },
    claims: { rcp: keyIdOf(READER.p256dh) },
  }),
  from(
    ["other-auth", "our key with another auth secret", "DECRYPT"],
    {},
    { reader: { ...READER, auth: reader("b").auth } },
  ),
  from(["ce-other", "ce is another encoding", "ENCODING"], { claims: { ce: "aesgcm" } }),
  from(["ce-case", "ce in capitals", "ENCODING"], { claims: { ce: "AES128GCM" } }),
  from(["ce-without-encoding", "ce with content_encoding 0", "ENCODING"], { contentEncoding: 0 }),
  from(["encoding-2", "ce with content_encoding 2", "ENCODING"], { contentEncoding: 2 }),
  from(["encoding-before-recipient", "ce is another encoding and rcp another recipient", "ENCODING"], {
    claims: { ce: "x", rcp: "x" },
  }),
  from(["type-before-recipient", "another type than wanted, sealed for another recipient", "TYPE"], {},
    { reader: reader("b"), want: { use: "cfg", rt: "x" } }), // prettier-ignore
  from(["swapped-body", "a body that another statement was signed with", "DIGEST"], {
    sentData: (data) => flip(data, RECORD_AT),
  }),
];

const BODIES: readonly NamedCase[] = [
  body(["tag-flipped", "one bit of the tag is flipped", "DECRYPT"], (bytes) => flip(bytes, -1)),
  body(["ciphertext-flipped", "one bit of the ciphertext is flipped", "DECRYPT"], (bytes) => flip(bytes, RECORD_AT)),
  body(["salt-flipped", "one bit of the salt is flipped", "DECRYPT"], (bytes) => flip(bytes, 0)),
  body(["keyid-off-curve", "keyid is not on the curve", "DECRYPT"], (bytes) => flip(bytes, RECORD_AT - 1)),
  body(["keyid-compressed-prefix", "keyid begins with 02", "DECRYPT"], (bytes) => put(bytes, 21, [2])),
  body(["keyid-hybrid", "keyid in the hybrid form", "DECRYPT"], (bytes) =>
    put(bytes, 21, [6 + ((bytes[85] ?? 0) & 1)]),
  ),
  body(["keyid-zero", "keyid is 04 and zeros", "DECRYPT"], (bytes) => put(bytes, 21, [4, ...new Uint8Array(64)])),
  body(["keyid-other", "keyid is another key", "DECRYPT"], (bytes) => put(bytes, 21, [...reader("b").p256dh])),
  body(["idlen-64", "idlen is 64", "DECRYPT"], (bytes) => put(bytes, 20, [64])),
  body(["idlen-0", "idlen is 0", "DECRYPT"], (bytes) => put(bytes, 20, [0])),
  body(["idlen-255", "idlen is 255", "DECRYPT"], (bytes) => put(bytes, 20, [255])),
  body(["empty", "no body at all", "DECRYPT"], () => new Uint8Array()),
  body(["header-truncated", "a body of 20 bytes", "DECRYPT"], (bytes) => bytes.subarray(0, 20)),
  body(["keyid-truncated", "the body ends inside keyid", "DECRYPT"], (bytes) => bytes.subarray(0, 60)),
  body(["record-absent", "no record", "DECRYPT"], (bytes) => bytes.subarray(0, RECORD_AT)),
  body(["record-16", "a record of 16 bytes", "DECRYPT"], (bytes) => bytes.subarray(0, RECORD_AT + 16)),
  body(["record-longer", "a byte after the record", "DECRYPT"], (bytes) => concat(bytes, Uint8Array.of(0))),
  body(["rs-equal", "rs is the length of the record", "DECRYPT"], (bytes) => sized(bytes, bytes.length - RECORD_AT)),
  body(["rs-smallest", "rs is one more than the length of the record", "ok"], (bytes) =>
    sized(bytes, bytes.length - RECORD_AT + 1),
  ),
  body(["rs-largest", "the largest rs", "ok"], (bytes) => sized(bytes, RECORD_SIZE_MAX_BYTES)),
  body(["rs-over", "rs is one more than allowed", "DECRYPT"], (bytes) => sized(bytes, RECORD_SIZE_MAX_BYTES + 1)),
  body(["rs-max-u32", "rs is 2^32-1", "DECRYPT"], (bytes) => sized(bytes, 0xffff_ffff)),
  body(["rs-zero", "rs is 0", "DECRYPT"], (bytes) => sized(bytes, 0)),
  seal(["keyid-signer", "keyid is the key that signed", "DECRYPT"], {
    sender: ExchangeKey.fromRaw(signingKey("cfg").raw),
  }),
];

const TEXTS: readonly NamedCase[] = [
  text(["text-empty", "nothing is encrypted", "INNER_MISMATCH"], () => new Uint8Array()),
  text(["no-lf", "no line feed after the preamble", "INNER_MISMATCH"], (bytes) =>
    bytes.subarray(0, bytes.indexOf(0x0a)),
  ),
  text(["lf-first", "a line feed before the preamble", "INNER_MISMATCH"], (bytes) => concat(utf8("\n"), bytes)),
  text(["no-preamble", "the payload without a preamble", "INNER_MISMATCH"], () => POLICY),
  text(["payload-empty", "nothing after the preamble", "PAYLOAD"], (bytes) =>
    bytes.subarray(0, bytes.indexOf(0x0a) + 1),
  ),
  text(["payload-trailing", "a line feed after the payload", "PAYLOAD"], (bytes) => concat(bytes, utf8("\n"))),
];

const PREAMBLES: readonly NamedCase[] = [
  preamble(["aud-other", "the preamble names another aud", "INNER_MISMATCH"], {
    aud: "https://team-b.mesh-1.cluster.local",
  }),
  preamble(["rt-other", "the preamble names another rt", "INNER_MISMATCH"], { rt: "wpgate.dev/v1/Guard" }),
  preamble(["name-other", "the preamble names another name", "INNER_MISMATCH"], { name: "team-a/deny" }),
  preamble(["ver-other", "the preamble names another ver", "INNER_MISMATCH"], { ver: "2" }),
  preamble(["kid-other", "a body that another key's owner sealed", "INNER_MISMATCH"], {
    kid: keyIdOf(signingKey("cfg-2").publicKey),
  }),
  preamble(["kid-missing", "the preamble without kid", "INNER_MISMATCH"], { kid: undefined }),
  preamble(["aud-missing", "the preamble without aud", "INNER_MISMATCH"], { aud: undefined }),
  preamble(["extra", "a sixth member", "INNER_MISMATCH"], { use: "cfg" }),
  preamble(["ver-number", "ver as a number", "INNER_MISMATCH"], { ver: 1 }),
  line(["leading-space", "white space before the preamble", "ok"], (json) => `  ${json}`),
  line(["carriage-return", "a carriage return before the line feed", "INNER_MISMATCH"], (json) => `${json}\r`),
  line(["trailing-space", "a space after the preamble", "INNER_MISMATCH"], (json) => `${json} `),
  line(["duplicate", "kid twice", "INNER_MISMATCH"], (json) => json.replace("{", '{"kid":"",')),
  line(["array", "the preamble as an array", "INNER_MISMATCH"], (json) => `[${json}]`),
  line(["not-json", "the preamble is not JSON", "INNER_MISMATCH"], () => "preamble"),
  line(["bom", "a byte order mark before the preamble", "INNER_MISMATCH"], (json) => `\ufeff${json}`),
  line(["reordered", "the members in another order", "ok"], (json) =>
    JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(json) as object).reverse())),
  ),
  line(["line-feed-inside", "a line feed inside the preamble ends it", "INNER_MISMATCH"], (json) =>
    json.replace(",", ",\n"),
  ),
  from(["push-seq-other", "the preamble of a push names another seq", "INNER_MISMATCH"], {
    ...PUSH,
    seal: { for: READER, preamble: { ver: "2" } },
  }),
  from(["payload-other-name", "a policy of another name behind a right preamble", "PAYLOAD"], {
    data: json(policyValue({ name: "deny" })),
  }),
];

const LAST = Uint8Array.of(2);
const record = (row: Row, edit: (text: Uint8Array) => Uint8Array): NamedCase => seal(row, { record: edit });

/** RFC 8188 section 2: text, delimiter, zeros. */
const DELIMITERS: readonly NamedCase[] = [
  record(["padding", "a hundred zero bytes after the delimiter", "ok"], (bytes) =>
    concat(bytes, LAST, new Uint8Array(100)),
  ),
  record(["delimiter-01", "the delimiter of a record that is not the last", "DECRYPT"], (bytes) =>
    concat(bytes, Uint8Array.of(1)),
  ),
  record(["delimiter-03", "a delimiter that does not exist", "DECRYPT"], (bytes) => concat(bytes, Uint8Array.of(3))),
  record(["delimiter-absent", "no delimiter", "DECRYPT"], (bytes) => bytes),
  record(["delimiter-zeros-only", "zeros instead of a delimiter", "DECRYPT"], (bytes) =>
    concat(bytes, new Uint8Array(8)),
  ),
  record(["zeros", "a record of zeros", "DECRYPT"], () => new Uint8Array(20)),
  record(["delimiter-twice", "the payload ends with a byte 02", "PAYLOAD"], (bytes) => concat(bytes, LAST, LAST)),
  record(["padding-not-zero", "a byte after the delimiter that is not zero", "DECRYPT"], (bytes) =>
    concat(bytes, LAST, Uint8Array.of(0, 1)),
  ),
];

export const SEALED_CASES: readonly NamedCase[] = [...RECIPIENTS, ...BODIES, ...TEXTS, ...DELIMITERS, ...PREAMBLES];
