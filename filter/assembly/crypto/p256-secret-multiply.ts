/** Multiplication of a point of P-256 by a SECRET scalar k: regular windows of five bits with odd digits (Joye and Tunstall,
 *  "Exponent recoding and regular exponentiation algorithms", 2009) over 255 doublings and 51 additions, table look-ups
 *  that read every entry. Timing: constant in the scalar. Allocates nothing; what depends on the scalar is wiped.
 *
 *  Where k is even, n - k is taken and the result negated. An odd k < n is 2^255 + d50·2^250 + … + d0 with odd digits of at
 *  most 31 in magnitude: d = 2c - 31, where c are the five bits of k from bit 5i + 1 on.
 *
 *  No addition is exceptional, so that the formulas of p256-paired-point.ts, which have no branch, are enough. A step makes
 *  (32m + d)·Q of m·Q, where m, the digits so far, is odd, positive and below n; its result is the next m, or k.
 *    32m·Q is not infinity:       n is prime.
 *    32m is not -d modulo n:      the result would be infinity, but it is in 1..n-1.
 *    32m is not d modulo n:       32m > 31 >= d, and in all but the last step 32m < n / 16. In the last 32m - d would be n;
 *                                 with k = 32m + d < n that makes d negative, and -17, because n is 17 modulo 32. Then
 *                                 m = (n - 17) / 32, which is even.
 *  Nor is one when the table is made: 2 and odd numbers up to 31 are neither equal nor opposite modulo n.
 *  Cost: 255 · 4 + 51 · 7 pairs of multiplications, the table (15 · 9 pairs) and an inversion. */
import { maskIfEqual } from "../bytes/ct";
import { wipe } from "../bytes/wipe";
import { FIELD_BYTES, fieldInv, fieldMul, fieldSqr, fieldToBytes } from "./p256-field";
import { limbsFromBytes, limbsToBytes } from "./p256-limbs";
import {
  POINT_SCRATCH,
  POINT_SCRATCH_BYTES,
  pointAddFinish,
  pointAddStart,
  pointDouble,
  pointFromAffine,
  pointReady,
  pointToJacobian,
} from "./p256-paired-point";
import { N, SCALAR_BYTES } from "./p256-scalar";

const WINDOW: usize = 5;
/** Digits after the first, which is 1. */
const DIGITS: usize = 51;
/** Q, 3Q … 31Q, ready, each followed by 8 bytes of nothing. */
const ENTRIES: u32 = 16;
const ENTRY_BYTES: usize = 224;
const TABLE: usize = memory.data(3584);

const SECRET: usize = memory.data(620);
const SECRET_BYTES: i32 = 620;
const SUM: usize = SECRET;
const ENTRY: usize = SUM + 144;
const AFFINE_X: usize = ENTRY + ENTRY_BYTES;
const AFFINE_Y: usize = AFFINE_X + FIELD_BYTES;
const JACOBIAN: usize = AFFINE_Y + FIELD_BYTES;
const ODD: usize = JACOBIAN + 3 * FIELD_BYTES;
/** The odd scalar, little-endian, and two bytes of zeros. */
const BITS: usize = ODD + SCALAR_BYTES;

/** Writes the affine coordinates, 32 bytes each and big-endian, of scalar · point. `scalar`: 32 bytes, big-endian, in
 *  1..n-1, so that the product is not infinity. `affine`: a valid point. `y` may be 0 when it is not wanted. */
export function multiplySecret(x: usize, y: usize, scalar: usize, affine: usize): void {
  fillTable(affine);
  const negated = makeOdd(scalar);
  pointFromAffine(SUM, affine);
  for (let i = DIGITS; i > 0; i--) step(digit(i - 1));
  toAffine(negated);
  fieldToBytes(x, AFFINE_X);
  if (y != 0) fieldToBytes(y, AFFINE_Y);
  wipe(SECRET, SECRET_BYTES);
  wipe(POINT_SCRATCH, POINT_SCRATCH_BYTES);
}

/** The odd multiples of a public point. */
function fillTable(affine: usize): void {
  pointFromAffine(SUM, affine);
  pointReady(TABLE, SUM);
  pointDouble(SUM);
  pointReady(ENTRY, SUM);
  pointFromAffine(SUM, affine);
  for (let i: usize = 1; i < ENTRIES; i++) {
    pointAddStart(SUM, ENTRY, 0);
    pointAddFinish(SUM);
    pointReady(TABLE + i * ENTRY_BYTES, SUM);
  }
}

/** BITS = the scalar or, where it is even, n minus it. Returns the mask of that: 0, or -1 for the latter. */
function makeOdd(scalar: usize): i32 {
  limbsFromBytes(ODD, scalar);
  const even = (load<i32>(ODD) & 1) - 1;
  let t: i32 = 0;
  for (let i: usize = 0; i < SCALAR_BYTES; i += 4) {
    t = (t >> 29) + ((load<i32>(ODD + i) ^ even) - even) + (load<i32>(N + i) & even);
    store<i32>(ODD + i, t & 0x1fffffff);
  }
  limbsToBytes(BITS, ODD);
  for (let i: usize = 0; i < 16; i++) {
    const byte = load<u8>(BITS + i);
    store<u8>(BITS + i, load<u8>(BITS + 31 - i));
    store<u8>(BITS + 31 - i, byte);
  }
  store<u16>(BITS, 0, 32);
  return even;
}

/** The five bits of which digit i is made. */
function digit(i: usize): u32 {
  const at = WINDOW * i + 1;
  return ((<u32>load<u16>(BITS + (at >> 3))) >> ((<u32>at) & 7)) & 31;
}

/** SUM = 32·SUM + (2c - 31)·point. */
function step(c: u32): void {
  for (let i: usize = 0; i < WINDOW; i++) pointDouble(SUM);
  const negative = <i32>(c >> 4) - 1;
  select((c ^ (<u32>negative)) & 15);
  pointAddStart(SUM, ENTRY, negative);
  pointAddFinish(SUM);
}

/** ENTRY = entry `index` of the table; reads all of them. */
function select(index: u32): void {
  if (ASC_FEATURE_SIMD) {
    for (let at: usize = 0; at < ENTRY_BYTES; at += 32) {
      let low = i64x2.splat(0);
      let high = i64x2.splat(0);
      for (let i: u32 = 0; i < ENTRIES; i++) {
        const entry = TABLE + <usize>i * ENTRY_BYTES + at;
        const mask = i32x4.splat(maskIfEqual(i, index));
        low = v128.or(low, v128.and(v128.load(entry), mask));
        high = v128.or(high, v128.and(v128.load(entry, 16), mask));
      }
      v128.store(ENTRY + at, low);
      v128.store(ENTRY + at, high, 16);
    }
  } else {
    for (let at: usize = 0; at < ENTRY_BYTES; at += 8) {
      let chosen: i64 = 0;
      for (let i: u32 = 0; i < ENTRIES; i++)
        chosen |= load<i64>(TABLE + <usize>i * ENTRY_BYTES + at) & (<i64>maskIfEqual(i, index));
      store<i64>(ENTRY + at, chosen);
    }
  }
}

/** The affine coordinates of SUM, y negated where the mask is -1. */
function toAffine(negate: i32): void {
  const z = JACOBIAN + 2 * FIELD_BYTES;
  pointToJacobian(JACOBIAN, SUM);
  fieldInv(AFFINE_Y, z);
  fieldSqr(z, AFFINE_Y);
  fieldMul(AFFINE_X, JACOBIAN, z);
  fieldMul(AFFINE_Y, AFFINE_Y, z);
  fieldMul(AFFINE_Y, AFFINE_Y, JACOBIAN + FIELD_BYTES);
  for (let i: usize = 0; i < FIELD_BYTES; i += 4) store<i32>(AFFINE_Y + i, (load<i32>(AFFINE_Y + i) ^ negate) - negate);
}
