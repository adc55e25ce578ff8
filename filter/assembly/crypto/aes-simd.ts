/** AES-128 encryption of eight blocks at a time (FIPS 197), bit-sliced in eight vectors (Käsper and Schwabe, "Faster and
 *  Timing-Attack Resistant AES-GCM", 2009): byte j of plane i holds bit i of byte j of the eight blocks, bit b of it that
 *  of block b. A byte's place in a plane is its place in the block (§3.4: row + 4 · column), so moving bytes is one swizzle
 *  by a constant, and no table, branch or address depends on key or data.
 *
 *  SubBytes leaves out its constant 0x63. MixColumns maps a block of equal bytes to itself (2 + 3 + 1 + 1 = 1), so round
 *  keys 1 to 10 have the constant in them instead.
 *
 *  Cost: about 180 vector operations a round, 23 for each block. Timing: constant. Allocates nothing; planes and round keys
 *  are the caller's, who wipes them. */
import { subBytesLess63 } from "./aes-simd-sbox";

/** Eight blocks, or their planes. */
export const AES_PLANES_BYTES: i32 = 128;
export const AES_PLANES_ROUND_KEYS_BYTES: i32 = 1408;
const PLANES: usize = 128;
const ROUNDS: usize = 10;
const SBOX_CONSTANT: u32 = 0x63;

/** Sets the planes of eight blocks that all are the one at `block`, which may lie in the planes: each bit of it becomes a
 *  byte of ones or of zeros. */
export function planesOfEqualBlocks(planes: usize, block: usize): void {
  const bytes = v128.load(block);
  for (let bit: u32 = 0; bit < 8; bit++, planes += 16) {
    const mask = i8x16.splat(<i8>((<i32>1) << (<i32>bit)));
    v128.store(planes, i8x16.eq(v128.and(bytes, mask), mask));
  }
}

/** Expands the 16 bytes at `key` into AES_PLANES_ROUND_KEYS_BYTES at `roundKeys` (§5.2): for every round, the planes of
 *  eight blocks that all are its key. */
export function aes128ExpandKeyPlanes(key: usize, roundKeys: usize): void {
  const last = roundKeys + ROUNDS * PLANES;
  planesOfEqualBlocks(roundKeys, key);
  let roundConstant: u32 = 1;
  for (let at = roundKeys; at < last; at += PLANES) {
    // SubWord(RotWord(w3)), out of SubBytes of the whole round key.
    memory.copy(at + PLANES, at, PLANES);
    subBytesLess63(at + PLANES);
    for (let bit: u32 = 0; bit < 8; bit++) {
      nextRoundKeyPlane(at + 16 * <usize>bit, bitOfRow0(roundConstant, bit), bitOfAllRows(SBOX_CONSTANT, bit));
    }
    roundConstant = (roundConstant << 1) ^ (0x11b & -(roundConstant >> 7));
  }
  for (let at = roundKeys + PLANES; at <= last; at += PLANES) addSboxConstant(at);
}

/** One plane of the next round key out of `plane`, and of SubBytes of it, which is where the next one goes. */
function nextRoundKeyPlane(plane: usize, roundConstant: v128, sboxConstant: v128): void {
  const rotated = i8x16.swizzle(
    v128.load(plane, PLANES),
    i8x16(13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12, 13, 14, 15, 12),
  );
  let key = v128.load(plane);
  // Each word adds the ones before it.
  key = v128.xor(key, i8x16.swizzle(key, i8x16(-1, -1, -1, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)));
  key = v128.xor(key, i8x16.swizzle(key, i8x16(-1, -1, -1, -1, -1, -1, -1, -1, 0, 1, 2, 3, 4, 5, 6, 7)));
  key = v128.xor(key, v128.xor(rotated, v128.xor(roundConstant, sboxConstant)));
  v128.store(plane, key, PLANES);
}

function bitOfRow0(byte: u32, bit: u32): v128 {
  return i32x4.splat(0xff & -((byte >> bit) & 1));
}

function bitOfAllRows(byte: u32, bit: u32): v128 {
  return i32x4.splat(-((byte >> bit) & 1));
}

function addSboxConstant(roundKey: usize): void {
  for (let bit: u32 = 0; bit < 8; bit++, roundKey += 16) {
    v128.store(roundKey, v128.xor(v128.load(roundKey), bitOfAllRows(SBOX_CONSTANT, bit)));
  }
}

/** Encrypts the eight blocks whose planes are at `planes` (§5.1), in place. */
export function aes128EncryptPlanes(planes: usize, roundKeys: usize): void {
  const lastKey = roundKeys + ROUNDS * PLANES;
  for (let at: usize = 0; at < PLANES; at += 16) {
    v128.store(planes + at, v128.xor(v128.load(planes + at), v128.load(roundKeys + at)));
  }
  for (let roundKey = roundKeys + PLANES; roundKey < lastKey; roundKey += PLANES) {
    subBytesLess63(planes);
    shiftRowsMixColumnsAddRoundKey(planes, roundKey);
  }
  subBytesLess63(planes);
  for (let at: usize = 0; at < PLANES; at += 16) {
    v128.store(planes + at, v128.xor(shiftRows(v128.load(planes + at)), v128.load(lastKey + at)));
  }
}

/** MixColumns (§5.1.3) of a byte a: 2a + 3b + c + d with b, c and d one, two and three rows on, that is 2(a + b) + b and
 *  a + b of two rows on. Doubled (§4.2), a byte has in plane i what it had in plane i - 1, and where x^8 = x^4 + x^3 + x + 1
 *  has a term, what it had in plane 7. */
function shiftRowsMixColumnsAddRoundKey(planes: usize, roundKey: usize): void {
  const last = v128.load(planes, 112);
  const overflow = v128.xor(shiftRows(last), shiftRowsOneOn(last));
  let sum = mixPlane(planes, roundKey, overflow);
  sum = mixPlane(planes + 16, roundKey + 16, v128.xor(sum, overflow));
  sum = mixPlane(planes + 32, roundKey + 32, sum);
  sum = mixPlane(planes + 48, roundKey + 48, v128.xor(sum, overflow));
  sum = mixPlane(planes + 64, roundKey + 64, v128.xor(sum, overflow));
  sum = mixPlane(planes + 80, roundKey + 80, sum);
  sum = mixPlane(planes + 96, roundKey + 96, sum);
  mixPlane(planes + 112, roundKey + 112, sum);
}

/** Writes a plane and returns its a + b; `doubled` is this plane of 2(a + b). */
function mixPlane(plane: usize, roundKey: usize, doubled: v128): v128 {
  const before = v128.load(plane);
  const b = shiftRowsOneOn(before);
  const sum = v128.xor(shiftRows(before), b);
  const twoOn = i8x16.swizzle(sum, i8x16(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
  v128.store(plane, v128.xor(v128.xor(doubled, b), v128.xor(twoOn, v128.load(roundKey))));
  return sum;
}

/** ShiftRows (§5.1.2) of a plane: row r takes its column c from column c + r. */
function shiftRows(plane: v128): v128 {
  return i8x16.swizzle(plane, i8x16(0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11));
}

/** ShiftRows, then for every row the next one of its column. */
function shiftRowsOneOn(plane: v128): v128 {
  return i8x16.swizzle(plane, i8x16(5, 10, 15, 0, 9, 14, 3, 4, 13, 2, 7, 8, 1, 6, 11, 12));
}
