/** What all signers of a statement sign: the JWS signing input (RFC 7515 section 5.1) under the constant header. */
import { encodeBase64Url } from "../bytes/base64url.ts";
import { utf8 } from "../bytes/octets.ts";
import { JWT_HEADER } from "./format.ts";

const PREFIX = `${encodeBase64Url(JWT_HEADER)}.`;

export function signingInputOf(claims: Uint8Array): Uint8Array {
  return utf8(PREFIX + encodeBase64Url(claims));
}
