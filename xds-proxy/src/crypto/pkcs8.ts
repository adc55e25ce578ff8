/**
 * PKCS #8 private keys on P-256 (RFC 5208, RFC 5958) with the attribute `keyUsage` (RFC 5280 section 4.2.1.3), which OpenSSL,
 * Node and others read past. The attribute keeps apart the keys that sign and the keys that agree on secrets (RFC 8292
 * section 3.2): a key without it, as `openssl genpkey` makes, is a signing key, so no file can ever be loaded as both.
 *
 * The outer SEQUENCE holds INTEGER version, SEQUENCE algorithm, OCTET STRING privateKey, and [0] SET OF Attribute.
 */
import { createPrivateKey } from "node:crypto";
import { concat } from "../bytes/octets.ts";
import { ParseError } from "../errors.ts";
import { rawPrivateKey } from "./ecdsa-p256.ts";
import { derivePublicKey, pkcs8Of } from "./p256.ts";

export type KeyUsage = "signing" | "exchange";

/** Attribute keyUsage up to its BIT STRING's content: OID 2.5.29.15, SET, BIT STRING. */
const USAGE_PREFIX = Buffer.from("0603551d0f3104", "hex");
/** DER of the BIT STRING: digitalSignature (bit 0), keyAgreement (bit 4). */
const USAGE_BITS: Readonly<Record<KeyUsage, Buffer>> = {
  signing: Buffer.from("03020780", "hex"),
  exchange: Buffer.from("03020308", "hex"),
};
const SEQUENCE = 0x30;
const ATTRIBUTES = 0xa0;

export interface UsedPrivateKey {
  readonly usage: KeyUsage;
  /** The scalar, 32 bytes. */
  readonly raw: Uint8Array;
}

export function encodePkcs8({ usage, raw }: UsedPrivateKey): Uint8Array {
  const attribute = der(SEQUENCE, concat(USAGE_PREFIX, USAGE_BITS[usage]));
  const plain = pkcs8Of(raw, derivePublicKey(raw));
  return der(SEQUENCE, concat(readElement(plain, 0).content, der(ATTRIBUTES, attribute)));
}

/** @throws ParseError KEY unless it is an unencrypted P-256 key whose usage is one of the two. */
export function decodePkcs8(bytes: Uint8Array): UsedPrivateKey {
  let key;
  try {
    key = createPrivateKey({ key: Buffer.from(bytes), format: "der", type: "pkcs8" });
  } catch (cause) {
    throw new ParseError("KEY", "not an unencrypted PKCS #8 private key", { cause });
  }
  if (key.asymmetricKeyDetails?.namedCurve !== "prime256v1") throw new ParseError("KEY", "not a P-256 private key");
  return { usage: usageOf(bytes), raw: rawPrivateKey(key) };
}

function usageOf(bytes: Uint8Array): KeyUsage {
  const outer = readElement(bytes, 0).content;
  let at = 0;
  let attributes: Uint8Array | undefined;
  while (at < outer.length) {
    const element = readElement(outer, at);
    if (element.tag === ATTRIBUTES) attributes = element.content;
    at = element.end;
  }
  if (attributes === undefined) return "signing";
  const found = Buffer.from(attributes).indexOf(USAGE_PREFIX);
  if (found < 0) return "signing";
  const bits = Buffer.from(attributes).subarray(found + USAGE_PREFIX.length);
  const usage = (["signing", "exchange"] as const).find((name) => bits.subarray(0, 4).equals(USAGE_BITS[name]));
  if (usage === undefined) throw new ParseError("KEY", "a keyUsage that is neither digitalSignature nor keyAgreement");
  return usage;
}

interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
  readonly end: number;
}

/** Lengths up to 255 bytes, which is more than a P-256 key needs. */
function readElement(bytes: Uint8Array, at: number): DerElement {
  const tag = bytes[at];
  const short = bytes[at + 1];
  const [length, start] = short === 0x81 ? [bytes[at + 2], at + 3] : [short, at + 2];
  if (tag === undefined || length === undefined || (short !== 0x81 && length > 0x7f) || start + length > bytes.length) {
    throw new ParseError("KEY", "malformed DER");
  }
  return { tag, content: bytes.subarray(start, start + length), end: start + length };
}

function der(tag: number, content: Uint8Array): Uint8Array {
  const length = content.length < 0x80 ? [content.length] : [0x81, content.length];
  return concat(Uint8Array.of(tag, ...length), content);
}
