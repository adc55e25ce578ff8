/** Arithmetic on one point of P-256 in Jacobian coordinates, (X : Y : Z) = (X/Z², Y/Z³), with the multiplications of each
 *  operation made two at a time (p256-pair-field.ts): a doubling ("dbl-2001-b", a = -3) takes 4 such pairs, an addition
 *  ("add-1998-cmo-2") 7, one of an affine point 6. Timing: constant. Allocates nothing; scratch is left to the caller.
 *
 *  A point is the pairs (X, X) and (Y, Z): X and Z tight, Y possibly a difference of tight elements. Infinity is Z = 0, all
 *  of its limbs zero. A summand is never infinity: an affine one is the pair (X, Y), a ready one also (Z², Z³), (Y, Z).
 *
 *  Doubling is complete: no point has Y = 0, infinity stays infinity. An addition is wrong where a summand is infinity or
 *  H = 0, that is where both have the same x; it has two halves so that the caller may look at H in between. */
import { FIELD_BYTES, FIELD_ONE } from "./p256-field";
import {
  PAIR_BYTES,
  coefficients,
  pairCombineLanes,
  pairInterleave,
  pairMul,
  pairSplit,
  pairSqr,
  pairSub,
  pairTighten,
} from "./p256-pair-field";
import { pairFirstSecond, pairFirsts, pairSecondFirst, pairSeconds } from "./p256-pair-pick";

export const POINT_BYTES: usize = 2 * PAIR_BYTES;
export const READY_BYTES: usize = 3 * PAIR_BYTES;
/** Where (Y, Z) and (Z², Z³) lie. */
export const POINT_YZ: usize = PAIR_BYTES;
export const READY_ZZ: usize = PAIR_BYTES;
export const READY_YZ: usize = 2 * PAIR_BYTES;

/** All scratch, for those who wipe it. */
export const POINT_SCRATCH: usize = memory.data(720);
export const POINT_SCRATCH_BYTES: i32 = 720;
const A: usize = POINT_SCRATCH;
const B: usize = A + PAIR_BYTES;
const C: usize = B + PAIR_BYTES;
/** Of an addition: (U1, S1), (·, Z1·Z2), (U2, Z1³), (H, R), (H², S2), (V, H³), (R², Z3). */
const US: usize = C + PAIR_BYTES;
const ZZ: usize = US + PAIR_BYTES;
const UZ: usize = ZZ + PAIR_BYTES;
/** (H, R), for who looks at them between the halves of an addition. */
export const POINT_HR: usize = UZ + PAIR_BYTES;
const HS: usize = POINT_HR + PAIR_BYTES;
const VH: usize = HS + PAIR_BYTES;
const RZ: usize = VH + PAIR_BYTES;

/** p of an affine point: x, y, two elements one after the other. */
export function pointFromAffine(p: usize, affine: usize): void {
  pairInterleave(p, affine, affine);
  pairInterleave(p + POINT_YZ, affine + FIELD_BYTES, FIELD_ONE);
}

/** X, Y, Z, three elements one after another. */
export function pointToJacobian(d: usize, p: usize): void {
  pairSplit(d, d + FIELD_BYTES, p);
  pairSplit(d + FIELD_BYTES, d + 2 * FIELD_BYTES, p + POINT_YZ);
}

/** Makes a ready summand of p, which is not infinity. */
export function pointReady(ready: usize, p: usize): void {
  pairFirsts(ready, p, p + POINT_YZ);
  memory.copy(ready + READY_YZ, p + POINT_YZ, PAIR_BYTES);
  pairSeconds(A, p + POINT_YZ, p + POINT_YZ);
  pairSqr(B, A);
  pairMul(A, A, B);
  pairFirsts(ready + READY_ZZ, B, A);
}

/** p = 2p. γ = Y², δ = Z², β = X·γ, α = (X - δ)(X + δ); X3 = 9α² - 8β, Y3 = 3α(4β - X3) - 8γ², Z3 = 2YZ. */
export function pointDouble(p: usize): void {
  pairSqr(C, p + POINT_YZ); // γ, δ
  sumAndDifference(A, B, p, C);
  pairMul(B, A, B); // β, α
  pairFirstSecond(A, C, B);
  pairSqr(C, A); // γ², α²
  alphaAndTwiceY(UZ, B, p + POINT_YZ);
  pairSeconds(A, C, C);
  pairFirsts(B, B, B);
  pairCombineLanes(A, A, coefficients(9, -9), B, coefficients(-8, 12)); // X3, 4β - X3
  pairFirsts(p, A, A);
  pairSeconds(A, A, p + POINT_YZ);
  pairMul(A, UZ, A); // α(4β - X3), Z3
  pairCombineLanes(p + POINT_YZ, A, coefficients(3, 1), C, coefficients(-8, 0));
}

/** d = (X, X - δ), e = (γ, X + δ). */
function sumAndDifference(d: usize, e: usize, xx: usize, gammaDelta: usize): void {
  if (ASC_FEATURE_SIMD) {
    const second = i64x2.splat(0xffffffff00000000);
    for (let i: usize = 0; i < 64; i += 16) {
      const x = v128.load(xx + i);
      const gd = v128.load(gammaDelta + i);
      v128.store(d + i, i32x4.sub(x, v128.and(gd, second)));
      v128.store(e + i, i32x4.add(gd, v128.and(x, second)));
    }
    const x = v128.load64_zero(xx, 64);
    const gd = v128.load64_zero(gammaDelta, 64);
    v128.store64_lane(d, i32x4.sub(x, v128.and(gd, second)), 0, 64);
    v128.store64_lane(e, i32x4.add(gd, v128.and(x, second)), 0, 64);
  } else {
    for (let i: usize = 0; i < PAIR_BYTES; i += 8) {
      const x = load<i32>(xx + i);
      const delta = load<i32>(gammaDelta + i, 4);
      store<i32>(d + i, x, 0);
      store<i32>(d + i, x - delta, 4);
      store<i32>(e + i, load<i32>(gammaDelta + i), 0);
      store<i32>(e + i, x + delta, 4);
    }
  }
}

/** d = (α, 2Y). */
function alphaAndTwiceY(d: usize, betaAlpha: usize, yz: usize): void {
  pairSecondFirst(d, betaAlpha, yz);
  if (ASC_FEATURE_SIMD) {
    const shifts = i64x2.splat(0xffffffff00000000);
    for (let i: usize = 0; i < 64; i += 16) {
      const v = v128.load(d + i);
      v128.store(d + i, i32x4.add(v, v128.and(v, shifts)));
    }
    const v = v128.load64_zero(d, 64);
    v128.store64_lane(d, i32x4.add(v, v128.and(v, shifts)), 0, 64);
  } else {
    for (let i: usize = 4; i < PAIR_BYTES; i += 8) store<i32>(d + i, load<i32>(d + i) << 1);
  }
}

/** The first half of p + q or, where the mask `negate` is -1 instead of 0, p - q; q is ready. */
export function pointAddStart(p: usize, q: usize, negate: i32): void {
  pairFirsts(A, p, p + POINT_YZ);
  pairMul(US, A, q + READY_ZZ);
  pairSeconds(A, p + POINT_YZ, p + POINT_YZ);
  pairSeconds(B, p + POINT_YZ, q + READY_YZ);
  pairMul(ZZ, A, B);
  pairFirsts(A, ZZ, ZZ);
  differences(p, q, negate);
}

/** The same for an affine q. */
export function pointAddAffineStart(p: usize, q: usize, negate: i32): void {
  pairFirsts(US, p, p + POINT_YZ);
  pairSeconds(A, p + POINT_YZ, p + POINT_YZ);
  memory.copy(ZZ, p + POINT_YZ, PAIR_BYTES);
  pairSqr(A, A);
  differences(p, q, negate);
  pairTighten(POINT_HR, POINT_HR); // S1 is Y as it is, which need not be tight.
}

/** U2 = X2·Z1², S2 = Y2·Z1³, H = U2 - U1, R = S2 - S1; A = (Z1², Z1²). */
function differences(p: usize, q: usize, negate: i32): void {
  pairFirstSecond(B, q, p + POINT_YZ);
  pairMul(UZ, A, B);
  pairSub(POINT_HR, UZ, US);
  pairFirstSecond(A, POINT_HR, UZ);
  pairFirstSecond(B, POINT_HR, q);
  negateSecond(B, negate);
  pairMul(HS, A, B);
  pairSub(A, HS, US);
  pairFirstSecond(POINT_HR, POINT_HR, A);
}

/** The second half: X3 = R² - H³ - 2V with V = U1·H², Y3 = R(V - X3) - S1·H³, Z3 = Z1·Z2·H. */
export function pointAddFinish(p: usize): void {
  pairFirsts(A, HS, HS);
  pairFirsts(B, US, POINT_HR);
  pairMul(VH, A, B);
  pairSeconds(A, POINT_HR, ZZ);
  pairSecondFirst(B, POINT_HR, POINT_HR);
  pairMul(RZ, A, B);
  pairFirsts(A, VH, VH);
  pairSeconds(B, VH, VH);
  pairFirsts(C, RZ, RZ);
  pairSub(C, C, B);
  pairSub(C, C, A);
  pairSub(C, C, A);
  pairTighten(p, C); // X3, X3
  pairSub(B, A, p);
  pairFirstSecond(B, B, VH);
  pairSeconds(A, POINT_HR, US);
  pairMul(A, A, B); // R(V - X3), S1·H³
  pairSeconds(B, A, A);
  pairSub(A, A, B);
  pairFirstSecond(p + POINT_YZ, A, RZ);
}

/** The second of the pair becomes its negative where the mask is -1. */
function negateSecond(d: usize, negate: i32): void {
  if (ASC_FEATURE_SIMD) {
    const mask = i64x2.splat((<i64>negate) << 32);
    for (let i: usize = 0; i < 64; i += 16) v128.store(d + i, i32x4.sub(v128.xor(v128.load(d + i), mask), mask));
    v128.store64_lane(d, i32x4.sub(v128.xor(v128.load64_zero(d, 64), mask), mask), 0, 64);
  } else {
    for (let i: usize = 4; i < PAIR_BYTES; i += 8) store<i32>(d + i, (load<i32>(d + i) ^ negate) - negate);
  }
}
