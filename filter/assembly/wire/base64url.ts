/** base64url without padding (RFC 4648 section 5), one spelling per byte string: no padding, no white space, unused bits
 *  zero. Timing: constant in the characters, variable in the length. */
import * as raw from "../bytes/base64url";
import { View } from "../bytes/view";

/** The bytes that `text` spells, in a fresh buffer; null when it is not strict base64url. */
export function decodeBase64Url(text: View): View | null {
  const out = new Uint8Array(raw.decodedLength(text.length));
  return raw.decodeBase64Url(text.ptr, text.length, out.dataStart) ? View.of(out) : null;
}

export function encodeBase64Url(bytes: View): string {
  return encodeBase64UrlBytes(bytes).toString();
}

/** The text of `encodeBase64Url` as ASCII bytes in a fresh buffer. */
export function encodeBase64UrlBytes(bytes: View): View {
  const out = new Uint8Array(raw.encodedLength(bytes.length));
  raw.encodeBase64Url(bytes.ptr, bytes.length, out.dataStart);
  return View.of(out);
}
