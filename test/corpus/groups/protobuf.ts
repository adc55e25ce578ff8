/** Text and protobuf of an envelope (docs/envelope.md sections 1.2 and 2; section 6, steps 1 and 2). */
import { encodeBase64Url } from "../../../xds-proxy/src/bytes/base64url.ts";
import { concat, utf8 } from "../../../xds-proxy/src/bytes/octets.ts";
import {
  bytesField,
  encodeTag,
  encodeVarint,
  stringField,
  varintField,
} from "../../../xds-proxy/src/bytes/protobuf.ts";
import type { Code } from "../../../xds-proxy/src/gen/codes.ts";
import { single } from "../case.ts";
import type { NamedCase } from "../case.ts";
import { json, policyValue } from "../documents.ts";
import { forge } from "../forge.ts";
import type { Forgery } from "../forge.ts";

const POLICY = json(policyValue());
const GOOD: Forgery = { use: "cfg", data: POLICY, signers: ["cfg"] };
const HEADER = utf8('{"typ":"JWT","alg":"ES256"}');

type Fields = readonly Uint8Array[];
type Row = readonly [name: string, comment: string, verdict: "ok" | Code];

const byText = ([name, comment, verdict]: Row, edit: (text: string) => string): NamedCase =>
  byTexts([name, comment, verdict], [edit(encodeBase64Url(forge(GOOD)))]);

const byBytes = (row: Row, edit: (bytes: Uint8Array) => Uint8Array): NamedCase =>
  byTexts(row, [encodeBase64Url(edit(forge(GOOD)))]);

const byForgery = (row: Row, forgery: Partial<Forgery>): NamedCase =>
  byTexts(row, [encodeBase64Url(forge({ ...GOOD, ...forgery }))]);

const byMessage = (row: Row, message: (fields: Fields) => Fields): NamedCase => byForgery(row, { message });
const plus = (row: Row, ...more: Fields): NamedCase => byMessage(row, (fields) => [...fields, ...more]);

function byTexts([name, comment, verdict]: Row, envelopes: readonly string[]): NamedCase {
  const expect = verdict === "ok" ? envelopes.map(() => POLICY) : verdict;
  return [`protobuf-${name}`, single({ comment, expect, envelopes })];
}

const at = (fields: Fields, i: number): Uint8Array => fields[i] ?? new Uint8Array();
/** A length-delimited field whose length is written with a superfluous byte. */
const longLength = (field: number, value: Uint8Array): Uint8Array =>
  concat(encodeTag(field, 2), Uint8Array.of((value.length & 0x7f) | 0x80, (value.length >> 7) | 0x80, 0), value);
const via = (...fields: Fields): Uint8Array => bytesField(6, concat(...fields));
const INT64_MIN = -(1n << 63n);

const TEXTS: readonly NamedCase[] = [
  byText(["good", "a plain statement", "ok"], (text) => text),
  byText(
    ["text-padded", "base64url text with padding", "PROTO"],
    (text) => `${text}${"=".repeat(4 - (text.length % 4))}`,
  ),
  byText(["text-newline", "base64url text with a newline at its end", "PROTO"], (text) => `${text}\n`),
  byText(
    ["text-space", "base64url text with a space inside", "PROTO"],
    (text) => `${text.slice(0, 8)} ${text.slice(8)}`,
  ),
  byText(["text-standard-alphabet", "base64 text of the standard alphabet", "PROTO"], (text) =>
    text.replaceAll("-", "+").replaceAll("_", "/"),
  ),
  byText(
    ["text-not-ascii", "text with a letter outside ASCII", "PROTO"],
    (text) => `${text.slice(0, 8)}é${text.slice(9)}`,
  ),
  byTexts(["text-one-char-over", "text of 4n+1 characters", "PROTO"], ["AAAAA"]),
  byTexts(
    ["text-unused-bits", "unused bits of the last character are not zero", "PROTO"],
    [
      `${encodeBase64Url(concat(forge({ ...GOOD, message: (fields) => [...fields, stringField(1, padOf(fields))] }))).slice(0, -1)}B`,
    ],
  ),
  byTexts(["text-empty", "an empty text has no sender", "PROTO"], [""]),
];

/** An id that makes the envelope one byte longer than a multiple of three. */
function padOf(fields: Fields): string {
  const length = fields.reduce((sum, field) => sum + field.length, 0) + 2;
  return "x".repeat((4 - (length % 3)) % 3);
}

const STRUCTURE: readonly NamedCase[] = [
  byBytes(["truncated", "the last byte is missing", "PROTO"], (bytes) => bytes.subarray(0, -1)),
  byBytes(["trailing-zero", "a zero byte after the last field", "PROTO"], (bytes) => concat(bytes, Uint8Array.of(0))),
  byBytes(["trailing-tag", "a tag without a value at the end", "PROTO"], (bytes) => concat(bytes, Uint8Array.of(0x48))),
  byMessage(["no-sender", "no sender", "PROTO"], (fields) => [at(fields, 0)]),
  byMessage(["reordered", "the fields in another order", "ok"], (fields) => fields.toReversed()),
  plus(["unknown-field-8", "an unknown varint field", "PROTO"], varintField(8, 1)),
  plus(["unknown-field-10", "an unknown field between known ones", "PROTO"], varintField(10, 1)),
  plus(["unknown-field-17", "an unknown length-delimited field", "PROTO"], bytesField(17, utf8("x"))),
  plus(["unknown-field-max", "the largest field number", "PROTO"], varintField(536_870_911, 0)),
  plus(["field-zero", "field number 0", "PROTO"], concat(encodeTag(0, 0), Uint8Array.of(0))),
  plus(["group", "a group, begun and ended", "PROTO"], concat(encodeTag(8, 3), encodeTag(8, 4))),
  plus(["group-known", "a known field as a group", "PROTO"], concat(encodeTag(1, 3), encodeTag(1, 4))),
  plus(["fixed32", "ttl as fixed32", "PROTO"], concat(encodeTag(9, 5), new Uint8Array(4))),
  plus(["fixed64", "ttl as fixed64", "PROTO"], concat(encodeTag(9, 1), new Uint8Array(8))),
  plus(["wire-type-6", "a wire type that does not exist", "PROTO"], encodeTag(9, 6)),
  plus(["ttl-length-delimited", "ttl as bytes", "PROTO"], bytesField(9, Uint8Array.of(1))),
  plus(["id-varint", "id as a number", "PROTO"], varintField(1, 1)),
  byMessage(["data-varint", "data as a number", "PROTO"], (fields) => [varintField(3, 0), ...fields.slice(1)]),
  byMessage(["sender-varint", "sender as a number", "PROTO"], (fields) => [at(fields, 0), varintField(4, 0)]),
  plus(["encoding-length-delimited", "content_encoding as bytes", "PROTO"], bytesField(7, new Uint8Array())),
  byMessage(["data-twice", "the same data twice", "PROTO"], (fields) => [at(fields, 0), ...fields]),
  byMessage(["sender-twice", "the same sender twice", "PROTO"], (fields) => [...fields, at(fields, 1)]),
  plus(["encoding-twice", "content_encoding twice", "PROTO"], varintField(7, 0), varintField(7, 0)),
  plus(["id-twice", "id twice", "PROTO"], stringField(1, "a"), stringField(1, "a")),
  plus(["ttl-twice", "ttl twice", "PROTO"], varintField(9, 0), varintField(9, 0)),
  plus(["routing", "every routing field, and two hops", "ok"],
    ...[stringField(1, "id"), stringField(2, "https://push.example/1"), stringField(5, "sidecar é")],
    ...[via(varintField(1, 5), stringField(2, "a")), via(varintField(1, INT64_MIN)), varintField(9, 60)]), // prettier-ignore
  plus(["defaults", "fields that are present with their default values", "ok"],
    ...[stringField(1, ""), stringField(2, ""), stringField(5, ""), via(), varintField(7, 0), varintField(9, 0)]), // prettier-ignore
  byForgery(["data-absent", "no data at all, and claims that say so", "PAYLOAD"], {
    data: new Uint8Array(),
    message: (fields) => fields.slice(1),
  }),
];

const VARINTS: readonly NamedCase[] = [
  plus(["tag-not-minimal", "a tag with a superfluous byte", "PROTO"], Uint8Array.of(0x8a, 0x00, 0x00)),
  plus(["length-not-minimal", "a length with a superfluous byte", "PROTO"], longLength(1, utf8("a"))),
  plus(
    ["number-not-minimal", "a number with a superfluous byte", "PROTO"],
    concat(encodeTag(9, 0), Uint8Array.of(0x80, 0)),
  ),
  byMessage(["sender-length-not-minimal", "the sender's length with a superfluous byte", "PROTO"], (fields) => [
    at(fields, 0),
    longLength(4, at(fields, 1).subarray(3)),
  ]),
  plus(["varint-eleven-bytes", "a varint of eleven bytes", "PROTO"],
    concat(encodeTag(9, 0), new Uint8Array(10).fill(0xff), Uint8Array.of(1))), // prettier-ignore
  plus(["varint-65-bits", "a varint of ten bytes and 65 bits", "PROTO"],
    via(concat(encodeTag(1, 0), new Uint8Array(9).fill(0xff), Uint8Array.of(2)))), // prettier-ignore
  plus(
    ["varint-64-bits", "the largest varint", "ok"],
    via(concat(encodeTag(1, 0), new Uint8Array(9).fill(0xff), Uint8Array.of(1))),
  ),
  plus(["int32-max", "ttl 2^31-1", "ok"], varintField(9, 2_147_483_647)),
  plus(["int32-over", "ttl 2^31", "PROTO"], varintField(9, 2_147_483_648)),
  plus(["int32-min", "ttl -2^31, ten bytes", "ok"], varintField(9, -2_147_483_648)),
  plus(["int32-under", "ttl -2^31-1", "PROTO"], varintField(9, -2_147_483_649)),
  plus(
    ["int32-unsigned", "ttl -1 in five bytes instead of ten", "PROTO"],
    concat(encodeTag(9, 0), encodeVarint(0xffff_ffffn)),
  ),
  plus(["length-past-end", "a length one past the end", "PROTO"], concat(encodeTag(1, 2), Uint8Array.of(2, 0x61))),
  plus(["length-huge", "a length of 2^64-1", "PROTO"], concat(encodeTag(1, 2), encodeVarint((1n << 64n) - 1n))),
];

const STRINGS: readonly NamedCase[] = [
  plus(["id-not-utf8", "id with a byte ff", "PROTO"], bytesField(1, Uint8Array.of(0xff))),
  plus(["id-overlong", "id with an overlong encoding", "PROTO"], bytesField(1, Uint8Array.of(0xc0, 0xaf))),
  plus(["push-surrogate", "push with an encoded surrogate", "PROTO"], bytesField(2, Uint8Array.of(0xed, 0xa0, 0x80))),
  plus(["from-truncated", "from that ends inside a character", "PROTO"], bytesField(5, Uint8Array.of(0xe2, 0x82))),
  plus(["vip-above-unicode", "vip above U+10FFFF", "PROTO"], via(bytesField(2, Uint8Array.of(0xf4, 0x90, 0x80, 0x80)))),
  plus(["id-bom", "id that begins with a byte order mark", "ok"], bytesField(1, Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))),
];

const VAPID: readonly NamedCase[] = [
  byForgery(["header-explicit", "t_type is the constant header", "ok"], {
    vapid: (f) => [...f, bytesField(32, HEADER)],
  }),
  byForgery(["header-other-order", "t_type with its members in another order", "PROTO"], {
    vapid: (fields) => [...fields, bytesField(32, utf8('{"alg":"ES256","typ":"JWT"}'))],
  }),
  byForgery(["header-none", "t_type that names the algorithm none", "PROTO"], {
    vapid: (fields) => [...fields, bytesField(32, utf8('{"typ":"JWT","alg":"none"}'))],
  }),
  byForgery(["header-empty", "t_type present and empty", "ok"], {
    vapid: (f) => [...f, bytesField(32, new Uint8Array())],
  }),
  byForgery(["vapid-unknown-field", "an unknown field in the sender", "PROTO"], {
    vapid: (f) => [...f, varintField(5, 0)],
  }),
  byForgery(["vapid-reordered", "the sender's fields in another order", "ok"], { vapid: (f) => f.toReversed() }),
  byForgery(["k-twice", "k twice", "PROTO"], { vapid: (fields) => [at(fields, 0), ...fields] }),
  byForgery(["claims-twice", "the claims twice", "PROTO"], { vapid: (fields) => [at(fields, 1), ...fields] }),
  byForgery(["signature-twice", "the signature twice", "PROTO"], { vapid: (fields) => [at(fields, 2), ...fields] }),
  byForgery(["k-varint", "k as a number", "PROTO"], { vapid: (fields) => [varintField(4, 0), ...fields.slice(1)] }),
  plus(["via-unknown-field", "an unknown field in a hop", "PROTO"], via(varintField(3, 0))),
  plus(["via-time-twice", "the time of a hop twice", "PROTO"], via(varintField(1, 0), varintField(1, 0))),
  byForgery(["cosigner-claims", "a cosigner with claims of its own", "PROTO"], {
    signers: ["cfg", "cfg-2"],
    vapid: (fields, i) => (i === 0 ? fields : [...fields, bytesField(7, utf8("{}"))]),
  }),
  byForgery(["cosigner-empty-claims", "a cosigner with empty claims", "PROTO"], {
    signers: ["cfg", "cfg-2"],
    vapid: (fields, i) => (i === 0 ? fields : [...fields, bytesField(7, new Uint8Array())]),
  }),
  byForgery(["cosigner-header", "a cosigner with the constant header", "PROTO"], {
    signers: ["cfg", "cfg-2"],
    vapid: (fields, i) => (i === 0 ? fields : [...fields, bytesField(32, HEADER)]),
  }),
  byForgery(["cosigner-k-twice", "a cosigner with k twice", "PROTO"], {
    signers: ["cfg", "cfg-2"],
    vapid: (fields, i) => (i === 0 ? fields : [at(fields, 0), ...fields]),
  }),
];

export const PROTOBUF_CASES: readonly NamedCase[] = [...TEXTS, ...STRUCTURE, ...VARINTS, ...STRINGS, ...VAPID];
