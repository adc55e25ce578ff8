/** GHASH (NIST SP 800-38D §6.4) without tables: carry-less products out of integer multiplications of operands with holes
 *  (every fourth bit), the high halves from bit-reversed operands; the method of BearSSL's ghash_ctmul64 (see
 *  LICENSE.bearssl). Timing: constant in key and data where 64-bit multiplication is (x86-64, AArch64), linear in the length.
 *  Allocates nothing. */
import { loadBe64, storeBe64 } from "../bytes/endian";

/** Absorbs `length` bytes at `data`, the last block padded with zeros, into the 16 bytes at `hash` under the 16 bytes at
 *  `key`. `block` is scratch of 16 bytes that the caller wipes. */
export function ghash(hash: usize, key: usize, data: usize, length: i32, block: usize): void {
  const whole = (<usize>length) & ~15;
  absorb(hash, key, data, whole >> 4);
  const rest = (<usize>length) & 15;
  if (rest == 0) return;
  memory.fill(block, 0, 16);
  memory.copy(block, data + whole, rest);
  absorb(hash, key, block, 1);
}

function absorb(hash: usize, key: usize, data: usize, blocks: usize): void {
  const h1 = loadBe64(key);
  const h0 = loadBe64(key + 8);
  const h2 = h0 ^ h1;
  const h0r = reverse(h0);
  const h1r = reverse(h1);
  const h2r = h0r ^ h1r;
  let y1 = loadBe64(hash);
  let y0 = loadBe64(hash + 8);
  for (; blocks != 0; blocks--, data += 16) {
    y1 ^= loadBe64(data);
    y0 ^= loadBe64(data + 8);
    const y0r = reverse(y0);
    const y1r = reverse(y1);
    // Karatsuba: three products for the low halves, three of the reversed operands for the high halves.
    const z0 = multiplyLow(y0, h0);
    const z1 = multiplyLow(y1, h1);
    const z2 = multiplyLow(y0 ^ y1, h2) ^ z0 ^ z1;
    const z0r = multiplyLow(y0r, h0r);
    const z1r = multiplyLow(y1r, h1r);
    const z2r = multiplyLow(y0r ^ y1r, h2r) ^ z0r ^ z1r;
    const z0h = reverse(z0r) >> 1;
    const z1h = reverse(z1r) >> 1;
    const z2h = reverse(z2r) >> 1;
    // GCM's bits are reflected: the 255-bit product moves left by one.
    const p0 = z0;
    const p1 = z0h ^ z2;
    const p2 = z1 ^ z2h;
    const v0 = p0 << 1;
    const v1 = (p1 << 1) | (p0 >> 63);
    const v2 = (p2 << 1) | (p1 >> 63);
    const v3 = (z1h << 1) | (p2 >> 63);
    // Reduction by x^128 + x^7 + x^2 + x + 1, the lowest word first.
    const w1 = v1 ^ (v0 << 63) ^ (v0 << 62) ^ (v0 << 57);
    const w2 = v2 ^ v0 ^ (v0 >> 1) ^ (v0 >> 2) ^ (v0 >> 7);
    y0 = w2 ^ (w1 << 63) ^ (w1 << 62) ^ (w1 << 57);
    y1 = v3 ^ w1 ^ (w1 >> 1) ^ (w1 >> 2) ^ (w1 >> 7);
  }
  storeBe64(hash, y1);
  storeBe64(hash + 8, y0);
}

/** The low 64 bits of the carry-less product. Sixteen summands at most meet in one hole of four bits; only the topmost
 *  can overflow, out of the word. */
function multiplyLow(x: u64, y: u64): u64 {
  const x0 = x & 0x1111111111111111;
  const x1 = x & 0x2222222222222222;
  const x2 = x & 0x4444444444444444;
  const x3 = x & 0x8888888888888888;
  const y0 = y & 0x1111111111111111;
  const y1 = y & 0x2222222222222222;
  const y2 = y & 0x4444444444444444;
  const y3 = y & 0x8888888888888888;
  const z0 = (x0 * y0) ^ (x1 * y3) ^ (x2 * y2) ^ (x3 * y1);
  const z1 = (x0 * y1) ^ (x1 * y0) ^ (x2 * y3) ^ (x3 * y2);
  const z2 = (x0 * y2) ^ (x1 * y1) ^ (x2 * y0) ^ (x3 * y3);
  const z3 = (x0 * y3) ^ (x1 * y2) ^ (x2 * y1) ^ (x3 * y0);
  return (z0 & 0x1111111111111111) | (z1 & 0x2222222222222222) | (z2 & 0x4444444444444444) | (z3 & 0x8888888888888888);
}

/** The bits of a word in opposite order. */
function reverse(word: u64): u64 {
  let x = bswap(word);
  x = ((x & 0x0f0f0f0f0f0f0f0f) << 4) | ((x >> 4) & 0x0f0f0f0f0f0f0f0f);
  x = ((x & 0x3333333333333333) << 2) | ((x >> 2) & 0x3333333333333333);
  return ((x & 0x5555555555555555) << 1) | ((x >> 1) & 0x5555555555555555);
}
