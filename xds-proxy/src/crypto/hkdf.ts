/** HKDF with SHA-256 (RFC 5869) over node:crypto. Subset: one block of output (up to 32 bytes). Timing: constant. */
import { createHmac } from "node:crypto";
import { InternalError } from "../errors.ts";

const BLOCK_BYTES = 32;

/** Extract: the pseudorandom key, 32 bytes. */
export function hkdfExtract(salt: Uint8Array, ikm: Uint8Array): Uint8Array {
  return createHmac("sha256", salt).update(ikm).digest();
}

/** Expand, for at most 32 bytes: T(1) is all there is. */
export function hkdfExpand(prk: Uint8Array, info: Uint8Array, lengthBytes: number): Uint8Array {
  if (lengthBytes > BLOCK_BYTES) throw new InternalError("more than one block of HKDF output");
  return createHmac("sha256", prk).update(info).update(COUNTER_ONE).digest().subarray(0, lengthBytes);
}

const COUNTER_ONE = Uint8Array.of(1);
