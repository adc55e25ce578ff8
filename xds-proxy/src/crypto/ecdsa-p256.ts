/**
 * ECDSA on P-256 with SHA-256 (FIPS 186-5 section 6), signatures as r and s of 32 bytes each (RFC 7518 section 3.4), over
 * node:crypto. Both s and n-s verify. Timing: signing is OpenSSL's (constant time); verification is variable-time.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { InternalError } from "../errors.ts";
import { assertPublicKey, derivePublicKey, isValidPublicKey, pkcs8Of, SIGNATURE_BYTES, spkiOf } from "./p256.ts";

/** A P-256 public key for signatures; only `importPublicKey` makes one, so its point is valid. */
export class PublicKey {
  /** 65 bytes. */
  readonly bytes: Uint8Array;
  private readonly key: { readonly key: KeyObject; readonly dsaEncoding: "ieee-p1363" };

  private constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.key = {
      key: createPublicKey({ key: spkiOf(bytes), format: "der", type: "spki" }),
      dsaEncoding: "ieee-p1363",
    };
  }

  /** @throws ParseError KEY unless `bytes` is a valid uncompressed point. */
  static import(bytes: Uint8Array): PublicKey {
    assertPublicKey(bytes);
    return new PublicKey(Uint8Array.from(bytes));
  }

  verify(message: Uint8Array, signature: Uint8Array): boolean {
    return signature.length === SIGNATURE_BYTES && verify("sha256", message, this.key, signature);
  }
}

/** Keys that were imported lately. A root names few keys and they sign again and again; importing costs two verifications. */
const CACHE_MAX_COUNT = 256;
const imported = new Map<string, PublicKey>();

/** @throws ParseError KEY unless `bytes` is a valid uncompressed point of 65 bytes. */
export function importPublicKey(bytes: Uint8Array): PublicKey {
  const id = cacheKeyOf(bytes);
  const known = imported.get(id);
  if (known !== undefined) return known;
  const key = PublicKey.import(bytes);
  const oldest = imported.keys().next().value;
  if (imported.size >= CACHE_MAX_COUNT && oldest !== undefined) imported.delete(oldest);
  imported.set(id, key);
  return key;
}

/** Whether it can be imported; a key that was imported lately is not validated again. */
export function isPublicKey(bytes: Uint8Array): boolean {
  return imported.has(cacheKeyOf(bytes)) || isValidPublicKey(bytes);
}

function cacheKeyOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

/** A private key that signs and never agrees on secrets (RFC 8292 section 3.2). */
export class SigningKey {
  /** 65 bytes. */
  readonly publicKey: Uint8Array;
  private readonly key: { readonly key: KeyObject; readonly dsaEncoding: "ieee-p1363" };

  private constructor(key: KeyObject, publicKey: Uint8Array) {
    this.key = { key, dsaEncoding: "ieee-p1363" };
    this.publicKey = publicKey;
  }

  static generate(): SigningKey {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    return SigningKey.fromRaw(rawPrivateKey(privateKey));
  }

  /** @throws ParseError KEY unless 1 \<= scalar \< n, 32 bytes. */
  static fromRaw(privateKey: Uint8Array): SigningKey {
    const publicKey = derivePublicKey(privateKey);
    const der = Buffer.from(pkcs8Of(privateKey, publicKey));
    return new SigningKey(createPrivateKey({ key: der, format: "der", type: "pkcs8" }), publicKey);
  }

  /** 64 bytes. */
  sign(message: Uint8Array): Uint8Array {
    return sign("sha256", message, this.key);
  }

  /** The scalar, 32 bytes; for writing the key to a file. */
  exportRaw(): Uint8Array {
    return rawPrivateKey(this.key.key);
  }
}

/** The scalar of a P-256 private key, 32 bytes. */
export function rawPrivateKey(key: KeyObject): Uint8Array {
  const { d } = key.export({ format: "jwk" });
  if (d === undefined) throw new InternalError("not a private key");
  return Uint8Array.from(Buffer.from(d, "base64url"));
}
