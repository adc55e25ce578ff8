/** SHA-256 (FIPS 180-4) over node:crypto, and the two names that are made from it. */
import { hash } from "node:crypto";
import { encodeBase64Url } from "../bytes/base64url.ts";

/** 32 bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return hash("sha256", bytes, "buffer");
}

/** base64url SHA-256, 43 characters. */
export function digestOf(bytes: Uint8Array): string {
  return hash("sha256", bytes, "base64url");
}

/** Key id of a public key of 65 bytes: base64url of the first 16 bytes of its SHA-256, 22 characters. */
export function keyIdOf(publicKey: Uint8Array): string {
  return encodeBase64Url(sha256(publicKey).subarray(0, 16));
}
