/** Counter mode for GCM (NIST SP 800-38D §6.5), eight blocks at a time. The counters of a batch are 8q to 8q + 7, so what is
 *  encrypted differs from block to block in its last byte only, by three planes known beforehand, and no block has to be
 *  turned into planes. Block 0 of the first batch, counter 0, is never asked for; the zero block, whose encryption is the key
 *  of GHASH (§7.2 step 2), takes its place. Block 1 masks the tag (step 3), and a text of 96 bytes needs no other batch.
 *
 *  Timing: constant in key, nonce and text, linear in the length. Allocates nothing; the caller wipes. */
import {
  AES_PLANES_BYTES,
  AES_PLANES_ROUND_KEYS_BYTES,
  aes128EncryptPlanes,
  aes128ExpandKeyPlanes,
  planesOfEqualBlocks,
} from "./aes-simd";

/** Round keys · the first batch: E(0), E(nonce ‖ 1) … E(nonce ‖ 7) · the batch in work. */
export const CTR_SIMD_BYTES: i32 = AES_PLANES_ROUND_KEYS_BYTES + 2 * AES_PLANES_BYTES;
const BATCH_BYTES: usize = <usize>AES_PLANES_BYTES;
const FIRST: usize = <usize>AES_PLANES_ROUND_KEYS_BYTES;
const BATCH: usize = FIRST + BATCH_BYTES;
/** The key stream of the first batch: what is left after the two blocks with another purpose. */
const FIRST_STREAM: usize = FIRST + 32;
const FIRST_STREAM_BYTES: usize = BATCH_BYTES - 32;

export function ctrStartSimd(state: usize, key: usize, nonce: usize): usize {
  const first = state + FIRST;
  aes128ExpandKeyPlanes(key, state);
  counterPlanes(first, nonce, 0);
  clearBlock0(first);
  aes128EncryptPlanes(first, state);
  blocksOfPlanes(first);
  return first;
}

export function ctrApplySimd(state: usize, nonce: usize, text: usize, textLen: i32, out: usize): void {
  const batch = state + BATCH;
  let left = <usize>textLen;
  let n = min(FIRST_STREAM_BYTES, left);
  xorKeyStream(text, state + FIRST_STREAM, out, n);
  for (let counter: u32 = 8; ; counter += 8) {
    text += n;
    out += n;
    left -= n;
    if (left == 0) return;
    counterPlanes(batch, nonce, counter);
    aes128EncryptPlanes(batch, state);
    blocksOfPlanes(batch);
    n = min(BATCH_BYTES, left);
    xorKeyStream(text, batch, out, n);
  }
}

function xorKeyStream(text: usize, keyStream: usize, out: usize, length: usize): void {
  let i: usize = 0;
  for (; i + 16 <= length; i += 16) v128.store(out + i, v128.xor(v128.load(text + i), v128.load(keyStream + i)));
  for (; i < length; i++) store<u8>(out + i, load<u8>(text + i) ^ load<u8>(keyStream + i));
}

/** The planes of nonce ‖ counter for `counter`, a multiple of eight, and the seven that follow it. */
function counterPlanes(planes: usize, nonce: usize, counter: u32): void {
  store<u64>(planes, load<u64>(nonce));
  store<u32>(planes, load<u32>(nonce, 8), 8);
  store<u32>(planes, bswap(counter), 12);
  planesOfEqualBlocks(planes, planes);
  // Bits 0, 1 and 2 of the number of the block in the batch.
  v128.store(planes, v128.xor(v128.load(planes), i32x4(0, 0, 0, 0xaa000000)));
  v128.store(planes, v128.xor(v128.load(planes, 16), i32x4(0, 0, 0, 0xcc000000)), 16);
  v128.store(planes, v128.xor(v128.load(planes, 32), i32x4(0, 0, 0, 0xf0000000)), 32);
}

function clearBlock0(planes: usize): void {
  for (let plane = planes; plane < planes + BATCH_BYTES; plane += 16) {
    v128.store(plane, v128.and(v128.load(plane), i8x16.splat(<i8>0xfe)));
  }
}

/** Planes to blocks: the three binary digits of the plane's number change places with those of the bit's number. */
function blocksOfPlanes(planes: usize): void {
  for (let pair: usize = 0; pair < 128; pair += 32)
    exchangeDigit(planes + pair, planes + pair + 16, 1, i8x16.splat(0x55));
  for (let half: usize = 0; half < 128; half += 64) {
    exchangeDigit(planes + half, planes + half + 32, 2, i8x16.splat(0x33));
    exchangeDigit(planes + half + 16, planes + half + 48, 2, i8x16.splat(0x33));
  }
  for (let plane: usize = 0; plane < 64; plane += 16)
    exchangeDigit(planes + plane, planes + plane + 64, 4, i8x16.splat(0x0f));
}

/** Of two vectors whose numbers differ in one digit, 0 in `clear` and 1 in `set`: what has the `digit` of its bit's number
 *  set in the first changes places with what has it clear (the bits of `mask`) in the second. */
function exchangeDigit(clear: usize, set: usize, digit: i32, mask: v128): void {
  const a = v128.load(clear);
  const b = v128.load(set);
  const difference = v128.and(v128.xor(i64x2.shr_u(a, digit), b), mask);
  v128.store(clear, v128.xor(a, i64x2.shl(difference, digit)));
  v128.store(set, v128.xor(b, difference));
}
