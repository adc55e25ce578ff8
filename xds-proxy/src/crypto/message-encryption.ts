/**
 * Message encryption for web push (RFC 8291) as one `aes128gcm` record of up to `RECORD_SIZE_MAX_BYTES`, or of what the caller allows.
 * Timing: constant in keys and contents; variable in lengths and in public keys.
 */
import { randomFillSync } from "node:crypto";
import { concat } from "../bytes/octets.ts";
import { LimitError, ParseError } from "../errors.ts";
import { TAG_BYTES } from "./aes-gcm.ts";
import { BODY_LIMITS, encodeBody, openRecord, parseBody, SALT_BYTES } from "./content-encoding.ts";
import type { BodyLimits } from "./content-encoding.ts";
import { agreeOnce } from "./ecdh-p256.ts";
import type { EphemeralSecret, ExchangeKey } from "./ecdh-p256.ts";
import { hkdfExpand, hkdfExtract } from "./hkdf.ts";
import { PUBLIC_KEY_BYTES } from "./p256.ts";

const INFO_PREFIX = new TextEncoder().encode("WebPush: info\0");
/** The record size of web push messages (RFC 8291 section 4), which many receivers insist on. */
const DEFAULT_RECORD_SIZE = 4096;
export const AUTH_BYTES = 16;

export interface SealOptions {
  /** The recipient's key, 65 bytes, and auth secret, 16 bytes. */
  readonly recipient: { readonly p256dh: Uint8Array; readonly auth: Uint8Array };
  /** What to encrypt, in pieces. */
  readonly text: readonly Uint8Array[];
  readonly limits?: BodyLimits;
  /** Only for reproducible vectors: both are fresh for every message otherwise. */
  readonly fixed?: { readonly sender: ExchangeKey; readonly salt: Uint8Array };
}

/** @returns the body.
 *  @throws ParseError KEY for an invalid `p256dh` or `auth`; LimitError when the text is too long for one record. */
export function sealMessage({ recipient, text, fixed, limits = BODY_LIMITS }: SealOptions): Uint8Array {
  if (recipient.auth.length !== AUTH_BYTES) throw new ParseError("KEY", "an auth secret is not 16 bytes");
  const sender = fixed ? agreeWith(fixed.sender, recipient.p256dh) : agreeOnce(recipient.p256dh);
  const salt = fixed?.salt ?? freshSalt();
  const recordBytes = text.reduce((sum, part) => sum + part.length, 0) + 1 + TAG_BYTES;
  if (recordBytes >= limits.recordSizeMaxBytes) throw new LimitError("too long for one record");
  const ikm = deriveIkm({
    sharedSecret: sender.sharedSecret,
    auth: recipient.auth,
    receiver: recipient.p256dh,
    sender: sender.publicKey,
  });
  const recordSize = Math.max(DEFAULT_RECORD_SIZE, recordBytes + 1);
  return encodeBody({ ikm, salt, keyId: sender.publicKey, text, recordSize });
}

/** Random salts, made many at a time: they are no secret, and asking for one costs as much as for many. */
const salts = Buffer.alloc(SALT_BYTES * 256);
let saltsUsedBytes = salts.length;

function freshSalt(): Uint8Array {
  if (saltsUsedBytes === salts.length) {
    randomFillSync(salts);
    saltsUsedBytes = 0;
  }
  return Uint8Array.from(salts.subarray(saltsUsedBytes, (saltsUsedBytes += SALT_BYTES)));
}

function agreeWith(key: ExchangeKey, peer: Uint8Array): EphemeralSecret {
  return { publicKey: key.publicKey, sharedSecret: key.sharedSecret(peer) };
}

export interface OpenedMessage {
  readonly text: Uint8Array;
  /** The sender's ephemeral key, 65 bytes. */
  readonly sender: Uint8Array;
}

/** @returns undefined for any fault, so that nobody learns which it was. */
export function openMessage(
  recipient: { readonly key: ExchangeKey; readonly auth: Uint8Array },
  body: Uint8Array,
  limits: BodyLimits = BODY_LIMITS,
): OpenedMessage | undefined {
  try {
    const { salt, keyId, record } = parseBody(body, limits);
    if (keyId.length !== PUBLIC_KEY_BYTES) return undefined;
    const ikm = deriveIkm({
      sharedSecret: recipient.key.sharedSecret(keyId),
      auth: recipient.auth,
      receiver: recipient.key.publicKey,
      sender: keyId,
    });
    const text = openRecord({ ikm, salt }, record);
    return text && { text, sender: keyId };
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

interface KeyAgreement {
  readonly sharedSecret: Uint8Array;
  readonly auth: Uint8Array;
  readonly receiver: Uint8Array;
  readonly sender: Uint8Array;
}

/** RFC 8291 section 3.3: combines the shared secret with the auth secret. */
function deriveIkm({ sharedSecret, auth, receiver, sender }: KeyAgreement): Uint8Array {
  return hkdfExpand(hkdfExtract(auth, sharedSecret), concat(INFO_PREFIX, receiver, sender), 32);
}
