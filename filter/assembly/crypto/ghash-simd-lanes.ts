/** Sixteen elements of GHASH's field (NIST SP 800-38D §6.3) side by side: vector j, of sixteen that lie one after the other,
 *  has byte j of sixteen blocks, one in each lane. All are multiplied by the same element: i8x16.swizzle looks up a nibble of
 *  every lane in a table that is a vector (see ghash-simd-key). For nibbles further on the tables are the same, and what they
 *  give lies further on, vector by vector.
 *
 *  Cost: 544 swizzles for a multiplication of all lanes, 16 · 15 operations for its reduction, 128 interleavings for an
 *  exchange. Timing: constant: indices are in registers and tables are read as a whole. Allocates nothing; the caller wipes. */

/** Sixteen blocks, or their vectors. */
export const GROUP_BYTES: usize = 256;
/** Vectors of products that are not reduced. */
export const PRODUCT_BYTES: usize = 512;

/** Multiplies the lanes at `product`, where there are PRODUCT_BYTES, by what `tables` were made for. */
export function multiplyLanes(product: usize, tables: usize): void {
  memory.fill(product + GROUP_BYTES, 0, GROUP_BYTES);
  // Two bytes at a time, the last ones first: their products lie where they themselves do and further on.
  for (let at = product + GROUP_BYTES - 32; at >= product; at -= 32) multiplyTwoBytes(at, tables);
  reduce(product);
}

/** What a table gives for the first byte belongs one vector before what it gives for the second. */
function multiplyTwoBytes(at: usize, tables: usize): void {
  const nibble = i8x16.splat(15);
  const byte0 = v128.load(at, 0);
  const byte1 = v128.load(at, 16);
  const upper0 = v128.and(i16x8.shr_u(byte0, 4), nibble);
  const upper1 = v128.and(i16x8.shr_u(byte1, 4), nibble);
  const lower0 = v128.and(byte0, nibble);
  const lower1 = v128.and(byte1, nibble);
  let evenUpper = i64x2(0, 0);
  let evenLower = evenUpper;
  v128.store(at, evenUpper, 0);
  v128.store(at, evenUpper, 16);
  for (const end = at + 288; at < end; at += 32, tables += 64) {
    const oddUpper = v128.load(tables, 0);
    const oddLower = v128.load(tables, 16);
    addTo(at, lookUp(oddUpper, upper0, oddLower, lower0), lookUp(evenUpper, upper1, evenLower, lower1));
    evenUpper = v128.load(tables, 32);
    evenLower = v128.load(tables, 48);
    addTo(at + 16, lookUp(evenUpper, upper0, evenLower, lower0), lookUp(oddUpper, upper1, oddLower, lower1));
  }
}

function lookUp(upperTable: v128, upper: v128, lowerTable: v128, lower: v128): v128 {
  return v128.xor(i8x16.swizzle(upperTable, upper), i8x16.swizzle(lowerTable, lower));
}

function addTo(at: usize, a: v128, b: v128): void {
  v128.store(at, v128.xor(v128.load(at), v128.xor(a, b)));
}

/** x^128 = 1 + x + x^2 + x^7: byte 16 + j is added to byte j, and what leaves that to byte j + 1. The last one first, which
 *  has something for byte 16. */
function reduce(product: usize): void {
  for (let at = product + GROUP_BYTES - 16; at >= product; at -= 16) {
    const over = v128.load(at, GROUP_BYTES);
    const by1 = v128.and(i16x8.shr_u(over, 1), i8x16.splat(0x7f));
    const by2 = v128.and(i16x8.shr_u(over, 2), i8x16.splat(0x3f));
    const by7 = v128.and(i16x8.shr_u(over, 7), i8x16.splat(0x01));
    addTo(at, v128.xor(over, by1), v128.xor(by2, by7));
    // Of the same shifts: the lowest bit, the lowest two, the lowest seven.
    const leaves2 = v128.and(i16x8.shl(over, 6), i8x16.splat(<i8>0xc0));
    addTo(at + 16, v128.xor(leaves2, i8x16.add(leaves2, leaves2)), i8x16.add(over, over));
  }
}

/** Writes the lanes of sixteen blocks at `blocks` to `lanes`. `scratch` is GROUP_BYTES. */
export function lanesOfBlocks(blocks: usize, lanes: usize, scratch: usize): void {
  interleave(blocks, scratch);
  interleave(scratch, lanes);
  interleave(lanes, scratch);
  interleave(scratch, lanes);
}

/** Shuffles sixteen vectors like the two halves of a pack of cards, byte by byte. Of the eight binary digits of a byte's
 *  place, four for the vector and four for the byte in it, that makes the first one the last; four times exchange the two. */
function interleave(from: usize, to: usize): void {
  for (const end = from + GROUP_BYTES / 2; from < end; from += 16, to += 32) {
    const a = v128.load(from);
    const b = v128.load(from, GROUP_BYTES / 2);
    v128.store(to, i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23), 0);
    v128.store(to, i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 16);
  }
}
