/**
 * JSON Web Signatures with ES256 in compact form (RFC 7515, RFC 7518 section 3.4). Subset: one constant header, which is written
 * and compared but never parsed, so that no algorithm, key id or extension can be chosen by whoever sends it.
 */
import { encodeBase64Url } from "../bytes/base64url.ts";
import { utf8 } from "../bytes/octets.ts";

/** The only header there is, as JSON. */
export const JWT_HEADER: Uint8Array = utf8('{"typ":"JWT","alg":"ES256"}');

/** The same, as it begins every signing input. */
export const JWT_HEADER_B64U: string = encodeBase64Url(JWT_HEADER);

/** What is signed (RFC 7515 section 5.1), for claims of any JSON text. */
export function signingInputOf(claims: Uint8Array): Uint8Array {
  return utf8(`${JWT_HEADER_B64U}.${encodeBase64Url(claims)}`);
}
