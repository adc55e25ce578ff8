/** AES-128 encryption of four blocks at a time (FIPS 197), bit-sliced: bit plane i of all 64 bytes is the u64 at q + 8i.
 *  No table, no branch and no address depends on key or data. S-box: the circuit of Boyar and Peralta (113 gates, 2011).
 *  Order of the bits and the linear layers are those of BearSSL's aes_ct64 (see LICENSE.bearssl).
 *  Timing: constant. Allocates nothing; planes are scratch that the caller wipes. */
import { subBytes } from "./aes-sbox";

export const AES_ROUND_KEYS_BYTES: i32 = 704;
const PLANES: usize = 64;
const ROUNDS: usize = 10;

/** Expands the 16 bytes at `key` into AES_ROUND_KEYS_BYTES at `roundKeys`, each round key already in planes
 *  (FIPS 197 §5.2). `q` is scratch of 64 bytes. */
export function aes128ExpandKey(key: usize, roundKeys: usize, q: usize): void {
  let w0 = load<u32>(key, 0);
  let w1 = load<u32>(key, 4);
  let w2 = load<u32>(key, 8);
  let w3 = load<u32>(key, 12);
  let roundConstant: u32 = 1;
  for (let round: usize = 0; ; round++, roundKeys += PLANES) {
    for (let lane: usize = 0; lane < 4; lane++) interleave(roundKeys + 8 * lane, w0, w1, w2, w3);
    transpose(roundKeys);
    if (round == ROUNDS) return;
    w0 ^= substituteWord(rotr(w3, 8), q) ^ roundConstant;
    w1 ^= w0;
    w2 ^= w1;
    w3 ^= w2;
    roundConstant = (roundConstant << 1) ^ (0x11b & -(roundConstant >> 7));
  }
}

/** Spreads the 16 bytes of one block, as four little-endian words, over lane `lane` of untransposed planes:
 *  the u64 at `lane` and the one 32 bytes on. */
export function interleave(lane: usize, w0: u32, w1: u32, w2: u32, w3: u32): void {
  store<u64>(lane, spread(w0) | (spread(w2) << 8));
  store<u64>(lane, spread(w1) | (spread(w3) << 8), 32);
}

/** Encrypts the four blocks in transposed planes at `q` (FIPS 197 §5.1). */
export function aes128Encrypt(q: usize, roundKeys: usize): void {
  addRoundKey(q, roundKeys);
  for (let round: usize = 1; round < ROUNDS; round++) {
    subBytes(q);
    shiftRowsMixColumnsAddRoundKey(q, roundKeys + round * PLANES);
  }
  subBytes(q);
  shiftRowsAddRoundKey(q, roundKeys + ROUNDS * PLANES);
}

/** Bytes 0..7 of the block in a lane of untransposed planes. */
export function blockLow(lane: usize): u64 {
  return gather(load<u64>(lane)) | (gather(load<u64>(lane, 32)) << 32);
}

/** Bytes 8..15 of the block in a lane of untransposed planes. */
export function blockHigh(lane: usize): u64 {
  return gather(load<u64>(lane) >> 8) | (gather(load<u64>(lane, 32) >> 8) << 32);
}

/** Turns interleaved lanes into bit planes and back: an 8×8 bit transposition in every byte column, by exchanging bits
 *  between planes that are 1, 2 and 4 apart. */
export function transpose(q: usize): void {
  let q0 = load<u64>(q, 0);
  let q1 = load<u64>(q, 8);
  let q2 = load<u64>(q, 16);
  let q3 = load<u64>(q, 24);
  let q4 = load<u64>(q, 32);
  let q5 = load<u64>(q, 40);
  let q6 = load<u64>(q, 48);
  let q7 = load<u64>(q, 56);
  let t: u64;
  t = ((q0 >> 1) ^ q1) & 0x5555555555555555;
  q0 ^= t << 1;
  q1 ^= t;
  t = ((q2 >> 1) ^ q3) & 0x5555555555555555;
  q2 ^= t << 1;
  q3 ^= t;
  t = ((q4 >> 1) ^ q5) & 0x5555555555555555;
  q4 ^= t << 1;
  q5 ^= t;
  t = ((q6 >> 1) ^ q7) & 0x5555555555555555;
  q6 ^= t << 1;
  q7 ^= t;
  t = ((q0 >> 2) ^ q2) & 0x3333333333333333;
  q0 ^= t << 2;
  q2 ^= t;
  t = ((q1 >> 2) ^ q3) & 0x3333333333333333;
  q1 ^= t << 2;
  q3 ^= t;
  t = ((q4 >> 2) ^ q6) & 0x3333333333333333;
  q4 ^= t << 2;
  q6 ^= t;
  t = ((q5 >> 2) ^ q7) & 0x3333333333333333;
  q5 ^= t << 2;
  q7 ^= t;
  t = ((q0 >> 4) ^ q4) & 0x0f0f0f0f0f0f0f0f;
  q0 ^= t << 4;
  q4 ^= t;
  t = ((q1 >> 4) ^ q5) & 0x0f0f0f0f0f0f0f0f;
  q1 ^= t << 4;
  q5 ^= t;
  t = ((q2 >> 4) ^ q6) & 0x0f0f0f0f0f0f0f0f;
  q2 ^= t << 4;
  q6 ^= t;
  t = ((q3 >> 4) ^ q7) & 0x0f0f0f0f0f0f0f0f;
  q3 ^= t << 4;
  q7 ^= t;
  store<u64>(q, q0, 0);
  store<u64>(q, q1, 8);
  store<u64>(q, q2, 16);
  store<u64>(q, q3, 24);
  store<u64>(q, q4, 32);
  store<u64>(q, q5, 40);
  store<u64>(q, q6, 48);
  store<u64>(q, q7, 56);
}

/** Puts the four bytes of a word into the even bytes of a u64. */
function spread(word: u32): u64 {
  let x = <u64>word;
  x = (x | (x << 16)) & 0x0000ffff0000ffff;
  return (x | (x << 8)) & 0x00ff00ff00ff00ff;
}

/** The inverse of `spread`; odd bytes are ignored. */
function gather(lanes: u64): u64 {
  let x = lanes & 0x00ff00ff00ff00ff;
  x = (x | (x >> 8)) & 0x0000ffff0000ffff;
  return (x | (x >> 16)) & 0xffffffff;
}

function substituteWord(word: u32, q: usize): u32 {
  memory.fill(q, 0, PLANES);
  store<u64>(q, <u64>word);
  transpose(q);
  subBytes(q);
  transpose(q);
  return load<u32>(q);
}

function addRoundKey(q: usize, roundKey: usize): void {
  for (let i: usize = 0; i < PLANES; i += 8) store<u64>(q + i, load<u64>(q + i) ^ load<u64>(roundKey + i));
}

/* ShiftRows (§5.1.2) of a plane. It holds four bits, one per block, for each of the 16 bytes, row by row: row r is the 16
 * bits from 16r on, and turns right by 4r. Rows 2 and 3 exchange their bytes, then rows 1 and 3 turn by 4. Written out, so
 * that its speed does not depend on what a compiler inlines. */

function shiftRowsAddRoundKey(q: usize, key: usize): void {
  for (let i: usize = 0; i < PLANES; i += 8) {
    let x = load<u64>(q + i);
    const t = (x ^ (x >> 8)) & 0x00ff00ff00000000;
    x ^= t ^ (t << 8);
    x = (x & 0x0000ffff0000ffff) | ((x >> 4) & 0x0fff00000fff0000) | ((x << 12) & 0xf0000000f0000000);
    store<u64>(q + i, x ^ load<u64>(key + i));
  }
}

/** MixColumns (§5.1.3): 2a + 3b + c + d, with b, c and d one, two and three rows on. Doubling a byte moves it by one plane
 *  and adds plane 7 to planes 0, 1, 3 and 4. */
function shiftRowsMixColumnsAddRoundKey(q: usize, key: usize): void {
  let t: u64;
  let q0 = load<u64>(q, 0);
  t = (q0 ^ (q0 >> 8)) & 0x00ff00ff00000000;
  q0 ^= t ^ (t << 8);
  q0 = (q0 & 0x0000ffff0000ffff) | ((q0 >> 4) & 0x0fff00000fff0000) | ((q0 << 12) & 0xf0000000f0000000);
  let q1 = load<u64>(q, 8);
  t = (q1 ^ (q1 >> 8)) & 0x00ff00ff00000000;
  q1 ^= t ^ (t << 8);
  q1 = (q1 & 0x0000ffff0000ffff) | ((q1 >> 4) & 0x0fff00000fff0000) | ((q1 << 12) & 0xf0000000f0000000);
  let q2 = load<u64>(q, 16);
  t = (q2 ^ (q2 >> 8)) & 0x00ff00ff00000000;
  q2 ^= t ^ (t << 8);
  q2 = (q2 & 0x0000ffff0000ffff) | ((q2 >> 4) & 0x0fff00000fff0000) | ((q2 << 12) & 0xf0000000f0000000);
  let q3 = load<u64>(q, 24);
  t = (q3 ^ (q3 >> 8)) & 0x00ff00ff00000000;
  q3 ^= t ^ (t << 8);
  q3 = (q3 & 0x0000ffff0000ffff) | ((q3 >> 4) & 0x0fff00000fff0000) | ((q3 << 12) & 0xf0000000f0000000);
  let q4 = load<u64>(q, 32);
  t = (q4 ^ (q4 >> 8)) & 0x00ff00ff00000000;
  q4 ^= t ^ (t << 8);
  q4 = (q4 & 0x0000ffff0000ffff) | ((q4 >> 4) & 0x0fff00000fff0000) | ((q4 << 12) & 0xf0000000f0000000);
  let q5 = load<u64>(q, 40);
  t = (q5 ^ (q5 >> 8)) & 0x00ff00ff00000000;
  q5 ^= t ^ (t << 8);
  q5 = (q5 & 0x0000ffff0000ffff) | ((q5 >> 4) & 0x0fff00000fff0000) | ((q5 << 12) & 0xf0000000f0000000);
  let q6 = load<u64>(q, 48);
  t = (q6 ^ (q6 >> 8)) & 0x00ff00ff00000000;
  q6 ^= t ^ (t << 8);
  q6 = (q6 & 0x0000ffff0000ffff) | ((q6 >> 4) & 0x0fff00000fff0000) | ((q6 << 12) & 0xf0000000f0000000);
  let q7 = load<u64>(q, 56);
  t = (q7 ^ (q7 >> 8)) & 0x00ff00ff00000000;
  q7 ^= t ^ (t << 8);
  q7 = (q7 & 0x0000ffff0000ffff) | ((q7 >> 4) & 0x0fff00000fff0000) | ((q7 << 12) & 0xf0000000f0000000);
  const r0 = rotr(q0, 16);
  const r1 = rotr(q1, 16);
  const r2 = rotr(q2, 16);
  const r3 = rotr(q3, 16);
  const r4 = rotr(q4, 16);
  const r5 = rotr(q5, 16);
  const r6 = rotr(q6, 16);
  const r7 = rotr(q7, 16);
  const s0 = q0 ^ r0;
  const s1 = q1 ^ r1;
  const s2 = q2 ^ r2;
  const s3 = q3 ^ r3;
  const s4 = q4 ^ r4;
  const s5 = q5 ^ r5;
  const s6 = q6 ^ r6;
  const s7 = q7 ^ r7;
  store<u64>(q, s7 ^ r0 ^ rotr(s0, 32) ^ load<u64>(key, 0), 0);
  store<u64>(q, s0 ^ s7 ^ r1 ^ rotr(s1, 32) ^ load<u64>(key, 8), 8);
  store<u64>(q, s1 ^ r2 ^ rotr(s2, 32) ^ load<u64>(key, 16), 16);
  store<u64>(q, s2 ^ s7 ^ r3 ^ rotr(s3, 32) ^ load<u64>(key, 24), 24);
  store<u64>(q, s3 ^ s7 ^ r4 ^ rotr(s4, 32) ^ load<u64>(key, 32), 32);
  store<u64>(q, s4 ^ r5 ^ rotr(s5, 32) ^ load<u64>(key, 40), 40);
  store<u64>(q, s5 ^ r6 ^ rotr(s6, 32) ^ load<u64>(key, 48), 48);
  store<u64>(q, s6 ^ r7 ^ rotr(s7, 32) ^ load<u64>(key, 56), 56);
}
