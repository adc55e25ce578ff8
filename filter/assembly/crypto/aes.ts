/** AES-128 encryption of four blocks at a time (FIPS 197), bit-sliced: bit plane i of all 64 bytes is the u64 at q + 8i.
 *  No table, no branch and no address depends on key or data. S-box: the circuit of Boyar and Peralta (113 gates, 2011).
 *  Order of the bits and the linear layers are those of BearSSL's aes_ct64 (Thomas Pornin, MIT licence).
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
    shiftRows(q);
    mixColumns(q);
    addRoundKey(q, roundKeys + round * PLANES);
  }
  subBytes(q);
  shiftRows(q);
  addRoundKey(q, roundKeys + ROUNDS * PLANES);
}

/** Bytes 0..7 of the block in a lane of untransposed planes. */
export function blockLow(lane: usize): u64 {
  return gather(load<u64>(lane)) | (gather(load<u64>(lane, 32)) << 32);
}

/** Bytes 8..15 of the block in a lane of untransposed planes. */
export function blockHigh(lane: usize): u64 {
  return gather(load<u64>(lane) >> 8) | (gather(load<u64>(lane, 32) >> 8) << 32);
}

/** Turns interleaved lanes into bit planes and back: an 8×8 bit transposition in every byte column. */
export function transpose(q: usize): void {
  for (let i: usize = 0; i < 64; i += 16) swapBits(q + i, q + i + 8, 1, 0x5555555555555555);
  for (let i: usize = 0; i < 64; i += 32) {
    swapBits(q + i, q + i + 16, 2, 0x3333333333333333);
    swapBits(q + i + 8, q + i + 24, 2, 0x3333333333333333);
  }
  for (let i: usize = 0; i < 32; i += 8) swapBits(q + i, q + i + 32, 4, 0x0f0f0f0f0f0f0f0f);
}

/** Exchanges the bits of `x` outside `mask` with the bits of `y` inside it. */
function swapBits(x: usize, y: usize, shift: u64, mask: u64): void {
  const a = load<u64>(x);
  const b = load<u64>(y);
  store<u64>(x, (a & mask) | ((b & mask) << shift));
  store<u64>(y, ((a >> shift) & mask) | (b & ~mask));
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

/** A plane holds four bits (one per block) for each of the 16 bytes, row by row: row r starts at bit 16r. */
function shiftRows(q: usize): void {
  for (let i: usize = 0; i < PLANES; i += 8) {
    const x = load<u64>(q + i);
    store<u64>(
      q + i,
      (x & 0x000000000000ffff) |
        ((x & 0x00000000fff00000) >> 4) |
        ((x & 0x00000000000f0000) << 12) |
        ((x & 0x0000ff0000000000) >> 8) |
        ((x & 0x000000ff00000000) << 8) |
        ((x & 0xf000000000000000) >> 12) |
        ((x & 0x0fff000000000000) << 4),
    );
  }
}

function mixColumns(q: usize): void {
  const q0 = load<u64>(q, 0);
  const q1 = load<u64>(q, 8);
  const q2 = load<u64>(q, 16);
  const q3 = load<u64>(q, 24);
  const q4 = load<u64>(q, 32);
  const q5 = load<u64>(q, 40);
  const q6 = load<u64>(q, 48);
  const q7 = load<u64>(q, 56);
  const r0 = rotr(q0, 16);
  const r1 = rotr(q1, 16);
  const r2 = rotr(q2, 16);
  const r3 = rotr(q3, 16);
  const r4 = rotr(q4, 16);
  const r5 = rotr(q5, 16);
  const r6 = rotr(q6, 16);
  const r7 = rotr(q7, 16);
  const carry = q7 ^ r7;
  store<u64>(q, carry ^ r0 ^ rotr(q0 ^ r0, 32), 0);
  store<u64>(q, q0 ^ r0 ^ carry ^ r1 ^ rotr(q1 ^ r1, 32), 8);
  store<u64>(q, q1 ^ r1 ^ r2 ^ rotr(q2 ^ r2, 32), 16);
  store<u64>(q, q2 ^ r2 ^ carry ^ r3 ^ rotr(q3 ^ r3, 32), 24);
  store<u64>(q, q3 ^ r3 ^ carry ^ r4 ^ rotr(q4 ^ r4, 32), 32);
  store<u64>(q, q4 ^ r4 ^ r5 ^ rotr(q5 ^ r5, 32), 40);
  store<u64>(q, q5 ^ r5 ^ r6 ^ rotr(q6 ^ r6, 32), 48);
  store<u64>(q, q6 ^ r6 ^ r7 ^ rotr(q7 ^ r7, 32), 56);
}
