import { createPrivateKey, createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { describe, expect, test } from "vitest";
import { ParseError } from "../errors.ts";
import { ExchangeKey } from "./ecdh-p256.ts";
import { SigningKey } from "./ecdsa-p256.ts";
import { decodeExchangeKeyPem, decodeSigningKeyPem, encodeExchangeKeyPem, encodeSigningKeyPem } from "./key-files.ts";
import { encodePem } from "./pem.ts";

const signing = SigningKey.generate();
const exchange = { key: ExchangeKey.generate(), auth: Uint8Array.from({ length: 16 }, (_, i) => i) };

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof ParseError) return error.code;
    throw error;
  }
  return "none";
}

describe("key files", () => {
  test("a signing key comes back", () => {
    expect(decodeSigningKeyPem(encodeSigningKeyPem(signing)).publicKey).toEqual(signing.publicKey);
  });

  test("a key-exchange key comes back with its auth secret", () => {
    const { key, auth } = decodeExchangeKeyPem(encodeExchangeKeyPem(exchange));
    expect(key.publicKey).toEqual(Uint8Array.from(exchange.key.publicKey));
    expect(auth).toEqual(exchange.auth);
  });

  test("neither loads as the other", () => {
    expect(codeOf(() => decodeSigningKeyPem(encodeExchangeKeyPem(exchange)))).toBe("KEY");
    expect(codeOf(() => decodeExchangeKeyPem(encodeSigningKeyPem(signing)))).toBe("KEY");
  });

  test("neither loads as the other when blocks are moved between files", () => {
    const secret = encodeExchangeKeyPem(exchange).split("-----END PRIVATE KEY-----\n")[1] ?? "";
    expect(secret).toContain("AUTH SECRET");
    expect(codeOf(() => decodeExchangeKeyPem(encodeSigningKeyPem(signing) + secret))).toBe("KEY");
  });

  test("text around the blocks and line ends of another system do not matter", () => {
    const text = `created by somebody\r\n${encodeSigningKeyPem(signing).replaceAll("\n", "\r\n")}the end`;
    expect(decodeSigningKeyPem(text).publicKey).toEqual(signing.publicKey);
  });

  test.each([
    ["no block", "", "PEM"],
    ["two blocks", encodeSigningKeyPem(signing).repeat(2), "PEM"],
    ["a public key", encodePem({ label: "PUBLIC KEY", bytes: new Uint8Array(91) }), "PEM"],
    ["no DER", encodePem({ label: "PRIVATE KEY", bytes: new Uint8Array(40) }), "KEY"],
  ])("%s is refused", (_, text, code) => {
    expect(codeOf(() => decodeSigningKeyPem(text))).toBe(code);
  });

  test("an auth secret of another length is refused", () => {
    expect(codeOf(() => decodeExchangeKeyPem(encodeExchangeKeyPem({ ...exchange, auth: new Uint8Array(15) })))).toBe(
      "KEY",
    );
  });
});

/** The decoder of OpenSSL, which the runtime has built in. */
describe("OpenSSL", () => {
  const generated = (curve: string): string =>
    generateKeyPairSync("ec", { namedCurve: curve }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();

  test.each([
    ["a signing key", encodeSigningKeyPem(signing), signing.publicKey],
    ["a key-exchange key", encodeExchangeKeyPem(exchange), exchange.key.publicKey],
  ])("reads %s", (_, text, publicKey) => {
    const der = createPublicKey(createPrivateKey(text)).export({ type: "spki", format: "der" });
    expect(der.subarray(-65)).toEqual(Buffer.from(publicKey));
  });

  test("makes signing keys that load, and cannot load as key-exchange keys", () => {
    const text = generated("P-256");
    expect(decodeSigningKeyPem(text).publicKey.length).toBe(65);
    const secret = encodeExchangeKeyPem(exchange).split("-----END PRIVATE KEY-----\n")[1] ?? "";
    expect(codeOf(() => decodeExchangeKeyPem(text + secret))).toBe("KEY");
  });

  test.each([
    ["on another curve", generated("P-384")],
    [
      "of another algorithm",
      generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    ],
    [
      "on P-256 in the older form of EC keys",
      generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "sec1", format: "pem" }).toString(),
    ],
  ])("makes a key %s, which is refused", (_, text) => {
    expect(["KEY", "PEM"]).toContain(codeOf(() => decodeSigningKeyPem(text)));
  });

  test("verifies what a signing key signs", () => {
    const message = new TextEncoder().encode("a message");
    const key = createPublicKey(createPrivateKey(encodeSigningKeyPem(signing)));
    expect(verify("sha256", message, { key, dsaEncoding: "ieee-p1363" }, signing.sign(message))).toBe(true);
  });
});
