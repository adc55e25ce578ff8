/**
 * base64url, RFC 4648 section 5, without padding. Subset: the one canonical text of each octet string and nothing else
 * (no padding, no white space, unused bits zero). Timing: not constant; never used on secrets that an attacker times.
 */
import { ParseError } from "../errors.ts";

export function encodeBase64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64url");
}

/** @throws ParseError BASE64URL unless `text` is what `encodeBase64Url` writes. */
export function decodeBase64Url(text: string): Uint8Array {
  const bytes = tryDecodeBase64Url(text);
  if (bytes === undefined) throw new ParseError("BASE64URL", "not strict base64url");
  return bytes;
}

/** Like `decodeBase64Url`, with undefined instead of an exception. */
export function tryDecodeBase64Url(text: string): Uint8Array | undefined {
  // The decoder of Node skips what it does not know; only the canonical text survives the way back.
  const bytes = Buffer.from(text, "base64url");
  if (bytes.toString("base64url") !== text) return undefined;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
