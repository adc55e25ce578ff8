/** Two elements of the field of P-256 at once (a pair), for computations that run twice side by side: with SIMD in the two
 *  lanes of a register, else one after the other. What is tight and what is loose, see p256-field.ts.
 *  Every destination may be an operand. Timing: constant. Allocates nothing. */
import { pairMul, pairSqr } from "./p256-pair-multiply";
import { PAIR_BYTES, pairInterleave, pairInterleaveAffine, pairSplit } from "./p256-pair-lanes";
import { LIMB_MASK } from "./p256-limbs";

export { PAIR_BYTES, pairInterleave, pairInterleaveAffine, pairMul, pairSplit, pairSqr };

/** Columns of pairCombine are below 2^37 in magnitude; this makes them positive, as an unsigned shift wants them. */
const BIAS: i64 = 1 << 60;
const CARRIED_BIAS: i64 = 1 << 31;
const CARRIED_TOP_BIAS: i64 = 1 << 36;

/** d = a + b, loose. */
export function pairAdd(d: usize, a: usize, b: usize): void {
  if (ASC_FEATURE_SIMD) {
    v128.store(d, i32x4.add(v128.load(a, 0), v128.load(b, 0)), 0);
    v128.store(d, i32x4.add(v128.load(a, 16), v128.load(b, 16)), 16);
    v128.store(d, i32x4.add(v128.load(a, 32), v128.load(b, 32)), 32);
    v128.store(d, i32x4.add(v128.load(a, 48), v128.load(b, 48)), 48);
    v128.store64_lane(d, i32x4.add(v128.load64_zero(a, 64), v128.load64_zero(b, 64)), 0, 64);
  } else {
    for (let i: usize = 0; i < PAIR_BYTES; i += 4) store<i32>(d + i, load<i32>(a + i) + load<i32>(b + i));
  }
}

/** d = a - b, loose. */
export function pairSub(d: usize, a: usize, b: usize): void {
  if (ASC_FEATURE_SIMD) {
    v128.store(d, i32x4.sub(v128.load(a, 0), v128.load(b, 0)), 0);
    v128.store(d, i32x4.sub(v128.load(a, 16), v128.load(b, 16)), 16);
    v128.store(d, i32x4.sub(v128.load(a, 32), v128.load(b, 32)), 32);
    v128.store(d, i32x4.sub(v128.load(a, 48), v128.load(b, 48)), 48);
    v128.store64_lane(d, i32x4.sub(v128.load64_zero(a, 64), v128.load64_zero(b, 64)), 0, 64);
  } else {
    for (let i: usize = 0; i < PAIR_BYTES; i += 4) store<i32>(d + i, load<i32>(a + i) - load<i32>(b + i));
  }
}

/** d = a, tight; limbs of a of at most 7·2^28 in magnitude: sums and differences of up to three tight elements.
 *  What lies above bit 256 is folded down first: 2^256 = 2^224 - 2^192 - 2^96 + 1 modulo p. */
export function pairTighten(d: usize, a: usize): void {
  if (ASC_FEATURE_SIMD) {
    const mask = i32x4.splat(<i32>LIMB_MASK);
    const t8 = v128.load64_zero(a, 64);
    const high = i32x4.shr_s(t8, 24);
    const t0 = i32x4.add(v128.load64_zero(a, 0), high);
    const t1 = i32x4.add(v128.load64_zero(a, 8), i32x4.shr_s(t0, 29));
    const t2 = i32x4.add(v128.load64_zero(a, 16), i32x4.shr_s(t1, 29));
    const a3 = i32x4.sub(v128.load64_zero(a, 24), i32x4.shl(high, 9));
    const t3 = i32x4.add(a3, i32x4.shr_s(t2, 29));
    const t4 = i32x4.add(v128.load64_zero(a, 32), i32x4.shr_s(t3, 29));
    const t5 = i32x4.add(v128.load64_zero(a, 40), i32x4.shr_s(t4, 29));
    const a6 = i32x4.sub(v128.load64_zero(a, 48), i32x4.shl(high, 18));
    const t6 = i32x4.add(a6, i32x4.shr_s(t5, 29));
    const a7 = i32x4.add(v128.load64_zero(a, 56), i32x4.shl(high, 21));
    const t7 = i32x4.add(a7, i32x4.shr_s(t6, 29));
    const top = i32x4.add(v128.and(t8, i32x4.splat(0xffffff)), i32x4.shr_s(t7, 29));
    v128.store(d, v128.and(adjacent(t0, t1), mask), 0);
    v128.store(d, v128.and(adjacent(t2, t3), mask), 16);
    v128.store(d, v128.and(adjacent(t4, t5), mask), 32);
    v128.store(d, v128.and(adjacent(t6, t7), mask), 48);
    v128.store64_lane(d, top, 0, 64);
  } else {
    combineLane(d, a, 1, a, 0);
    combineLane(d + 4, a + 4, 1, a + 4, 0);
  }
}

/** d = x·a + y·b, tight; |x|, |y| <= 16, limbs of a and b within i32. */
export function pairCombine(d: usize, a: usize, x: i32, b: usize, y: i32): void {
  pairCombineLanes(d, a, coefficients(x, x), b, coefficients(y, y));
}

/** Coefficients for the two lanes. */
export function coefficients(first: i32, second: i32): i64 {
  return ((<i64>second) << 32) | (<i64>(<u32>first));
}

/** The same with coefficients for each lane. */
export function pairCombineLanes(d: usize, a: usize, x: i64, b: usize, y: i64): void {
  if (ASC_FEATURE_SIMD) {
    const xs = i64x2.splat(x);
    const ys = i64x2.splat(y);
    const mask = i64x2.splat(LIMB_MASK);
    const t8 = i64x2.add(column(a, b, xs, ys, 64), i64x2.splat(BIAS));
    const high = i64x2.sub(i64x2.shr_u(t8, 24), i64x2.splat(CARRIED_TOP_BIAS));
    const biased = i64x2.splat(BIAS);
    const rebias = i64x2.splat(BIAS - CARRIED_BIAS);
    const t0 = i64x2.add(i64x2.add(column(a, b, xs, ys, 0), high), biased);
    const t1 = carried(column(a, b, xs, ys, 8), t0, rebias);
    const t2 = carried(column(a, b, xs, ys, 16), t1, rebias);
    const t3 = carried(i64x2.sub(column(a, b, xs, ys, 24), i64x2.shl(high, 9)), t2, rebias);
    const t4 = carried(column(a, b, xs, ys, 32), t3, rebias);
    const t5 = carried(column(a, b, xs, ys, 40), t4, rebias);
    const t6 = carried(i64x2.sub(column(a, b, xs, ys, 48), i64x2.shl(high, 18)), t5, rebias);
    const t7 = carried(i64x2.add(column(a, b, xs, ys, 56), i64x2.shl(high, 21)), t6, rebias);
    const top = carried(v128.and(t8, i64x2.splat(0xffffff)), t7, i64x2.splat(-CARRIED_BIAS));
    v128.store(d, lowHalves(v128.and(t0, mask), v128.and(t1, mask)), 0);
    v128.store(d, lowHalves(v128.and(t2, mask), v128.and(t3, mask)), 16);
    v128.store(d, lowHalves(v128.and(t4, mask), v128.and(t5, mask)), 32);
    v128.store(d, lowHalves(v128.and(t6, mask), v128.and(t7, mask)), 48);
    v128.store64_lane(d, lowHalves(top, top), 0, 64);
  } else {
    combineLane(d, a, <i64>(<i32>x), b, <i64>(<i32>y));
    combineLane(d + 4, a + 4, x >> 32, b + 4, y >> 32);
  }
}

/** [a0 a1 - -], [b0 b1 - -] → [a0 a1 b0 b1]: limbs i and i + 1 as they lie in a pair. */
function adjacent(a: v128, b: v128): v128 {
  return i64x2.shuffle(a, b, 0, 2);
}

/** The same from lanes of 64 bits. */
function lowHalves(a: v128, b: v128): v128 {
  return i32x4.shuffle(a, b, 0, 2, 4, 6);
}

/** x·a + y·b for the limbs at byte `at`. */
function column(a: usize, b: usize, xs: v128, ys: v128, at: usize): v128 {
  return i64x2.add(
    i64x2.extmul_low_i32x4_s(v128.load64_zero(a + at), xs),
    i64x2.extmul_low_i32x4_s(v128.load64_zero(b + at), ys),
  );
}

/** The column with what the one below carries. */
function carried(t: v128, below: v128, rebias: v128): v128 {
  return i64x2.add(i64x2.add(t, i64x2.shr_u(below, 29)), rebias);
}

/** One lane of pairCombine. */
function combineLane(d: usize, a: usize, x: i64, b: usize, y: i64): void {
  const top = x * <i64>load<i32>(a, 64) + y * <i64>load<i32>(b, 64);
  const high = top >> 24;
  let t: i64 = 0;
  for (let i: usize = 0; i < 64; i += 8) {
    t = (t >> 29) + x * <i64>load<i32>(a + i) + y * <i64>load<i32>(b + i);
    if (i == 0) t += high;
    else if (i == 24) t -= high << 9;
    else if (i == 48) t -= high << 18;
    else if (i == 56) t += high << 21;
    store<i32>(d + i, <i32>(t & LIMB_MASK));
  }
  store<i32>(d, <i32>((top & 0xffffff) + (t >> 29)), 64);
}
