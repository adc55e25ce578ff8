/** What GHASH with SIMD needs of its key: powers of it, and tables for products by them.
 *
 *  A product by a fixed element is linear, so it is the sum of what each nibble of the other factor contributes. For a nibble
 *  of its first byte, one byte of the product is a table of sixteen bytes, hence a vector. Byte j of a block has the
 *  coefficients of x^(8j) to x^(8j + 7), the topmost bit first; its upper nibble comes before the lower one. Products by a
 *  byte have up to 135 bits and are not reduced, hence the tables are for 17 bytes.
 *
 *  Cost: about 25 operations for a byte, 450 in all, for an element. Timing: constant. Allocates nothing; the caller wipes. */
import { loadBe64, storeBe64 } from "../bytes/endian";

/** For 17 bytes, and one more that is zero, the tables of the upper and of the lower nibble. */
export const TABLES_BYTES: usize = 576;

/** Sets TABLES_BYTES at `tables` for products by the 16 bytes at `element`. */
export function makeTables(element: usize, tables: usize): void {
  let window: u32 = 0;
  for (let j: usize = 0; j < 18; j++, tables += 32) {
    window = (window << 8) | (j < 16 ? load<u8>(element + j) : 0);
    v128.store(tables, tableOfNibble(window), 0);
    v128.store(tables, tableOfNibble(window >> 4), 16);
  }
}

/** Entry n is the sum of what the bits of n contribute: bit 3, x^0, the byte itself, bit 2 the byte that starts one bit
 *  before it, and so on. */
function tableOfNibble(window: u32): v128 {
  const bit3 = v128.and(i8x16.splat(<i8>window), i64x2(0, -1));
  const bit2 = v128.and(i8x16.splat(<i8>(window >> 1)), i32x4(0, -1, 0, -1));
  const bit1 = v128.and(i8x16.splat(<i8>(window >> 2)), i32x4.splat(0xffff0000));
  const bit0 = v128.and(i8x16.splat(<i8>(window >> 3)), i32x4.splat(0xff00ff00));
  return v128.xor(v128.xor(bit3, bit2), v128.xor(bit1, bit0));
}

/** Squares the block at `element`, in place: coefficient k goes to 2k, so every nibble becomes a byte; x^128 and beyond is
 *  reduced by x^128 = 1 + x + x^2 + x^7. */
export function square(element: usize): void {
  const spread = i8x16(0x00, 0x02, 0x08, 0x0a, 0x20, 0x22, 0x28, 0x2a, -128, -126, -120, -118, -96, -94, -88, -86);
  const mask = i8x16.splat(15);
  const bytes = v128.load(element);
  const upper = i8x16.swizzle(spread, v128.and(i16x8.shr_u(bytes, 4), mask));
  const lower = i8x16.swizzle(spread, v128.and(bytes, mask));
  v128.store(element, i8x16.shuffle(upper, lower, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31));
  let high = loadBe64(element);
  let low = loadBe64(element + 8);
  v128.store(element, i8x16.shuffle(upper, lower, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
  // What that moves beyond x^255 is x^128 and beyond once more.
  high ^= (low << 63) ^ (low << 62) ^ (low << 57);
  low ^= (high << 63) ^ (high << 62) ^ (high << 57) ^ (low >> 1) ^ (low >> 2) ^ (low >> 7);
  high ^= (high >> 1) ^ (high >> 2) ^ (high >> 7);
  storeBe64(element, loadBe64(element) ^ high);
  storeBe64(element + 8, loadBe64(element + 8) ^ low);
}
