/**
 * P-256 keys as DER, and their validation (SEC 1 section 3.2.2.1, FIPS 186-5 appendix A.2).
 * Other forms (compressed points, other curves) do not exist here. Timing: validation is variable-time, in public data
 * and once per loaded private key.
 */
import { p256 } from "@noble/curves/nist.js";
import { concat } from "../bytes/octets.ts";
import { ParseError } from "../errors.ts";

export const PUBLIC_KEY_BYTES = 65;
export const PRIVATE_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** SubjectPublicKeyInfo (RFC 5480) of an uncompressed point, without the point. */
const SPKI_PREFIX = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d030107034200", "hex");
/** PrivateKeyInfo (RFC 5208) with an ECPrivateKey (RFC 5915), up to the scalar, and between scalar and point. */
const PKCS8_PREFIX = Buffer.from("308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420", "hex");
const PKCS8_MIDDLE = Buffer.from("a144034200", "hex");

/** Uncompressed, as far as length and first byte tell. */
export function hasPublicKeyForm(publicKey: Uint8Array): boolean {
  return publicKey.length === PUBLIC_KEY_BYTES && publicKey[0] === 4;
}

/** Uncompressed, both coordinates below p, on the curve. */
export function isValidPublicKey(publicKey: Uint8Array): boolean {
  if (!hasPublicKeyForm(publicKey)) return false;
  try {
    p256.Point.fromBytes(publicKey).assertValidity();
    return true;
  } catch {
    return false;
  }
}

/** @throws ParseError KEY. */
export function assertPublicKey(publicKey: Uint8Array): void {
  if (!isValidPublicKey(publicKey)) throw new ParseError("KEY", "not an uncompressed P-256 point");
}

/** The public key, 65 bytes, of a scalar of 32 bytes.
 *  @throws ParseError KEY unless 1 \<= scalar \< n. */
export function derivePublicKey(privateKey: Uint8Array): Uint8Array {
  if (!p256.utils.isValidSecretKey(privateKey)) throw new ParseError("KEY", "not a P-256 private key");
  return p256.getPublicKey(privateKey, false);
}

export function spkiOf(publicKey: Uint8Array): Buffer {
  return Buffer.concat([SPKI_PREFIX, publicKey]);
}

export function pkcs8Of(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  return concat(PKCS8_PREFIX, privateKey, PKCS8_MIDDLE, publicKey);
}
