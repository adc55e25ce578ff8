import { readFileSync } from "node:fs";
import { p256 } from "@noble/curves/nist.js";
import { describe, expect, test } from "vitest";
import { decodeBase64Url, encodeBase64Url } from "../../xds-proxy/src/bytes/base64url.ts";
import { encodeBody, openRecord, parseBody } from "../../xds-proxy/src/crypto/content-encoding.ts";
import { ExchangeKey } from "../../xds-proxy/src/crypto/ecdh-p256.ts";
import { importPublicKey, SigningKey } from "../../xds-proxy/src/crypto/ecdsa-p256.ts";
import { hkdfExpand, hkdfExtract } from "../../xds-proxy/src/crypto/hkdf.ts";
import { openMessage, sealMessage } from "../../xds-proxy/src/crypto/message-encryption.ts";
import { ParseError } from "../../xds-proxy/src/errors.ts";
import { formatAuthorization, parseAuthorization, verifyToken } from "../../xds-proxy/src/webpush/vapid.ts";

interface Examples {
  readonly rfc8188_3_1: { readonly key: string; readonly body: string; readonly plaintext: string };
  readonly rfc8188_3_2: { readonly key: string; readonly body: string };
  readonly rfc8291_5: Readonly<
    Record<
      "plaintext" | "as_private" | "as_public" | "ua_private" | "ua_public" | "salt" | "auth_secret" | "body",
      string
    >
  >;
  readonly rfc8292_2_4: { readonly t: string; readonly k: string };
  readonly rfc6979_a_2_5_sha256: {
    readonly x_hex: string;
    readonly cases: readonly { msg: string; sig_hex: string }[];
  };
  readonly rfc5869_sha256: readonly {
    readonly ikm_hex?: string;
    readonly salt_hex?: string;
    readonly info_hex?: string;
    readonly okm_hex: string;
  }[];
}

const examples = JSON.parse(readFileSync(new URL("../vectors/rfc/examples.json", import.meta.url), "utf8")) as Examples;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const hex = (value: string): Buffer => Buffer.from(value, "hex");

describe("RFC 8188", () => {
  const { key, body, plaintext } = examples.rfc8188_3_1;
  const parsed = parseBody(decodeBase64Url(body));

  test("section 3.1 opens", () => {
    const opened = openRecord({ ikm: decodeBase64Url(key), salt: parsed.salt }, parsed.record);
    expect(Buffer.from(opened!).toString()).toBe(plaintext);
  });

  test("section 3.1 is what is written for its salt and record size", () => {
    const content = { ikm: decodeBase64Url(key), salt: parsed.salt, keyId: new Uint8Array() };
    expect(encodeBase64Url(encodeBody({ ...content, text: [text(plaintext)], recordSize: 4096 }))).toBe(body);
  });

  test("section 3.2 has two records, which is outside the profile", () => {
    expect(() => parseBody(decodeBase64Url(examples.rfc8188_3_2.body))).toThrow(ParseError);
  });
});

describe("RFC 8291 section 5", () => {
  const example = examples.rfc8291_5;
  const auth = decodeBase64Url(example.auth_secret);

  test("opens", () => {
    const opened = openMessage(
      { key: ExchangeKey.fromRaw(decodeBase64Url(example.ua_private)), auth },
      decodeBase64Url(example.body),
    );
    expect(Buffer.from(opened!.text).toString()).toBe(example.plaintext);
    expect(encodeBase64Url(opened!.sender)).toBe(example.as_public);
  });

  test("is what is written for its sender key and salt", () => {
    const body = sealMessage({
      recipient: { p256dh: decodeBase64Url(example.ua_public), auth },
      text: [text(example.plaintext)],
      fixed: { sender: ExchangeKey.fromRaw(decodeBase64Url(example.as_private)), salt: decodeBase64Url(example.salt) },
    });
    expect(encodeBase64Url(body)).toBe(example.body);
  });
});

describe("RFC 8292 section 2.4", () => {
  const { t, k } = examples.rfc8292_2_4;
  const field = `vapid t=${t}, k=${k}`;

  test("verifies, with its high s", () => {
    expect(verifyToken(parseAuthorization(field))).toBe(true);
  });

  test("is written as it was read", () => {
    expect(formatAuthorization(parseAuthorization(field))).toBe(field);
  });

  test("does not verify with another claim or key", () => {
    const token = parseAuthorization(field);
    expect(verifyToken({ ...token, claims: text("{}") })).toBe(false);
    expect(verifyToken({ ...token, publicKey: SigningKey.generate().publicKey })).toBe(false);
  });
});

describe("RFC 6979 appendix A.2.5", () => {
  const { x_hex, cases } = examples.rfc6979_a_2_5_sha256;
  const key = SigningKey.fromRaw(hex(x_hex));

  test.each(cases)("the signature of $msg verifies, and is what the corpus would sign", ({ msg, sig_hex }) => {
    expect(importPublicKey(key.publicKey).verify(text(msg), hex(sig_hex))).toBe(true);
    expect(Buffer.from(p256.sign(text(msg), hex(x_hex), { lowS: false })).toString("hex")).toBe(sig_hex.toLowerCase());
  });

  test("has both examples", () => {
    expect(cases.length).toBe(2);
  });
});

test("RFC 5869 appendix A.1 and A.3, their first block", () => {
  const cases = examples.rfc5869_sha256.filter(({ ikm_hex }) => ikm_hex !== undefined);
  expect(cases.length).toBe(2);
  for (const { ikm_hex, salt_hex, info_hex, okm_hex } of cases) {
    const prk = hkdfExtract(hex(salt_hex ?? ""), hex(ikm_hex ?? ""));
    expect(Buffer.from(hkdfExpand(prk, hex(info_hex ?? ""), 32)).toString("hex")).toBe(okm_hex.slice(0, 64));
  }
});
