/** AES-128-GCM, authenticated decryption only (NIST SP 800-38D §7.2): 96-bit nonce, 128-bit tag.
 *  Timing: constant in key, nonce, additional data and ciphertext, linear in the lengths. Allocates nothing; all that
 *  derives from the key is wiped on success and on failure. */
import { equalCt } from "../bytes/ct";
import { storeBe64 } from "../bytes/endian";
import { wipe } from "../bytes/wipe";
import {
  AES_ROUND_KEYS_BYTES,
  aes128Encrypt,
  aes128ExpandKey,
  blockHigh,
  blockLow,
  interleave,
  transpose,
} from "./aes";
import { ghash } from "./ghash";

const GCM_TAG_BYTES: i32 = 16;

/** Round keys, then everything else that is wiped together. */
const SECRET: usize = memory.data(848);
const SECRET_BYTES: i32 = 848;
const ROUND_KEYS: usize = SECRET;
const PLANES: usize = SECRET + <usize>AES_ROUND_KEYS_BYTES;
const HASH_KEY: usize = PLANES + 64;
const TAG_MASK: usize = HASH_KEY + 16;
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
  aes128ExpandKey(key, ROUND_KEYS, PLANES);
  deriveHashKeyAndTagMask(nonce);
  computeTag(aad, aadLen, data, textLen);
  const authentic = equalCt(HASH, data + <usize>textLen, GCM_TAG_BYTES);
  if (authentic) applyKeyStream(nonce, data, textLen, out);
  wipe(SECRET, SECRET_BYTES);
  return authentic;
}

/** HASH_KEY = E(0), TAG_MASK = E(nonce ‖ 1) (§7.2 steps 2, 3 and 7), in one encryption of four blocks. */
function deriveHashKeyAndTagMask(nonce: usize): void {
  interleave(PLANES, 0, 0, 0, 0);
  for (let lane: usize = 1; lane < 4; lane++) counterBlock(lane, nonce, 1);
  encryptPlanes();
  store<u64>(HASH_KEY, blockLow(PLANES), 0);
  store<u64>(HASH_KEY, blockHigh(PLANES), 8);
  store<u64>(TAG_MASK, blockLow(PLANES + 8), 0);
  store<u64>(TAG_MASK, blockHigh(PLANES + 8), 8);
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

/** Counter mode from counter 2 on (§6.5), four blocks at a time. */
function applyKeyStream(nonce: usize, text: usize, textLen: i32, out: usize): void {
  let counter: u32 = 2;
  const end = text + <usize>textLen;
  while (text < end) {
    for (let lane: usize = 0; lane < 4; lane++, counter++) counterBlock(lane, nonce, counter);
    encryptPlanes();
    for (let lane: usize = 0; lane < 4 && text < end; lane++) {
      const n = min(16, end - text);
      store<u64>(BLOCK, blockLow(PLANES + 8 * lane), 0);
      store<u64>(BLOCK, blockHigh(PLANES + 8 * lane), 8);
      xorBlock(text, out, n);
      text += n;
      out += n;
    }
  }
}

function xorBlock(text: usize, out: usize, length: usize): void {
  if (length == 16) {
    store<u64>(out, load<u64>(text, 0) ^ load<u64>(BLOCK, 0), 0);
    store<u64>(out, load<u64>(text, 8) ^ load<u64>(BLOCK, 8), 8);
    return;
  }
  for (let i: usize = 0; i < length; i++) store<u8>(out + i, load<u8>(text + i) ^ load<u8>(BLOCK + i));
}

function counterBlock(lane: usize, nonce: usize, counter: u32): void {
  interleave(PLANES + 8 * lane, load<u32>(nonce, 0), load<u32>(nonce, 4), load<u32>(nonce, 8), bswap(counter));
}

function encryptPlanes(): void {
  transpose(PLANES);
  aes128Encrypt(PLANES, ROUND_KEYS);
  transpose(PLANES);
}
