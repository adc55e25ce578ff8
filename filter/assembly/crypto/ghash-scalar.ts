/** GHASH (NIST SP 800-38D §6.4) a block at a time, without SIMD and without tables. A block is a polynomial over GF(2) whose coefficient of x^0 is the first,
 *  topmost bit (§6.3). As one number of 128 bits, x^k is bit 127 - k; a product of two such numbers without carries, 255
 *  bits, has x^k at bit 254 - k. It is wanted at 255 - k, with x^0..x^127 as the upper 128 bits, so the key is divided by
 *  x beforehand, which moves all of the product up by one bit.
 *
 *  Without carries: an integer multiplication of numbers in which only every fourth bit may be set adds up, for each of
 *  those bits, at most eight products of bits (the numbers have 32 bits, hence eight such bits). Sums up to eight fit the
 *  four bits from one to the next; the lowest of the four is the sum modulo 2, and the other three are masked away.
 *
 *  The way from 128 bits to such numbers splits three times in two, each time with Karatsuba's identity, that is, the cross
 *  products of a + x·b out of the products of a, of b and of a + b:
 *
 *      bits of the block   127       96 95       64 63       32 31        0
 *      halves              │         high          │          low         │     and their sum
 *      quarters            │  upper    │   lower   │  upper    │  lower   │     and the sum of each two
 *      bit pairs           … 3 2 1 0 3 2 1 0 …   bits 0, 1 and 2, 3 of four     and their sum
 *
 *  3 · 3 · 3 operands, each of two numbers with every fourth bit, give 27 · 4 multiplications to a block. The key's operands
 *  are the same for all blocks and made once.
 *
 *  Timing: constant in key and data where 64-bit multiplication is (x86-64, AArch64), linear in the length. Allocates
 *  nothing. */
import { loadBe64, storeBe64 } from "../bytes/endian";

/** The expanded key, the hash, and a block for what is padded. */
export const GHASH_SCALAR_BYTES: i32 = 248;
const HASH: usize = 216;
const BLOCK: usize = 232;
/** What the key has for a quarter: three operands of two u32. */
const QUARTER: usize = 24;
const HALF: usize = 3 * QUARTER;

export function ghashStartScalar(state: usize, hashKey: usize): void {
  const high = loadBe64(hashKey);
  const low = loadBe64(hashKey + 8);
  // Divided by x; where x^0 was set, 1/x = x^127 + x^6 + x + 1.
  const one = high >> 63;
  const high1 = (high << 1) ^ (low >> 63) ^ (one << 63) ^ (one << 62) ^ (one << 57);
  const low1 = (low << 1) ^ one;
  expandHalf(state, low1);
  expandHalf(state + HALF, high1);
  expandHalf(state + 2 * HALF, low1 ^ high1);
  memory.fill(state + HASH, 0, 16);
}

export function ghashUpdateScalar(state: usize, data: usize, length: i32): void {
  const whole = (<usize>length) & ~15;
  absorb(state + HASH, state, data, data + whole);
  const rest = (<usize>length) & 15;
  if (rest == 0) return;
  const block = state + BLOCK;
  memory.fill(block, 0, 16);
  memory.copy(block, data + whole, rest);
  absorb(state + HASH, state, block, block + 16);
}

export function ghashFinishScalar(state: usize, out: usize): void {
  memory.copy(out, state + HASH, 16);
}

function absorb(hash: usize, key: usize, data: usize, end: usize): void {
  let high = loadBe64(hash);
  let low = loadBe64(hash + 8);
  for (; data != end; data += 16) {
    high ^= loadBe64(data);
    low ^= loadBe64(data + 8);
    const sum = low ^ high;
    // Products of quarters: the lower, the upper, and both crosses.
    const l0 = multiply(low, key);
    const l2 = multiply(low >> 32, key + QUARTER);
    const l1 = multiply(low ^ (low >> 32), key + 2 * QUARTER) ^ l0 ^ l2;
    const h0 = multiply(high, key + HALF);
    const h2 = multiply(high >> 32, key + HALF + QUARTER);
    const h1 = multiply(high ^ (high >> 32), key + HALF + 2 * QUARTER) ^ h0 ^ h2;
    const s0 = multiply(sum, key + 2 * HALF) ^ l0 ^ h0;
    const s2 = multiply(sum >> 32, key + 2 * HALF + QUARTER) ^ l2 ^ h2;
    const s1 = multiply(sum ^ (sum >> 32), key + 2 * HALF + 2 * QUARTER) ^ s0 ^ s2 ^ l0 ^ h0 ^ l2 ^ h2 ^ l1 ^ h1;
    // Their sum, each at its power of 2^32, lowest word first.
    const w0 = l0 ^ (l1 << 32);
    let w1 = l2 ^ (l1 >> 32) ^ s0 ^ (s1 << 32);
    let w2 = h0 ^ (h1 << 32) ^ s2 ^ (s1 >> 32);
    let w3 = h2 ^ (h1 >> 32);
    // w0 is x^192 and on, w1 is x^128 and on. x^128 = 1 + x + x^2 + x^7 moves a word up by two, and by 1, 2 and 7 bits down.
    w1 ^= (w0 << 63) ^ (w0 << 62) ^ (w0 << 57);
    w2 ^= w0 ^ (w0 >> 1) ^ (w0 >> 2) ^ (w0 >> 7);
    w2 ^= (w1 << 63) ^ (w1 << 62) ^ (w1 << 57);
    w3 ^= w1 ^ (w1 >> 1) ^ (w1 >> 2) ^ (w1 >> 7);
    high = w3;
    low = w2;
  }
  storeBe64(hash, high);
  storeBe64(hash + 8, low);
}

/** The product of the lower 32 bits of `x` and a quarter of the key, without carries. */
function multiply(x: u64, quarter: usize): u64 {
  const upper = x >> 2;
  const p0 = multiplyPairs(x, quarter);
  const p2 = multiplyPairs(upper, quarter + 8);
  const p1 = multiplyPairs(x ^ upper, quarter + 16) ^ p0 ^ p2;
  return p0 ^ (p1 << 2) ^ (p2 << 4);
}

/** The same of bits 0 and 1 of every four, whatever the others are. */
function multiplyPairs(x: u64, operand: usize): u64 {
  const x0 = x & 0x11111111;
  const x1 = x & 0x22222222;
  const y0 = <u64>load<u32>(operand, 0);
  const y1 = <u64>load<u32>(operand, 4);
  return (
    ((x0 * y0) & 0x1111111111111111) | (((x0 * y1) ^ (x1 * y0)) & 0x2222222222222222) | ((x1 * y1) & 0x4444444444444444)
  );
}

function expandHalf(key: usize, half: u64): void {
  expandQuarter(key, <u32>half);
  expandQuarter(key + QUARTER, <u32>(half >> 32));
  expandQuarter(key + 2 * QUARTER, <u32>(half ^ (half >> 32)));
}

function expandQuarter(key: usize, quarter: u32): void {
  expandPairs(key, quarter);
  expandPairs(key + 8, quarter >> 2);
  expandPairs(key + 16, quarter ^ (quarter >> 2));
}

function expandPairs(operand: usize, bits: u32): void {
  store<u32>(operand, bits & 0x11111111, 0);
  store<u32>(operand, bits & 0x22222222, 4);
}
