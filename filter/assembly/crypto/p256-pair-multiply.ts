/** Two independent multiplications or squarings modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1 at once, in the two lanes of
 *  SIMD registers: the column-by-column Montgomery reduction of p256-field-multiply.ts, R = 2^261. The multiplication is
 *  Karatsuba's in three parts of three limbs (Weimerskirch and Paar 2006): 54 products in place of 81. See p256-pair-columns.ts
 *  for the lanes.
 *
 *  Operands: as for fieldMul, limbs of at most A·2^29 and B·2^29 (less A and B) in magnitude, A·B <= 3, values whose
 *  product is at most 2^517; and A, B <= 2, because sums of two limbs must fit an i32. Results are tight.
 *  The destination may be an operand. Cost in V8: 1.05 of fieldMul for two. Timing: constant. Allocates nothing. */
import { wipe } from "../bytes/wipe";
import { fieldMul, fieldSqr } from "./p256-field-multiply";
import {
  add,
  add3,
  add4,
  clear1,
  clear2,
  clear3,
  clear4,
  first,
  last,
  late1,
  late2,
  late3,
  low29,
  next,
  product,
  store1,
  store2,
  sub,
} from "./p256-pair-columns";
import { pairInterleave, pairSplit } from "./p256-pair-lanes";

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
  const x011 = i32x4.add(a1, a4);
  const x012 = i32x4.add(a2, a5);
  const x020 = i32x4.add(a0, a6);
  const x021 = i32x4.add(a1, a7);
  const x022 = i32x4.add(a2, a8);
  const x120 = i32x4.add(a3, a6);
  const x121 = i32x4.add(a4, a7);
  const x122 = i32x4.add(a5, a8);
  const y010 = i32x4.add(b0, b3);
  const y011 = i32x4.add(b1, b4);
  const y012 = i32x4.add(b2, b5);
  const y020 = i32x4.add(b0, b6);
  const y021 = i32x4.add(b1, b7);
  const y022 = i32x4.add(b2, b8);
  const y120 = i32x4.add(b3, b6);
  const y121 = i32x4.add(b4, b7);
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
  const q10 = sub(product(x010, y010), add(p00, p10));
  const q20 = sub(add(product(x020, y020), p10), add(p00, p20));
  const q30 = sub(product(x120, y120), add(p10, p20));
  const q11 = sub(add(product(x010, y011), product(x011, y010)), add(p01, p11));
  const q21 = sub(add(add(product(x020, y021), product(x021, y020)), p11), add(p01, p21));
  const q31 = sub(add(product(x120, y121), product(x121, y120)), add(p11, p21));
  const q12 = sub(add3(product(x010, y012), product(x011, y011), product(x012, y010)), add(p02, p12));
  const q22 = sub(add(add3(product(x020, y022), product(x021, y021), product(x022, y020)), p12), add(p02, p22));
  const q32 = sub(add3(product(x120, y122), product(x121, y121), product(x122, y120)), add(p12, p22));
  const q13 = sub(add(product(x011, y012), product(x012, y011)), add(p03, p13));
  const q23 = sub(add(add(product(x021, y022), product(x022, y021)), p13), add(p03, p23));
  const q33 = sub(add(product(x121, y122), product(x122, y121)), add(p13, p23));
  const q14 = sub(product(x012, y012), add(p04, p14));
  const q24 = sub(add(product(x022, y022), p14), add(p04, p24));
  const q34 = sub(product(x122, y122), add(p14, p24));
  let t = add(p00, first());
  const m0 = low29(t);
  t = add(p01, next(t));
  const m1 = low29(t);
  t = add(p02, next(t));
  const m2 = low29(t);
  t = add(clear1(add(p03, q10), m0), next(t));
  const m3 = low29(t);
  t = add(clear1(add(p04, q11), m1), next(t));
  const m4 = low29(t);
  t = add(clear1(q12, m2), next(t));
  const m5 = low29(t);
  t = add(clear2(add(q13, q20), m3, m0), next(t));
  const m6 = low29(t);
  t = add(clear3(add(q14, q21), m4, m1, m0), next(t));
  const m7 = low29(t);
  t = add(clear4(q22, m5, m2, m1, m0), next(t));
  const m8 = low29(t);
  t = add(clear4(add(q23, q30), m6, m3, m2, m1), next(t));
  const r0 = low29(t);
  t = add(clear4(add(q24, q31), m7, m4, m3, m2), next(t));
  const r1 = low29(t);
  t = add(clear4(q32, m8, m5, m4, m3), next(t));
  const r2 = low29(t);
  t = add(late3(add(q33, p20), m6, m5, m4), next(t));
  const r3 = low29(t);
  t = add(late3(add(q34, p21), m7, m6, m5), next(t));
  const r4 = low29(t);
  t = add(late3(p22, m8, m7, m6), next(t));
  const r5 = low29(t);
  t = add(late2(p23, m8, m7), next(t));
  const r6 = low29(t);
  t = add(late1(p24, m8), next(t));
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
  let t = add(product(a0, a0), first());
  const m0 = low29(t);
  t = add(product(e0, a1), next(t));
  const m1 = low29(t);
  t = add(add(product(e0, a2), product(a1, a1)), next(t));
  const m2 = low29(t);
  t = add(clear1(add(product(e0, a3), product(e1, a2)), m0), next(t));
  const m3 = low29(t);
  t = add(clear1(add3(product(e0, a4), product(e1, a3), product(a2, a2)), m1), next(t));
  const m4 = low29(t);
  t = add(clear1(add3(product(e0, a5), product(e1, a4), product(e2, a3)), m2), next(t));
  const m5 = low29(t);
  t = add(clear2(add4(product(e0, a6), product(e1, a5), product(e2, a4), product(a3, a3)), m3, m0), next(t));
  const m6 = low29(t);
  t = add(clear3(add4(product(e0, a7), product(e1, a6), product(e2, a5), product(e3, a4)), m4, m1, m0), next(t));
  const m7 = low29(t);
  t = add(
    clear4(
      add4(product(e0, a8), product(e1, a7), product(e2, a6), add(product(e3, a5), product(a4, a4))),
      m5,
      m2,
      m1,
      m0,
    ),
    next(t),
  );
  const m8 = low29(t);
  t = add(clear4(add4(product(e1, a8), product(e2, a7), product(e3, a6), product(e4, a5)), m6, m3, m2, m1), next(t));
  const r0 = low29(t);
  t = add(clear4(add4(product(e2, a8), product(e3, a7), product(e4, a6), product(a5, a5)), m7, m4, m3, m2), next(t));
  const r1 = low29(t);
  t = add(clear4(add3(product(e3, a8), product(e4, a7), product(e5, a6)), m8, m5, m4, m3), next(t));
  const r2 = low29(t);
  t = add(late3(add3(product(e4, a8), product(e5, a7), product(a6, a6)), m6, m5, m4), next(t));
  const r3 = low29(t);
  t = add(late3(add(product(e5, a8), product(e6, a7)), m7, m6, m5), next(t));
  const r4 = low29(t);
  t = add(late3(add(product(e6, a8), product(a7, a7)), m8, m7, m6), next(t));
  const r5 = low29(t);
  t = add(late2(product(e7, a8), m8, m7), next(t));
  const r6 = low29(t);
  t = add(late1(product(a8, a8), m8), next(t));
  const r7 = low29(t);
  store2(d + 0, r0, r1);
  store2(d + 16, r2, r3);
  store2(d + 32, r4, r5);
  store2(d + 48, r6, r7);
  store1(d + 64, last(t));
}
