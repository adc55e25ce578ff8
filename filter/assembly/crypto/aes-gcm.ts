/** AES-128-GCM, authenticated decryption only (NIST SP 800-38D §7.2): 96-bit nonce, 128-bit tag.
 *  Timing: constant in key, nonce, additional data and ciphertext, linear in the lengths. Allocates nothing; all that
 *  derives from the key is wiped on success and on failure. */
import { equalCt } from "../bytes/ct";
import { storeBe64 } from "../bytes/endian";
import { wipe } from "../bytes/wipe";
import { AES_CTR_BYTES, aesCtrApply, aesCtrStart } from "./aes-ctr";
import { GHASH_BYTES, ghashFinish, ghashStart, ghashUpdate } from "./ghash";

const GCM_TAG_BYTES: i32 = 16;
const BLOCK_BYTES: i32 = 16;

/** All that is wiped together. */
const SECRET_BYTES: i32 = AES_CTR_BYTES + GHASH_BYTES + 2 * BLOCK_BYTES;
const SECRET: usize = memory.data(SECRET_BYTES);
const COUNTER_MODE: usize = SECRET;
const HASHING: usize = COUNTER_MODE + <usize>AES_CTR_BYTES;
const TAG: usize = HASHING + <usize>GHASH_BYTES;
const LENGTHS: usize = TAG + <usize>BLOCK_BYTES;

/** Opens `length` bytes at `data`, ciphertext then tag. Only when the tag is right, writes `length` - 16 bytes of plaintext
 *  to `out`, which is `data` itself or does not overlap it; else writes nothing and returns false. */
export function aes128GcmOpen(
  key: usize,
  nonce: usize,
  aad: usize,
  aadLen: i32,
  data: usize,
  length: i32,
  out: usize,
): bool {
  const textLen = length - GCM_TAG_BYTES;
  if (textLen < 0) return false;
  const hashKey = aesCtrStart(COUNTER_MODE, key, nonce);
  const tagMask = hashKey + <usize>BLOCK_BYTES;
  computeTag(hashKey, tagMask, aad, aadLen, data, textLen);
  const authentic = equalCt(TAG, data + <usize>textLen, GCM_TAG_BYTES);
  if (authentic) aesCtrApply(COUNTER_MODE, nonce, data, textLen, out);
  wipe(SECRET, SECRET_BYTES);
  return authentic;
}

/** TAG = GHASH(aad ‖ ciphertext ‖ lengths) xor the mask (§7.2 steps 5 to 7). */
function computeTag(hashKey: usize, tagMask: usize, aad: usize, aadLen: i32, text: usize, textLen: i32): void {
  ghashStart(HASHING, hashKey, blocks(aadLen) + blocks(textLen) + 1);
  ghashUpdate(HASHING, aad, aadLen);
  ghashUpdate(HASHING, text, textLen);
  storeBe64(LENGTHS, (<u64>aadLen) << 3);
  storeBe64(LENGTHS + 8, (<u64>textLen) << 3);
  ghashUpdate(HASHING, LENGTHS, BLOCK_BYTES);
  ghashFinish(HASHING, TAG);
  store<u64>(TAG, load<u64>(TAG, 0) ^ load<u64>(tagMask, 0), 0);
  store<u64>(TAG, load<u64>(TAG, 8) ^ load<u64>(tagMask, 8), 8);
}

function blocks(length: i32): u32 {
  return (<u32>length + 15) >> 4;
}
