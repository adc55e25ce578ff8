/** The session nonce: the receiver invents it, so that no push of another stream, or of another day, counts for this one. */
import { randomBytes } from "node:crypto";
import { encodeBase64Url, tryDecodeBase64Url } from "../bytes/base64url.ts";

const SESSION_BYTES = 16;

/** base64url of 16 random bytes, 22 characters. */
export function newSessionId(): string {
  return encodeBase64Url(randomBytes(SESSION_BYTES));
}

export function isSessionId(text: string): boolean {
  return tryDecodeBase64Url(text)?.length === SESSION_BYTES;
}
