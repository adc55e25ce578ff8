/** SHA-256 of views, and the two texts that docs/envelope.md section 1 makes of it. */
import { View } from "../bytes/view";
import { sha256 } from "../crypto/sha256";
import { decodeBase64Url, encodeBase64UrlBytes } from "../wire/base64url";

const DIGEST_BYTES = 32;
const KEY_ID_BYTES = 16;
const DIGEST_TEXT_LENGTH = 43;
const KEY_ID_TEXT_LENGTH = 22;

export function digestOf(data: View): View {
  const digest = new Uint8Array(DIGEST_BYTES);
  sha256(data.ptr, data.length, digest.dataStart);
  return View.of(digest);
}

/** The b64u-digest, 43 characters. */
export function digestText(data: View): View {
  return encodeBase64UrlBytes(digestOf(data));
}

/** The key id of a 65-byte key, 22 characters. */
export function keyId(publicKey: View): View {
  return encodeBase64UrlBytes(digestOf(publicKey).slice(0, KEY_ID_BYTES));
}

/** The 32 bytes that a b64u-digest spells, or null when it is none. */
export function parseDigest(text: View): View | null {
  return text.length == DIGEST_TEXT_LENGTH ? decodeBase64Url(text) : null;
}

export function isKeyId(text: View): bool {
  return text.length == KEY_ID_TEXT_LENGTH && decodeBase64Url(text) != null;
}
