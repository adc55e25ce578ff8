/** Two independent multiplications or squarings modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1 at once, in the two lanes of
 *  SIMD registers: the column-by-column Montgomery reduction of p256-field-multiply.ts, R = 2^261. The multiplication is
 *  Karatsuba's in three parts of three limbs (Weimerskirch and Paar 2006): 54 products in place of 81. There being no
 *  cheap signed shift of 64-bit lanes, columns carry a bias of 2^63 and are shifted as unsigned numbers.
 *
 *  Operands: as for fieldMul, limbs of at most A·2^29 and B·2^29 (less A and B) in magnitude, A·B <= 3, values whose
 *  product is at most 2^517; and A, B <= 2, because sums of two limbs must fit an i32. Results are tight.
 *  The destination may be an operand. Cost in V8: 1.05 of fieldMul for two. Timing: constant. Allocates nothing. */
import { wipe } from "../bytes/wipe";
import { fieldMul, fieldSqr } from "./p256-field-multiply";
import { pairInterleave, pairSplit } from "./p256-pair-lanes";

const MASK: i64 = 0x1fffffff;
const BIAS: i64 = i64.MIN_VALUE;
/** What is left of the bias after a shift by 29, and what makes it whole again. */
const CARRIED_BIAS: i64 = 1 << 34;
const REBIAS: i64 = BIAS - CARRIED_BIAS;

const A0: usize = memory.data(36);
const A1: usize = memory.data(36);
const B0: usize = memory.data(36);
const B1: usize = memory.data(36);

/** d = a · b / R in both lanes. */
export function pairMul(d: usize, a: usize, b: usize): void {
  if (ASC_FEATURE_SIMD) return multiplyInLanes(d, a, b);
  pairSplit(A0, A1, a);
  pairSplit(B0, B1, b);
  fieldMul(A0, A0, B0);
  fieldMul(A1, A1, B1);
  pairInterleave(d, A0, A1);
  wipeScratch();
}

/** d = a² / R in both lanes. */
export function pairSqr(d: usize, a: usize): void {
  if (ASC_FEATURE_SIMD) return squareInLanes(d, a);
  pairSplit(A0, A1, a);
  fieldSqr(A0, A0);
  fieldSqr(A1, A1);
  pairInterleave(d, A0, A1);
  wipeScratch();
}

function wipeScratch(): void {
  wipe(A0, 36);
  wipe(A1, 36);
  wipe(B0, 36);
  wipe(B1, 36);
}

function multiplyInLanes(d: usize, a: usize, b: usize): void {
  const a0 = v128.load64_zero(a, 0);
  const a1 = v128.load64_zero(a, 8);
  const a2 = v128.load64_zero(a, 16);
  const a3 = v128.load64_zero(a, 24);
  const a4 = v128.load64_zero(a, 32);
  const a5 = v128.load64_zero(a, 40);
  const a6 = v128.load64_zero(a, 48);
  const a7 = v128.load64_zero(a, 56);
  const a8 = v128.load64_zero(a, 64);
  const b0 = v128.load64_zero(b, 0);
  const b1 = v128.load64_zero(b, 8);
  const b2 = v128.load64_zero(b, 16);
  const b3 = v128.load64_zero(b, 24);
  const b4 = v128.load64_zero(b, 32);
  const b5 = v128.load64_zero(b, 40);
  const b6 = v128.load64_zero(b, 48);
  const b7 = v128.load64_zero(b, 56);
  const b8 = v128.load64_zero(b, 64);
  const x010 = i32x4.add(a0, a3);
  const y010 = i32x4.add(b0, b3);
  const x011 = i32x4.add(a1, a4);
  const y011 = i32x4.add(b1, b4);
  const x012 = i32x4.add(a2, a5);
  const y012 = i32x4.add(b2, b5);
  const x020 = i32x4.add(a0, a6);
  const y020 = i32x4.add(b0, b6);
  const x021 = i32x4.add(a1, a7);
  const y021 = i32x4.add(b1, b7);
  const x022 = i32x4.add(a2, a8);
  const y022 = i32x4.add(b2, b8);
  const x120 = i32x4.add(a3, a6);
  const y120 = i32x4.add(b3, b6);
  const x121 = i32x4.add(a4, a7);
  const y121 = i32x4.add(b4, b7);
  const x122 = i32x4.add(a5, a8);
  const y122 = i32x4.add(b5, b8);
  const p00 = product(a0, b0);
  const p01 = add(product(a0, b1), product(a1, b0));
  const p02 = add3(product(a0, b2), product(a1, b1), product(a2, b0));
  const p03 = add(product(a1, b2), product(a2, b1));
  const p04 = product(a2, b2);
  const p10 = product(a3, b3);
  const p11 = add(product(a3, b4), product(a4, b3));
  const p12 = add3(product(a3, b5), product(a4, b4), product(a5, b3));
  const p13 = add(product(a4, b5), product(a5, b4));
  const p14 = product(a5, b5);
  const p20 = product(a6, b6);
  const p21 = add(product(a6, b7), product(a7, b6));
  const p22 = add3(product(a6, b8), product(a7, b7), product(a8, b6));
  const p23 = add(product(a7, b8), product(a8, b7));
  const p24 = product(a8, b8);
  const w0 = sub(p10, p00);
  const q10 = sub(product(x010, y010), add(p00, p10));
  const q20 = sub(add(product(x020, y020), w0), p20);
  const q30 = sub(product(x120, y120), add(p10, p20));
  const w1 = sub(p11, p01);
  const q11 = sub(add(product(x010, y011), product(x011, y010)), add(p01, p11));
  const q21 = sub(add(add(product(x020, y021), product(x021, y020)), w1), p21);
  const q31 = sub(add(product(x120, y121), product(x121, y120)), add(p11, p21));
  const w2 = sub(p12, p02);
  const q12 = sub(add3(product(x010, y012), product(x011, y011), product(x012, y010)), add(p02, p12));
  const q22 = sub(add(add3(product(x020, y022), product(x021, y021), product(x022, y020)), w2), p22);
  const q32 = sub(add3(product(x120, y122), product(x121, y121), product(x122, y120)), add(p12, p22));
  const w3 = sub(p13, p03);
  const q13 = sub(add(product(x011, y012), product(x012, y011)), add(p03, p13));
  const q23 = sub(add(add(product(x021, y022), product(x022, y021)), w3), p23);
  const q33 = sub(add(product(x121, y122), product(x122, y121)), add(p13, p23));
  const w4 = sub(p14, p04);
  const q14 = sub(product(x012, y012), add(p04, p14));
  const q24 = sub(add(product(x022, y022), w4), p24);
  const q34 = sub(product(x122, y122), add(p14, p24));
  let t: v128;
  t = add(p00, i64x2.splat(BIAS));
  const m0 = low29(t);
  t = add(p01, next(t));
  const m1 = low29(t);
  t = add(p02, next(t));
  const m2 = low29(t);
  t = add(add3(p03, q10, i64x2.shl(m0, 9)), next(t));
  const m3 = low29(t);
  t = add(add3(p04, q11, i64x2.shl(m1, 9)), next(t));
  const m4 = low29(t);
  t = add3(q12, i64x2.shl(m2, 9), next(t));
  const m5 = low29(t);
  t = add(add(add3(q13, q20, i64x2.shl(m3, 9)), i64x2.shl(m0, 18)), next(t));
  const m6 = low29(t);
  t = sub(add(add(add3(q14, q21, i64x2.shl(m4, 9)), i64x2.shl(m1, 18)), next(t)), i64x2.shl(m0, 21));
  const m7 = low29(t);
  t = sub(add(add(add3(q22, i64x2.shl(m5, 9), i64x2.shl(m2, 18)), i64x2.shl(m0, 24)), next(t)), i64x2.shl(m1, 21));
  const m8 = low29(t);
  t = sub(
    add(add(add(add3(q23, q30, i64x2.shl(m6, 9)), i64x2.shl(m3, 18)), i64x2.shl(m1, 24)), next(t)),
    i64x2.shl(m2, 21),
  );
  const r0 = low29(t);
  t = sub(
    add(add(add(add3(q24, q31, i64x2.shl(m7, 9)), i64x2.shl(m4, 18)), i64x2.shl(m2, 24)), next(t)),
    i64x2.shl(m3, 21),
  );
  const r1 = low29(t);
  t = sub(add(add(add3(q32, i64x2.shl(m8, 9), i64x2.shl(m5, 18)), i64x2.shl(m3, 24)), next(t)), i64x2.shl(m4, 21));
  const r2 = low29(t);
  t = sub(add(add(add3(q33, p20, i64x2.shl(m6, 18)), i64x2.shl(m4, 24)), next(t)), i64x2.shl(m5, 21));
  const r3 = low29(t);
  t = sub(add(add(add3(q34, p21, i64x2.shl(m7, 18)), i64x2.shl(m5, 24)), next(t)), i64x2.shl(m6, 21));
  const r4 = low29(t);
  t = sub(add(add3(p22, i64x2.shl(m8, 18), i64x2.shl(m6, 24)), next(t)), i64x2.shl(m7, 21));
  const r5 = low29(t);
  t = sub(add3(p23, i64x2.shl(m7, 24), next(t)), i64x2.shl(m8, 21));
  const r6 = low29(t);
  t = add3(p24, i64x2.shl(m8, 24), next(t));
  const r7 = low29(t);
  store2(d + 0, r0, r1);
  store2(d + 16, r2, r3);
  store2(d + 32, r4, r5);
  store2(d + 48, r6, r7);
  store1(d + 64, last(t));
}

function squareInLanes(d: usize, a: usize): void {
  const a0 = v128.load64_zero(a, 0);
  const a1 = v128.load64_zero(a, 8);
  const a2 = v128.load64_zero(a, 16);
  const a3 = v128.load64_zero(a, 24);
  const a4 = v128.load64_zero(a, 32);
  const a5 = v128.load64_zero(a, 40);
  const a6 = v128.load64_zero(a, 48);
  const a7 = v128.load64_zero(a, 56);
  const a8 = v128.load64_zero(a, 64);
  const e0 = i32x4.add(a0, a0);
  const e1 = i32x4.add(a1, a1);
  const e2 = i32x4.add(a2, a2);
  const e3 = i32x4.add(a3, a3);
  const e4 = i32x4.add(a4, a4);
  const e5 = i32x4.add(a5, a5);
  const e6 = i32x4.add(a6, a6);
  const e7 = i32x4.add(a7, a7);
  let t: v128;
  t = add(product(a0, a0), i64x2.splat(BIAS));
  const m0 = low29(t);
  t = add(product(e0, a1), next(t));
  const m1 = low29(t);
  t = add3(product(e0, a2), product(a1, a1), next(t));
  const m2 = low29(t);
  t = add(add3(product(e0, a3), product(e1, a2), i64x2.shl(m0, 9)), next(t));
  const m3 = low29(t);
  t = add(add(add3(product(e0, a4), product(e1, a3), product(a2, a2)), i64x2.shl(m1, 9)), next(t));
  const m4 = low29(t);
  t = add(add(add3(product(e0, a5), product(e1, a4), product(e2, a3)), i64x2.shl(m2, 9)), next(t));
  const m5 = low29(t);
  t = add(
    add(
      add(add(add3(product(e0, a6), product(e1, a5), product(e2, a4)), product(a3, a3)), i64x2.shl(m3, 9)),
      i64x2.shl(m0, 18),
    ),
    next(t),
  );
  const m6 = low29(t);
  t = sub(
    add(
      add(
        add(add(add3(product(e0, a7), product(e1, a6), product(e2, a5)), product(e3, a4)), i64x2.shl(m4, 9)),
        i64x2.shl(m1, 18),
      ),
      next(t),
    ),
    i64x2.shl(m0, 21),
  );
  const m7 = low29(t);
  t = sub(
    add(
      add(
        add(
          add(
            add(add(add3(product(e0, a8), product(e1, a7), product(e2, a6)), product(e3, a5)), product(a4, a4)),
            i64x2.shl(m5, 9),
          ),
          i64x2.shl(m2, 18),
        ),
        i64x2.shl(m0, 24),
      ),
      next(t),
    ),
    i64x2.shl(m1, 21),
  );
  const m8 = low29(t);
  t = sub(
    add(
      add(
        add(
          add(add(add3(product(e1, a8), product(e2, a7), product(e3, a6)), product(e4, a5)), i64x2.shl(m6, 9)),
          i64x2.shl(m3, 18),
        ),
        i64x2.shl(m1, 24),
      ),
      next(t),
    ),
    i64x2.shl(m2, 21),
  );
  const r0 = low29(t);
  t = sub(
    add(
      add(
        add(
          add(add(add3(product(e2, a8), product(e3, a7), product(e4, a6)), product(a5, a5)), i64x2.shl(m7, 9)),
          i64x2.shl(m4, 18),
        ),
        i64x2.shl(m2, 24),
      ),
      next(t),
    ),
    i64x2.shl(m3, 21),
  );
  const r1 = low29(t);
  t = sub(
    add(
      add(
        add(add(add3(product(e3, a8), product(e4, a7), product(e5, a6)), i64x2.shl(m8, 9)), i64x2.shl(m5, 18)),
        i64x2.shl(m3, 24),
      ),
      next(t),
    ),
    i64x2.shl(m4, 21),
  );
  const r2 = low29(t);
  t = sub(
    add(
      add(add(add3(product(e4, a8), product(e5, a7), product(a6, a6)), i64x2.shl(m6, 18)), i64x2.shl(m4, 24)),
      next(t),
    ),
    i64x2.shl(m5, 21),
  );
  const r3 = low29(t);
  t = sub(
    add(add(add3(product(e5, a8), product(e6, a7), i64x2.shl(m7, 18)), i64x2.shl(m5, 24)), next(t)),
    i64x2.shl(m6, 21),
  );
  const r4 = low29(t);
  t = sub(
    add(add(add3(product(e6, a8), product(a7, a7), i64x2.shl(m8, 18)), i64x2.shl(m6, 24)), next(t)),
    i64x2.shl(m7, 21),
  );
  const r5 = low29(t);
  t = sub(add3(product(e7, a8), i64x2.shl(m7, 24), next(t)), i64x2.shl(m8, 21));
  const r6 = low29(t);
  t = add3(product(a8, a8), i64x2.shl(m8, 24), next(t));
  const r7 = low29(t);
  store2(d + 0, r0, r1);
  store2(d + 16, r2, r3);
  store2(d + 32, r4, r5);
  store2(d + 48, r6, r7);
  store1(d + 64, last(t));
}

function product(a: v128, b: v128): v128 {
  return i64x2.extmul_low_i32x4_s(a, b);
}

function add(a: v128, b: v128): v128 {
  return i64x2.add(a, b);
}

function add3(a: v128, b: v128, c: v128): v128 {
  return i64x2.add(i64x2.add(a, b), c);
}

function sub(a: v128, b: v128): v128 {
  return i64x2.sub(a, b);
}

function twice(a: v128): v128 {
  return i64x2.add(a, a);
}

/** The limb that a column leaves. */
function low29(t: v128): v128 {
  return v128.and(t, i64x2.splat(MASK));
}

/** What a column carries to the next, biased again. */
function next(t: v128): v128 {
  return i64x2.add(i64x2.shr_u(t, 29), i64x2.splat(REBIAS));
}

/** What the last column carries, which is the top limb. */
function last(t: v128): v128 {
  return i64x2.sub(i64x2.shr_u(t, 29), i64x2.splat(CARRIED_BIAS));
}

/** Stores the low halves of both lanes: limb i of both. */
function store1(d: usize, a: v128): void {
  v128.store64_lane(d, i32x4.shuffle(a, a, 0, 2, 0, 2), 0);
}

/** The same for limbs i and i + 1. */
function store2(d: usize, a: v128, b: v128): void {
  v128.store(d, i32x4.shuffle(a, b, 0, 2, 4, 6));
}
