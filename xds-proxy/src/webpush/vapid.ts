/**
 * VAPID (RFC 8292): the `Authorization` header field of a push message, `vapid t=JWT, k=PUBLIC-KEY`. An envelope in this form is
 * this field and the body. Subset: ES256 with the one header of `crypto/jws.ts`; what the claims mean is not known here.
 */
import { decodeBase64Url, encodeBase64Url } from "../bytes/base64url.ts";
import { importPublicKey } from "../crypto/ecdsa-p256.ts";
import { JWT_HEADER_B64U, signingInputOf } from "../crypto/jws.ts";
import { SIGNATURE_BYTES } from "../crypto/p256.ts";
import { ParseError } from "../errors.ts";

export interface VapidToken {
  /** Raw JSON. */
  readonly claims: Uint8Array;
  /** 64 bytes, r and s. */
  readonly signature: Uint8Array;
  /** 65 bytes. */
  readonly publicKey: Uint8Array;
}

export function formatAuthorization({ claims, signature, publicKey }: VapidToken): string {
  const token = `${JWT_HEADER_B64U}.${encodeBase64Url(claims)}.${encodeBase64Url(signature)}`;
  return `vapid t=${token}, k=${encodeBase64Url(publicKey)}`;
}

/** Takes a field value apart; the signature is not checked.
 *  @throws ParseError VAPID, BASE64URL. */
export function parseAuthorization(value: string): VapidToken {
  const [scheme, rest] = splitOnce(value, " ");
  if (scheme.toLowerCase() !== "vapid") throw new ParseError("VAPID", "another scheme than vapid");
  const { t, k } = parseParameters(rest);
  const [header, claims = "", signature = "", ...more] = t.split(".");
  if (header !== JWT_HEADER_B64U || more.length > 0)
    throw new ParseError("VAPID", "not a JWT with the header of ES256");
  const token = {
    claims: decodeBase64Url(claims),
    signature: decodeBase64Url(signature),
    publicKey: decodeBase64Url(k),
  };
  if (token.signature.length !== SIGNATURE_BYTES) throw new ParseError("VAPID", "a signature is not 64 bytes");
  return token;
}

/** Whether the token was signed by its own key; whose key that is, is for the caller to know.
 *  @throws ParseError KEY for a key that is not a point. */
export function verifyToken({ claims, signature, publicKey }: VapidToken): boolean {
  return importPublicKey(publicKey).verify(signingInputOf(claims), signature);
}

/** `t` and `k`, once each, in any order; parameters that are not known are ignored (RFC 8292 section 3). */
function parseParameters(text: string): { readonly t: string; readonly k: string } {
  const found = new Map<string, string>();
  for (const part of text.split(",")) {
    const [name, value] = splitOnce(part.trim(), "=");
    if (found.has(name)) throw new ParseError("VAPID", `the parameter ${name} twice`);
    found.set(name, value.replace(/^"(.*)"$/, "$1"));
  }
  const [t, k] = [found.get("t"), found.get("k")];
  if (t === undefined || k === undefined) throw new ParseError("VAPID", "no t or no k");
  return { t, k };
}

function splitOnce(text: string, separator: string): readonly [before: string, after: string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length).trimStart()];
}
