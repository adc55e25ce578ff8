/** Fixed keys of the corpus, made from their names, so that every run writes the same files. */
import { createHash } from "node:crypto";
import { p256 } from "@noble/curves/nist.js";
import { ExchangeKey } from "../../xds-proxy/src/crypto/ecdh-p256.ts";
import { derivePublicKey } from "../../xds-proxy/src/crypto/p256.ts";

/** 32 bytes that depend on the text only; far below the order of the group with overwhelming probability. */
export function fixedBytes(text: string): Uint8Array {
  return createHash("sha256").update(`wpgate test corpus: ${text}`).digest();
}

export interface FixedKey {
  readonly raw: Uint8Array;
  /** 65 bytes. */
  readonly publicKey: Uint8Array;
}

const keys = new Map<string, FixedKey>();

export function signingKey(name: string): FixedKey {
  const known = keys.get(name);
  if (known) return known;
  const raw = fixedBytes(`signing key ${name}`);
  const key = { raw, publicKey: derivePublicKey(raw) };
  keys.set(name, key);
  return key;
}

const signatures = new Map<string, Uint8Array>();

/** ES256 with the nonce of RFC 6979; s as it comes, high or low. */
export function fixedSignature(name: string, message: Uint8Array): Uint8Array {
  const id = `${name} ${createHash("sha256").update(message).digest("hex")}`;
  const known = signatures.get(id);
  if (known) return known;
  const signature = p256.sign(message, signingKey(name).raw, { lowS: false, prehash: true });
  signatures.set(id, signature);
  return signature;
}

/** A recipient, with the private parts that a case file carries. */
export interface Reader {
  readonly raw: Uint8Array;
  readonly p256dh: Uint8Array;
  readonly auth: Uint8Array;
}

export function reader(name: string): Reader {
  const raw = fixedBytes(`exchange key ${name}`);
  return { raw, p256dh: derivePublicKey(raw), auth: fixedBytes(`auth secret ${name}`).subarray(0, 16) };
}

export function senderKey(name: string): ExchangeKey {
  return ExchangeKey.fromRaw(fixedBytes(`ephemeral key ${name}`));
}
