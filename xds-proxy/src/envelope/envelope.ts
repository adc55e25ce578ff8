/**
 * From the text that is carried to an envelope whose form is known and whose content is not (docs/envelope.md section 6,
 * steps 1 to 3).
 */
import { tryDecodeBase64Url } from "../bytes/base64url.ts";
import { equals } from "../bytes/octets.ts";
import { CLAIMS_MAX_BYTES, COSIGNERS_MAX_COUNT, ENVELOPE_OVERHEAD_MAX_BYTES } from "../gen/limits.ts";
import { JWT_HEADER } from "../crypto/jws.ts";
import { decodeWebpushMessage } from "./format.ts";
import type { WebpushMessage } from "./format.ts";
import { parsing, refuse } from "./refusal.ts";
import { dataMaxBytesOf } from "./sizes.ts";
import type { EnvelopeInput, Use } from "./types.ts";

/** A decoded envelope within all limits. Nothing in it is believed yet. */
export type UnverifiedEnvelope = WebpushMessage;

/** Step 1. Text is measured before it is decoded.
 *  @throws VerifyError SIZE, PROTO. */
export function decodeInput(input: EnvelopeInput, wantedUse: Use): Uint8Array {
  checkSize(typeof input === "string" ? Math.floor((Buffer.byteLength(input) * 3) / 4) : input.length, wantedUse);
  // A copy: what was verified must not change with the caller's buffer.
  if (typeof input !== "string") return Uint8Array.from(input);
  return tryDecodeBase64Url(input) ?? refuse("PROTO", "not strict base64url");
}

/** Step 1, for bytes that only the verifier has.
 *  @throws VerifyError SIZE. */
export function checkSize(lengthBytes: number, wantedUse: Use): void {
  const maxBytes = dataMaxBytesOf(wantedUse) + ENVELOPE_OVERHEAD_MAX_BYTES;
  if (lengthBytes > maxBytes) refuse("SIZE", "the envelope is too long");
}

/** Steps 2 and 3.
 *  @throws VerifyError PROTO, SIZE. */
export function parseEnvelope(bytes: Uint8Array, wantedUse: Use): UnverifiedEnvelope {
  const message = parsing("PROTO", () => decodeWebpushMessage(bytes));
  const { tType } = message.sender;
  if (tType.length > 0 && !equals(tType, JWT_HEADER)) refuse("PROTO", "another JWT header");
  if (message.data.length > dataMaxBytesOf(wantedUse)) refuse("SIZE", "data is too long");
  if (message.sender.data.length > CLAIMS_MAX_BYTES) refuse("SIZE", "the claims are too long");
  if (message.cosigners.length > COSIGNERS_MAX_COUNT) refuse("SIZE", "too many cosigners");
  return message;
}
