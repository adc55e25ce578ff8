/**
 * The `aes128gcm` content coding (RFC 8188). Subset: bodies of exactly one record, because a body of many records can be
 * cut at a record's end before the whole is known to be there, and nothing here is too long for one.
 *
 *   salt (16) | rs (4, big-endian) | idlen (1) | keyid (idlen) | record: ciphertext, tag (16)
 */
import { concat } from "../bytes/octets.ts";
import { ParseError } from "../errors.ts";
import { RECORD_SIZE_MAX_BYTES } from "../gen/limits.ts";
import { open, seal, TAG_BYTES } from "./aes-gcm.ts";
import { hkdfExpand, hkdfExtract } from "./hkdf.ts";

export const SALT_BYTES = 16;
const RS_BYTES = 4;
const HEADER_BYTES = SALT_BYTES + RS_BYTES + 1;
const DELIMITER = 2;
const DELIMITER_BYTE = Uint8Array.of(DELIMITER);
const KEY_INFO = new TextEncoder().encode("Content-Encoding: aes128gcm\0");
const NONCE_INFO = new TextEncoder().encode("Content-Encoding: nonce\0");

export interface EncodedBody {
  readonly salt: Uint8Array;
  readonly keyId: Uint8Array;
  /** Ciphertext and tag of the only record. */
  readonly record: Uint8Array;
}

export interface BodyLimits {
  /** Largest `rs`; a push may be longer than any other statement. */
  readonly recordSizeMaxBytes: number;
}

/** What everything is held to that does not say otherwise. */
export const BODY_LIMITS: BodyLimits = { recordSizeMaxBytes: RECORD_SIZE_MAX_BYTES };

/** Splits a body.
 *  @throws ParseError CONTENT_ENCODING unless it is one whole record that `rs` shows to be the last one. */
export function parseBody(body: Uint8Array, { recordSizeMaxBytes }: BodyLimits = BODY_LIMITS): EncodedBody {
  if (body.length < HEADER_BYTES) throw new ParseError("CONTENT_ENCODING", "a truncated header");
  const recordSize = new DataView(body.buffer, body.byteOffset).getUint32(SALT_BYTES);
  const start = HEADER_BYTES + (body[HEADER_BYTES - 1] ?? 0);
  const recordBytes = body.length - start;
  if (recordBytes < 1 + TAG_BYTES) throw new ParseError("CONTENT_ENCODING", "a truncated record");
  if (recordSize <= recordBytes) throw new ParseError("CONTENT_ENCODING", "more than one record");
  if (recordSize > recordSizeMaxBytes) throw new ParseError("CONTENT_ENCODING", "too large a record size");
  return {
    salt: body.subarray(0, SALT_BYTES),
    keyId: body.subarray(HEADER_BYTES, start),
    record: body.subarray(start),
  };
}

export interface BodyKeys {
  /** Input keying material of RFC 8188 section 2.2. */
  readonly ikm: Uint8Array;
  /** 16 bytes. */
  readonly salt: Uint8Array;
}

/** @returns the text without delimiter and padding, or undefined for any fault. */
export function openRecord(keys: BodyKeys, record: Uint8Array): Uint8Array | undefined {
  const padded = open(...derive(keys), record);
  if (padded === undefined) return undefined;
  let end = padded.length;
  while (end > 0 && padded[end - 1] === 0) end--;
  return padded[end - 1] === DELIMITER ? padded.subarray(0, end - 1) : undefined;
}

export interface BodyContent extends BodyKeys {
  readonly keyId: Uint8Array;
  readonly text: readonly Uint8Array[];
  readonly recordSize: number;
}

/** Makes a body of one record; `recordSize` must be greater than text, delimiter and tag together. */
export function encodeBody({ ikm, salt, keyId, text, recordSize }: BodyContent): Uint8Array {
  const header = new Uint8Array(HEADER_BYTES);
  header.set(salt);
  new DataView(header.buffer).setUint32(SALT_BYTES, recordSize);
  header[HEADER_BYTES - 1] = keyId.length;
  return concat(header, keyId, ...seal(...derive({ ikm, salt }), concat(...text, DELIMITER_BYTE)));
}

function derive({ ikm, salt }: BodyKeys): [cek: Uint8Array, nonce: Uint8Array] {
  const prk = hkdfExtract(salt, ikm);
  return [hkdfExpand(prk, KEY_INFO, 16), hkdfExpand(prk, NONCE_INFO, 12)];
}
