import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { decodeBase64Url } from "../../../xds-proxy/src/bytes/base64url.ts";
import { openRecord, parseBody } from "../../../xds-proxy/src/crypto/content-encoding.ts";
import { ExchangeKey } from "../../../xds-proxy/src/crypto/ecdh-p256.ts";
import { PublicKey, SigningKey } from "../../../xds-proxy/src/crypto/ecdsa-p256.ts";
import { hkdfExpand, hkdfExtract } from "../../../xds-proxy/src/crypto/hkdf.ts";
import { openMessage } from "../../../xds-proxy/src/crypto/message-encryption.ts";
import { hex, list, members, text } from "../../conformance/json.ts";
import type { Members } from "../../conformance/json.ts";
import { CryptoModule } from "./module.ts";
import { bytes32 } from "./numbers.ts";

const EXAMPLES = members(JSON.parse(readFileSync("test/vectors/rfc/examples.json", "utf8")), "examples");
const module = new CryptoModule();
const NOTHING = new Uint8Array();
const utf8 = (value: string): Uint8Array => new TextEncoder().encode(value);
const example = (name: string): Members => members(EXAMPLES[name], name);
const b64u = (object: Members, name: string): Uint8Array => decodeBase64Url(text(object[name], name));

function verifies(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): [wasm: boolean, ts: boolean] {
  const digest = module.sha256(message);
  return [module.verifyP1363({ publicKey, digest, signature }), PublicKey.import(publicKey).verify(message, signature)];
}

function publicKeyOf(scalar: Uint8Array): Uint8Array {
  const publicKey = module.derivePublicKey(scalar)!;
  expect(publicKey).toEqual(SigningKey.fromRaw(scalar).publicKey);
  return publicKey;
}

/** One `aes128gcm` record (RFC 8188 section 2), opened by the filter's primitives. */
function openInWasm(
  keys: { ikm: Uint8Array; salt: Uint8Array },
  record: Uint8Array,
  sequence = 0,
): Uint8Array | undefined {
  const info = (name: string): Uint8Array => utf8(`Content-Encoding: ${name}\0`);
  const key = module.hkdfSha256({ ...keys, info: info("aes128gcm"), sizeBytes: 16 });
  const nonce = module.hkdfSha256({ ...keys, info: info("nonce"), sizeBytes: 12 });
  nonce[11]! ^= sequence;
  return module.aes128GcmOpen({ key, nonce, aad: NOTHING, sealed: record });
}

/** Text and the delimiter behind it. */
const delimited = (value: string, delimiter: number): Uint8Array => Uint8Array.from([...utf8(value), delimiter]);

test("RFC 5869 appendix A: HKDF", () => {
  const range = (from: number, to: number): Uint8Array =>
    Uint8Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const cases = list(EXAMPLES["rfc5869_sha256"], "rfc5869_sha256").map((one) => members(one, "a case"));
  const run = (one: Members): string => {
    const isLong = one["id"] === "A.2";
    const ikm = isLong ? range(0, 0x4f) : hex(one["ikm_hex"], "ikm");
    const salt = isLong ? range(0x60, 0xaf) : hex(one["salt_hex"], "salt");
    const info = isLong ? range(0xb0, 0xff) : hex(one["info_hex"], "info");
    const okm = hex(one["okm_hex"], "okm");
    expect(module.hkdfSha256({ salt, ikm, info, sizeBytes: okm.length })).toEqual(okm);
    expect(Uint8Array.from(hkdfExpand(hkdfExtract(salt, ikm), info, 32))).toEqual(okm.slice(0, 32));
    return text(one["id"], "id");
  };
  expect(cases.map(run)).toEqual(["A.1", "A.2", "A.3"]);
});

test("RFC 6979 appendix A.2.5: ECDSA, high and low s", () => {
  const { x_hex, cases } = example("rfc6979_a_2_5_sha256");
  const publicKey = publicKeyOf(hex(x_hex, "x"));
  const verdicts = list(cases, "cases").map((value) => {
    const one = members(value, "a case");
    return verifies(publicKey, utf8(text(one["msg"], "msg")), hex(one["sig_hex"], "sig"));
  });
  expect(verdicts).toEqual([
    [true, true],
    [true, true],
  ]);
});

test("CCTV: ECDSA whose first nonce candidate is rejected", () => {
  const { x_hex, msg, sig_hex } = example("cctv_rfc6979_rejection");
  expect(verifies(publicKeyOf(hex(x_hex, "x")), utf8(text(msg, "msg")), hex(sig_hex, "sig"))).toEqual([true, true]);
});

test("DSSE protocol.md: ECDSA over a pre-authentication encoding", () => {
  const { d_decimal, pae, sig_base64 } = example("dsse_protocol_md");
  const publicKey = publicKeyOf(bytes32(BigInt(text(d_decimal, "d"))));
  const signature = Uint8Array.from(Buffer.from(text(sig_base64, "sig"), "base64"));
  expect(verifies(publicKey, utf8(text(pae, "pae")), signature)).toEqual([true, true]);
});

test("RFC 8292 section 2.4: the token of a VAPID header", () => {
  const vapid = example("rfc8292_2_4");
  const [header, claims, signature] = text(vapid["t"], "t").split(".");
  const signed = utf8(`${header!}.${claims!}`);
  expect(verifies(b64u(vapid, "k"), signed, decodeBase64Url(signature!))).toEqual([true, true]);
});

test("RFC 8188 section 3.1: one record", () => {
  const one = example("rfc8188_3_1");
  const ikm = b64u(one, "key");
  const { salt, record } = parseBody(b64u(one, "body"));
  const plaintext = text(one["plaintext"], "plaintext");
  expect(openInWasm({ ikm, salt }, record)).toEqual(delimited(plaintext, 2));
  expect(Uint8Array.from(openRecord({ ikm, salt }, record)!)).toEqual(utf8(plaintext));
});

test("RFC 8188 section 3.2: two records, which the library does not take", () => {
  const two = example("rfc8188_3_2");
  const body = b64u(two, "body");
  const [ikm, salt] = [b64u(two, "key"), body.subarray(0, 16)];
  const records = [body.subarray(23, 48), body.subarray(48)];
  expect(openInWasm({ ikm, salt }, records[0]!, 0)).toEqual(Uint8Array.from([...delimited("I am th", 1), 0]));
  expect(openInWasm({ ikm, salt }, records[1]!, 1)).toEqual(delimited("e walrus", 2));
  expect(() => parseBody(body)).toThrow(expect.objectContaining({ code: "CONTENT_ENCODING" }));
});

test("RFC 8291 section 5: a push message", () => {
  const push = example("rfc8291_5");
  const [secret, publicKey, auth, body] = ["ua_private", "ua_public", "auth_secret", "body"].map((name) =>
    b64u(push, name),
  );
  const { salt, keyId, record } = parseBody(body!);
  const plaintext = text(push["plaintext"], "plaintext");
  const shared = module.ecdh(secret!, keyId)!;
  const info = Uint8Array.from([...utf8("WebPush: info\0"), ...publicKey!, ...keyId]);
  const ikm = module.hkdfSha256({ salt: auth!, ikm: shared, info, sizeBytes: 32 });
  expect(openInWasm({ ikm, salt }, record)).toEqual(delimited(plaintext, 2));
  const opened = openMessage({ key: ExchangeKey.fromRaw(secret!), auth: auth! }, body!);
  expect(Buffer.from(opened!.text).toString()).toBe(plaintext);
});
