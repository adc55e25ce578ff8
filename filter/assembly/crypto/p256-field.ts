/** The field of P-256, integers modulo p (SP 800-186 §3.2.1.3). Elements are in Montgomery form (R = 2^261), nine signed
 *  limbs of 29 bits, reduced lazily:
 *    tight  limbs 0..7 in 0..2^29-1, value in -2^256..2^257: what fieldMul, fieldSqr, fieldCombine, fieldFromBytes give
 *    loose  sums and differences of tight elements; see fieldMul for how loose an operand may be
 *  Every destination may be an operand. Timing: constant unless the name says otherwise. Allocates nothing. */
import { fieldMul, fieldSqr } from "./p256-field-multiply";
import {
  LIMBS_BYTES,
  LIMB_MASK,
  limbsBelow,
  limbsFromBytes,
  limbsReduceOnce,
  limbsToBytes,
  limbsZero,
} from "./p256-limbs";

export { fieldMul, fieldSqr };
export const FIELD_BYTES: usize = LIMBS_BYTES;

const P: usize = memory.data<i32>([0x1fffffff, 0x1fffffff, 0x1fffffff, 0x1ff, 0x0, 0x0, 0x40000, 0x1fe00000, 0xffffff]);
/** R modulo p, which is the element 1. */
export const FIELD_ONE: usize = memory.data<i32>([
  0x20, 0x0, 0x0, 0x1fffc000, 0x1fffffff, 0x1fffffff, 0x1f7fffff, 0x3ffffff, 0x0,
]);
/** R² modulo p: multiplying by it goes to Montgomery form. */
const R_SQUARED: usize = memory.data<i32>([
  0xc00, 0x0, 0x1fff0000, 0x1fdfffff, 0x1fbfffff, 0x1fffffff, 0x1fffffff, 0x1ffffffe, 0x13,
]);
/** The number 1: multiplying by it leaves Montgomery form, with a result in 0..p. */
const PLAIN_ONE: usize = memory.data<i32>([1, 0, 0, 0, 0, 0, 0, 0, 0]);

const CANONICAL: usize = memory.data(36);
const INVERSE: usize = memory.data(216);

export function fieldAdd(d: usize, a: usize, b: usize): void {
  for (let i: usize = 0; i < FIELD_BYTES; i += 4) store<i32>(d + i, load<i32>(a + i) + load<i32>(b + i));
}

export function fieldSub(d: usize, a: usize, b: usize): void {
  for (let i: usize = 0; i < FIELD_BYTES; i += 4) store<i32>(d + i, load<i32>(a + i) - load<i32>(b + i));
}

/** d = x·a + y·b, tight; |x|, |y| <= 16, limbs of a and b within i32.
 *  What lies above bit 256 is folded down first: 2^256 = 2^224 - 2^192 - 2^96 + 1 modulo p. */
export function fieldCombine(d: usize, a: usize, x: i64, b: usize, y: i64): void {
  let t0 = x * <i64>load<i32>(a, 0) + y * <i64>load<i32>(b, 0);
  let t1 = x * <i64>load<i32>(a, 4) + y * <i64>load<i32>(b, 4);
  let t2 = x * <i64>load<i32>(a, 8) + y * <i64>load<i32>(b, 8);
  let t3 = x * <i64>load<i32>(a, 12) + y * <i64>load<i32>(b, 12);
  let t4 = x * <i64>load<i32>(a, 16) + y * <i64>load<i32>(b, 16);
  let t5 = x * <i64>load<i32>(a, 20) + y * <i64>load<i32>(b, 20);
  let t6 = x * <i64>load<i32>(a, 24) + y * <i64>load<i32>(b, 24);
  let t7 = x * <i64>load<i32>(a, 28) + y * <i64>load<i32>(b, 28);
  let t8 = x * <i64>load<i32>(a, 32) + y * <i64>load<i32>(b, 32);
  const high = t8 >> 24;
  t0 += high;
  t3 -= high << 9;
  t6 -= high << 18;
  t7 += high << 21;
  t1 += t0 >> 29;
  t2 += t1 >> 29;
  t3 += t2 >> 29;
  t4 += t3 >> 29;
  t5 += t4 >> 29;
  t6 += t5 >> 29;
  t7 += t6 >> 29;
  t8 = (t8 & 0xffffff) + (t7 >> 29);
  store<i32>(d, <i32>(t0 & LIMB_MASK), 0);
  store<i32>(d, <i32>(t1 & LIMB_MASK), 4);
  store<i32>(d, <i32>(t2 & LIMB_MASK), 8);
  store<i32>(d, <i32>(t3 & LIMB_MASK), 12);
  store<i32>(d, <i32>(t4 & LIMB_MASK), 16);
  store<i32>(d, <i32>(t5 & LIMB_MASK), 20);
  store<i32>(d, <i32>(t6 & LIMB_MASK), 24);
  store<i32>(d, <i32>(t7 & LIMB_MASK), 28);
  store<i32>(d, <i32>t8, 32);
}

/** Reads 32 bytes, big-endian. False (and an unusable d) when the number is not below p. */
export function fieldFromBytes(d: usize, bytes: usize): bool {
  limbsFromBytes(d, bytes);
  const below = limbsBelow(d, P) != 0;
  fieldMul(d, d, R_SQUARED);
  return below;
}

/** Writes the number in 0..p-1 as 32 bytes, big-endian. */
export function fieldToBytes(bytes: usize, a: usize): void {
  fieldMul(CANONICAL, a, PLAIN_ONE);
  limbsReduceOnce(CANONICAL, P);
  limbsToBytes(bytes, CANONICAL);
  memory.fill(CANONICAL, 0, FIELD_BYTES);
}

/** Whether a = 0 modulo p, for public a within 8p. Timing: variable; nearly always decided by one limb, because
 *  k·p = -k modulo 2^29. */
export function fieldIsZeroVartime(a: usize): bool {
  if (((load<i32>(a) + 8) & (<i32>LIMB_MASK)) > 16) return false;
  fieldMul(CANONICAL, a, PLAIN_ONE);
  limbsReduceOnce(CANONICAL, P);
  return limbsZero(CANONICAL) != 0;
}

/** d = a^(p-2), the inverse (0 for 0): 255 squarings and 12 multiplications. d must not be a. Scratch is wiped. */
export function fieldInv(d: usize, a: usize): void {
  const x3 = INVERSE;
  const x6 = INVERSE + FIELD_BYTES;
  const x15 = INVERSE + 2 * FIELD_BYTES;
  const x32 = INVERSE + 3 * FIELD_BYTES;
  const x47 = INVERSE + 4 * FIELD_BYTES;
  // xN = a^(2^N - 1)
  sqrThenMul(x3, a, 1, a);
  sqrThenMul(x3, x3, 1, a);
  sqrThenMul(x6, x3, 3, x3);
  sqrThenMul(x15, x6, 6, x6);
  sqrThenMul(x15, x15, 3, x3);
  sqrThenMul(x32, x15, 1, a);
  sqrThenMul(x32, x32, 16, x32);
  // The exponent: 32 ones, 31 zeros, a one, 96 zeros, 94 ones, 01.
  sqrTimes(x47, x32, 15);
  sqrThenMul(d, x47, 17, a);
  fieldMul(x47, x47, x15);
  sqrThenMul(d, d, 143, x47);
  sqrThenMul(d, d, 47, x47);
  sqrThenMul(d, d, 2, a);
  memory.fill(INVERSE, 0, 6 * FIELD_BYTES);
}

/** d = a^(2^n) · b. */
function sqrThenMul(d: usize, a: usize, n: i32, b: usize): void {
  const power = INVERSE + 5 * FIELD_BYTES;
  sqrTimes(power, a, n);
  fieldMul(d, power, b);
}

function sqrTimes(d: usize, a: usize, n: i32): void {
  fieldSqr(d, a);
  for (let i = 1; i < n; i++) fieldSqr(d, d);
}
