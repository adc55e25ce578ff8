/** Columns of two multiplications at once, in the two 64-bit lanes of SIMD registers. There being no cheap signed shift of
 *  such lanes, columns carry a bias of 2^63 and are shifted as unsigned numbers. Timing: constant. Allocates nothing. */

const MASK: i64 = 0x1fffffff;
const BIAS: i64 = i64.MIN_VALUE;
/** What is left of the bias after a shift by 29, and what makes it whole again. */
const CARRIED_BIAS: i64 = 1 << 34;
const REBIAS: i64 = BIAS - CARRIED_BIAS;

/** The product of two limbs in each lane. */
export function product(a: v128, b: v128): v128 {
  return i64x2.extmul_low_i32x4_s(a, b);
}

export function add(a: v128, b: v128): v128 {
  return i64x2.add(a, b);
}

export function add3(a: v128, b: v128, c: v128): v128 {
  return i64x2.add(i64x2.add(a, b), c);
}

export function add4(a: v128, b: v128, c: v128, d: v128): v128 {
  return add(add3(a, b, c), d);
}

export function sub(a: v128, b: v128): v128 {
  return i64x2.sub(a, b);
}

/** A column with what clearing columns below adds to it: m·p is m times 2^9 three limbs up, 2^18 six, -2^21 seven and 2^24
 *  eight, so that m24 is of the column eight below. Low columns lack the last of these, high ones the first. */
export function clear1(t: v128, m9: v128): v128 {
  return add(t, i64x2.shl(m9, 9));
}

export function clear2(t: v128, m9: v128, m18: v128): v128 {
  return add(clear1(t, m9), i64x2.shl(m18, 18));
}

export function clear3(t: v128, m9: v128, m18: v128, m21: v128): v128 {
  return sub(clear2(t, m9, m18), i64x2.shl(m21, 21));
}

export function clear4(t: v128, m9: v128, m18: v128, m21: v128, m24: v128): v128 {
  return late3(clear1(t, m9), m18, m21, m24);
}

export function late3(t: v128, m18: v128, m21: v128, m24: v128): v128 {
  return late2(add(t, i64x2.shl(m18, 18)), m21, m24);
}

export function late2(t: v128, m21: v128, m24: v128): v128 {
  return late1(sub(t, i64x2.shl(m21, 21)), m24);
}

export function late1(t: v128, m24: v128): v128 {
  return add(t, i64x2.shl(m24, 24));
}

/** What the first column starts from. */
export function first(): v128 {
  return i64x2.splat(BIAS);
}

/** The limb that a column leaves. */
export function low29(t: v128): v128 {
  return v128.and(t, i64x2.splat(MASK));
}

/** What a column carries to the next, biased again. */
export function next(t: v128): v128 {
  return i64x2.add(i64x2.shr_u(t, 29), i64x2.splat(REBIAS));
}

/** What the last column carries, which is the top limb. */
export function last(t: v128): v128 {
  return i64x2.sub(i64x2.shr_u(t, 29), i64x2.splat(CARRIED_BIAS));
}

/** Stores the low halves of both lanes: limb i of both. */
export function store1(d: usize, a: v128): void {
  v128.store64_lane(d, i32x4.shuffle(a, a, 0, 2, 0, 2), 0);
}

/** The same for limbs i and i + 1. */
export function store2(d: usize, a: v128, b: v128): void {
  v128.store(d, i32x4.shuffle(a, b, 0, 2, 4, 6));
}
