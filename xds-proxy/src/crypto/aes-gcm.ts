/** AES-128-GCM (SP 800-38D) over node:crypto: nonce of 12 bytes, tag of 16 bytes, no additional data. */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { concat } from "../bytes/octets.ts";

export const TAG_BYTES = 16;
const ALGORITHM = "aes-128-gcm";

/** @returns ciphertext, and tag. */
export function seal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array): readonly [Uint8Array, Uint8Array] {
  const cipher = createCipheriv(ALGORITHM, key, nonce);
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  return [ciphertext, cipher.getAuthTag()];
}

/** @param record - ciphertext and tag
 *  @returns the plaintext, or undefined when the tag is not right; nothing of it is returned before the tag was checked. */
export function open(key: Uint8Array, nonce: Uint8Array, record: Uint8Array): Uint8Array | undefined {
  if (record.length < TAG_BYTES) return undefined;
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(record.subarray(record.length - TAG_BYTES));
  const plaintext = decipher.update(record.subarray(0, record.length - TAG_BYTES));
  try {
    return concat(plaintext, decipher.final());
  } catch {
    return undefined;
  }
}
