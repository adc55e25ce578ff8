/** AES-128 encryption of four blocks at a time (FIPS 197), bit-sliced: every operation works on one bit of all 64 bytes.
 *  No table, no branch and no address depends on key or data. Decryption and longer keys are left out; GCM needs neither.
 *
 *  The blocks lie one after the other and are read as eight little-endian words, two to a block. A block is 4×4 bytes,
 *  column by column (§3.4), so a word is two columns. Exchanging the number of the word (0..7) with the number of the bit
 *  in its byte (0..7) turns the words into eight planes, in the same place; bytes stay where they are:
 *
 *      byte of word or plane      7     6     5     4  │  3     2     1     0
 *      row of the block           3     2     1     0  │  3     2     1     0
 *      column of the block        1 in its half        │  0 in its half          half 0: columns 0, 1; half 1: 2, 3
 *
 *      word  2 · block + half     bit i of a byte is bit i of that byte of the block
 *      plane i                    bit 2 · block + half of a byte is bit i of that byte of that block
 *
 *  So in a plane the row changes by 8 bits, the column in its half by 32 bits, the half by one bit.
 *
 *  Timing: constant. Allocates nothing; blocks, planes and round keys are the caller's, who wipes them. */
import { subBytes } from "./aes-sbox";

/** Four blocks, or their planes. */
export const AES_BATCH_BYTES: i32 = 64;
export const AES_ROUND_KEYS_BYTES: i32 = 704;
const BATCH: usize = 64;
const ROUNDS: usize = 10;

/** Expands the 16 bytes at `key` into AES_ROUND_KEYS_BYTES at `roundKeys` (§5.2): for every round, the planes of four
 *  blocks that all are its key. `scratch` is AES_BATCH_BYTES. */
export function aes128ExpandKey(key: usize, roundKeys: usize, scratch: usize): void {
  let w01 = load<u64>(key, 0);
  let w23 = load<u64>(key, 8);
  let roundConstant: u32 = 1;
  for (let round: usize = 0; ; round++, roundKeys += BATCH) {
    for (let block: usize = 0; block < BATCH; block += 16) {
      store<u64>(roundKeys + block, w01, 0);
      store<u64>(roundKeys + block, w23, 8);
    }
    exchangeWordsAndBits(roundKeys);
    if (round == ROUNDS) return;
    // SubWord(RotWord(w3)), out of SubBytes of the whole round key.
    memory.copy(scratch, roundKeys, BATCH);
    subBytes(scratch);
    exchangeWordsAndBits(scratch);
    w01 ^= <u64>(rotr(load<u32>(scratch, 12), 8) ^ roundConstant);
    // Each further word adds the one before it.
    w01 ^= w01 << 32;
    w23 ^= w01 >> 32;
    w23 ^= w23 << 32;
    roundConstant = (roundConstant << 1) ^ (0x11b & -(roundConstant >> 7));
  }
}

/** Encrypts the four blocks at `blocks`, in place (§5.1). */
export function aes128EncryptBatch(blocks: usize, roundKeys: usize): void {
  const lastKey = roundKeys + ROUNDS * BATCH;
  exchangeWordsAndBits(blocks);
  addRoundKey(blocks, roundKeys);
  for (let roundKey = roundKeys + BATCH; roundKey < lastKey; roundKey += BATCH) {
    subBytes(blocks);
    shiftRowsMixColumnsAddRoundKey(blocks, roundKey);
  }
  subBytes(blocks);
  shiftRowsAddRoundKey(blocks, lastKey);
  exchangeWordsAndBits(blocks);
}

/** Words to planes and planes to words: the three binary digits of the word's number change places with those of the
 *  bit's number, one pair of digits after the other. */
function exchangeWordsAndBits(words: usize): void {
  exchangeDigit(words, words + 8, 1, 0x5555555555555555);
  exchangeDigit(words + 16, words + 24, 1, 0x5555555555555555);
  exchangeDigit(words + 32, words + 40, 1, 0x5555555555555555);
  exchangeDigit(words + 48, words + 56, 1, 0x5555555555555555);
  exchangeDigit(words, words + 16, 2, 0x3333333333333333);
  exchangeDigit(words + 8, words + 24, 2, 0x3333333333333333);
  exchangeDigit(words + 32, words + 48, 2, 0x3333333333333333);
  exchangeDigit(words + 40, words + 56, 2, 0x3333333333333333);
  exchangeDigit(words, words + 32, 4, 0x0f0f0f0f0f0f0f0f);
  exchangeDigit(words + 8, words + 40, 4, 0x0f0f0f0f0f0f0f0f);
  exchangeDigit(words + 16, words + 48, 4, 0x0f0f0f0f0f0f0f0f);
  exchangeDigit(words + 24, words + 56, 4, 0x0f0f0f0f0f0f0f0f);
}

/** Of two words whose numbers differ in one digit, 0 in `clear` and 1 in `set`: what has the `digit` of its bit's number
 *  set in the first changes places with what has it clear (the bits of `mask`) in the second. */
function exchangeDigit(clear: usize, set: usize, digit: u64, mask: u64): void {
  const a = load<u64>(clear);
  const b = load<u64>(set);
  const difference = ((a >> digit) ^ b) & mask;
  store<u64>(clear, a ^ (difference << digit));
  store<u64>(set, b ^ difference);
}

function addRoundKey(planes: usize, roundKey: usize): void {
  for (let at: usize = 0; at < BATCH; at += 8) {
    store<u64>(planes + at, load<u64>(planes + at) ^ load<u64>(roundKey + at));
  }
}

function shiftRowsAddRoundKey(planes: usize, roundKey: usize): void {
  for (let at: usize = 0; at < BATCH; at += 8) {
    store<u64>(planes + at, shiftRows(load<u64>(planes + at)) ^ load<u64>(roundKey + at));
  }
}

/** MixColumns (§5.1.3) of a byte a: 2a + 3b + c + d with b, c and d one, two and three rows on, that is 2(a + b) + b and
 *  a + b of two rows on. Doubled (§4.2), a byte has in plane i what it had in plane i - 1, and where x^8 = x^4 + x^3 + x + 1
 *  has a term, what it had in plane 7. Plane by plane, without a loop: it is nearly half of the time. */
function shiftRowsMixColumnsAddRoundKey(planes: usize, roundKey: usize): void {
  const last = shiftRows(load<u64>(planes, 56));
  const overflow = last ^ oneRowOn(last);
  let sum = mixPlane(planes, roundKey, shiftRows(load<u64>(planes)), overflow);
  sum = mixPlane(planes + 8, roundKey + 8, shiftRows(load<u64>(planes, 8)), sum ^ overflow);
  sum = mixPlane(planes + 16, roundKey + 16, shiftRows(load<u64>(planes, 16)), sum);
  sum = mixPlane(planes + 24, roundKey + 24, shiftRows(load<u64>(planes, 24)), sum ^ overflow);
  sum = mixPlane(planes + 32, roundKey + 32, shiftRows(load<u64>(planes, 32)), sum ^ overflow);
  sum = mixPlane(planes + 40, roundKey + 40, shiftRows(load<u64>(planes, 40)), sum);
  sum = mixPlane(planes + 48, roundKey + 48, shiftRows(load<u64>(planes, 48)), sum);
  mixPlane(planes + 56, roundKey + 56, last, sum);
}

/** Writes a plane and returns its a + b; `doubled` is this plane of 2(a + b). */
function mixPlane(plane: usize, roundKey: usize, a: u64, doubled: u64): u64 {
  const b = oneRowOn(a);
  const sum = a ^ b;
  store<u64>(plane, doubled ^ b ^ twoRowsOn(sum) ^ load<u64>(roundKey));
  return sum;
}

/** ShiftRows (§5.1.2) of a plane: row r takes its column c from column c + r. An odd r takes from the other column of a
 *  half, hence 32 bits away. And from the other half, hence the neighbouring bit, if c + r goes beyond the half of c: row 1
 *  for the second column of a half (byte 5), row 2 for both (bytes 6 and 2), row 3, three on or one back, for the first
 *  (byte 3). */
function shiftRows(plane: u64): u64 {
  const columns = plane ^ ((plane ^ rotr(plane, 32)) & 0xff00ff00ff00ff00);
  const halves = (columns ^ (columns >> 1)) & 0x0055550055550000;
  return columns ^ halves ^ (halves << 1);
}

function oneRowOn(plane: u64): u64 {
  return ((plane >> 8) & 0x00ffffff00ffffff) | ((plane << 24) & 0xff000000ff000000);
}

function twoRowsOn(plane: u64): u64 {
  return ((plane >> 16) & 0x0000ffff0000ffff) | ((plane << 16) & 0xffff0000ffff0000);
}
