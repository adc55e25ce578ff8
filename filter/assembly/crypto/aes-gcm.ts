/** AES-128-GCM, authenticated decryption only (NIST SP 800-38D §7.2): 96-bit nonce, 128-bit tag.
 *  Timing: constant in key, nonce, additional data and ciphertext, linear in the lengths. Allocates nothing; all that
 *  derives from the key is wiped on success and on failure. */
import { equalCt } from "../bytes/ct";
import { storeBe64 } from "../bytes/endian";
import { wipe } from "../bytes/wipe";
import { AES_BATCH_BYTES, AES_ROUND_KEYS_BYTES, aes128EncryptBatch, aes128ExpandKey } from "./aes";
import { GHASH_KEY_BYTES, ghash, ghashExpandKey } from "./ghash";

const GCM_TAG_BYTES: i32 = 16;

/** Round keys, then everything else that is wiped together. */
const SECRET: usize = memory.data(1048);
const SECRET_BYTES: i32 = 1048;
const ROUND_KEYS: usize = SECRET;
const BATCH: usize = SECRET + <usize>AES_ROUND_KEYS_BYTES;
const HASH_KEY: usize = BATCH + <usize>AES_BATCH_BYTES;
const TAG_MASK: usize = HASH_KEY + <usize>GHASH_KEY_BYTES;
const HASH: usize = TAG_MASK + 16;
const BLOCK: usize = HASH + 16;
const LENGTHS: usize = BLOCK + 16;

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
  aes128ExpandKey(key, ROUND_KEYS, BATCH);
  deriveHashKeyAndTagMask(nonce);
  computeTag(aad, aadLen, data, textLen);
  const authentic = equalCt(HASH, data + <usize>textLen, GCM_TAG_BYTES);
  if (authentic) applyKeyStream(nonce, data, textLen, out);
  wipe(SECRET, SECRET_BYTES);
  return authentic;
}

/** HASH_KEY out of E(0), TAG_MASK = E(nonce ‖ 1) (§7.2 steps 2, 3 and 7), in one batch; the rest of it is not used. */
function deriveHashKeyAndTagMask(nonce: usize): void {
  counterBlocks(nonce, 0);
  memory.fill(BATCH, 0, 16);
  aes128EncryptBatch(BATCH, ROUND_KEYS);
  ghashExpandKey(BATCH, HASH_KEY);
  memory.copy(TAG_MASK, BATCH + 16, 16);
}

/** HASH = GHASH(aad ‖ ciphertext ‖ lengths) xor TAG_MASK (§7.2 steps 5 to 7). */
function computeTag(aad: usize, aadLen: i32, text: usize, textLen: i32): void {
  wipe(HASH, 16);
  ghash(HASH, HASH_KEY, aad, aadLen, BLOCK);
  ghash(HASH, HASH_KEY, text, textLen, BLOCK);
  storeBe64(LENGTHS, (<u64>aadLen) << 3);
  storeBe64(LENGTHS + 8, (<u64>textLen) << 3);
  ghash(HASH, HASH_KEY, LENGTHS, 16, BLOCK);
  store<u64>(HASH, load<u64>(HASH, 0) ^ load<u64>(TAG_MASK, 0), 0);
  store<u64>(HASH, load<u64>(HASH, 8) ^ load<u64>(TAG_MASK, 8), 8);
}

/** Counter mode from counter 2 on (§6.5), a batch at a time. */
function applyKeyStream(nonce: usize, text: usize, textLen: i32, out: usize): void {
  let left = <usize>textLen;
  for (let counter: u32 = 2; left != 0; counter += 4) {
    counterBlocks(nonce, counter);
    aes128EncryptBatch(BATCH, ROUND_KEYS);
    const n = min(<usize>AES_BATCH_BYTES, left);
    xorKeyStream(text, out, n);
    text += n;
    out += n;
    left -= n;
  }
}

function xorKeyStream(text: usize, out: usize, length: usize): void {
  let i: usize = 0;
  for (; i + 8 <= length; i += 8) store<u64>(out + i, load<u64>(text + i) ^ load<u64>(BATCH + i));
  for (; i < length; i++) store<u8>(out + i, load<u8>(text + i) ^ load<u8>(BATCH + i));
}

/** The four blocks nonce ‖ counter, `counter` and the three that follow it, as a batch. */
function counterBlocks(nonce: usize, counter: u32): void {
  for (let block: usize = BATCH; block < HASH_KEY; block += 16, counter++) {
    store<u64>(block, load<u64>(nonce));
    store<u32>(block, load<u32>(nonce, 8), 8);
    store<u32>(block, bswap(counter), 12);
  }
}
