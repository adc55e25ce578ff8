/** What an addition of points makes of products, each with one reduction, for two additions at once: the multiplication and
 *  reduction are those of p256-pair-multiply.ts. For points that are public: without SIMD, scratch is
 *  not wiped. Any operand may be the destination. Timing: constant. Allocates nothing. */
import { fieldCombine, fieldMul, fieldSqr, fieldSub } from "./p256-field";
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

const A: usize = memory.data(72);
const B: usize = memory.data(72);
const C: usize = memory.data(72);
const E: usize = memory.data(72);
/** The second of two split elements. */
const SECOND: usize = 36;

/** d = (a · b - c · e) / R in both lanes; limbs of a, b, c, e below 2^29 in magnitude, values of both products together at
 *  most 2^517. The result is tight. */
export function pairMulSub(d: usize, a: usize, b: usize, c: usize, e: usize): void {
  if (ASC_FEATURE_SIMD) return mulSubInLanes(d, a, b, c, e);
  pairSplit(A, A + SECOND, a);
  pairSplit(B, B + SECOND, b);
  pairSplit(C, C + SECOND, c);
  pairSplit(E, E + SECOND, e);
  for (let lane: usize = 0; lane <= SECOND; lane += SECOND) {
    fieldMul(A + lane, A + lane, B + lane);
    fieldMul(C + lane, C + lane, E + lane);
    fieldCombine(A + lane, A + lane, 1, C + lane, -1);
  }
  pairInterleave(d, A, A + SECOND);
}

/** d = a² / R - b - 2c in both lanes; limbs of a below 2^29 in magnitude, b and c tight. The limbs of the result are tight,
 *  its value is not reduced further by the subtraction. */
export function pairSqrSub(d: usize, a: usize, b: usize, c: usize): void {
  if (ASC_FEATURE_SIMD) return sqrSubInLanes(d, a, b, c);
  pairSplit(A, A + SECOND, a);
  pairSplit(B, B + SECOND, b);
  pairSplit(C, C + SECOND, c);
  for (let lane: usize = 0; lane <= SECOND; lane += SECOND) {
    fieldSqr(A + lane, A + lane);
    fieldSub(A + lane, A + lane, B + lane);
    fieldCombine(A + lane, A + lane, 1, C + lane, -2);
  }
  pairInterleave(d, A, A + SECOND);
}

function mulSubInLanes(d: usize, a: usize, b: usize, c: usize, e: usize): void {
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
  const c0 = v128.load64_zero(c, 0);
  const c1 = v128.load64_zero(c, 8);
  const c2 = v128.load64_zero(c, 16);
  const c3 = v128.load64_zero(c, 24);
  const c4 = v128.load64_zero(c, 32);
  const c5 = v128.load64_zero(c, 40);
  const c6 = v128.load64_zero(c, 48);
  const c7 = v128.load64_zero(c, 56);
  const c8 = v128.load64_zero(c, 64);
  const e0 = v128.load64_zero(e, 0);
  const e1 = v128.load64_zero(e, 8);
  const e2 = v128.load64_zero(e, 16);
  const e3 = v128.load64_zero(e, 24);
  const e4 = v128.load64_zero(e, 32);
  const e5 = v128.load64_zero(e, 40);
  const e6 = v128.load64_zero(e, 48);
  const e7 = v128.load64_zero(e, 56);
  const e8 = v128.load64_zero(e, 64);
  const w010 = i32x4.add(a0, a3);
  const w011 = i32x4.add(a1, a4);
  const w012 = i32x4.add(a2, a5);
  const w020 = i32x4.add(a0, a6);
  const w021 = i32x4.add(a1, a7);
  const w022 = i32x4.add(a2, a8);
  const w120 = i32x4.add(a3, a6);
  const w121 = i32x4.add(a4, a7);
  const w122 = i32x4.add(a5, a8);
  const x010 = i32x4.add(b0, b3);
  const x011 = i32x4.add(b1, b4);
  const x012 = i32x4.add(b2, b5);
  const x020 = i32x4.add(b0, b6);
  const x021 = i32x4.add(b1, b7);
  const x022 = i32x4.add(b2, b8);
  const x120 = i32x4.add(b3, b6);
  const x121 = i32x4.add(b4, b7);
  const x122 = i32x4.add(b5, b8);
  const y010 = i32x4.add(c0, c3);
  const y011 = i32x4.add(c1, c4);
  const y012 = i32x4.add(c2, c5);
  const y020 = i32x4.add(c0, c6);
  const y021 = i32x4.add(c1, c7);
  const y022 = i32x4.add(c2, c8);
  const y120 = i32x4.add(c3, c6);
  const y121 = i32x4.add(c4, c7);
  const y122 = i32x4.add(c5, c8);
  const z010 = i32x4.add(e0, e3);
  const z011 = i32x4.add(e1, e4);
  const z012 = i32x4.add(e2, e5);
  const z020 = i32x4.add(e0, e6);
  const z021 = i32x4.add(e1, e7);
  const z022 = i32x4.add(e2, e8);
  const z120 = i32x4.add(e3, e6);
  const z121 = i32x4.add(e4, e7);
  const z122 = i32x4.add(e5, e8);
  const p00 = sub(product(a0, b0), product(c0, e0));
  const p01 = sub(add(product(a0, b1), product(a1, b0)), add(product(c0, e1), product(c1, e0)));
  const p02 = sub(
    add3(product(a0, b2), product(a1, b1), product(a2, b0)),
    add3(product(c0, e2), product(c1, e1), product(c2, e0)),
  );
  const p03 = sub(add(product(a1, b2), product(a2, b1)), add(product(c1, e2), product(c2, e1)));
  const p04 = sub(product(a2, b2), product(c2, e2));
  const p10 = sub(product(a3, b3), product(c3, e3));
  const p11 = sub(add(product(a3, b4), product(a4, b3)), add(product(c3, e4), product(c4, e3)));
  const p12 = sub(
    add3(product(a3, b5), product(a4, b4), product(a5, b3)),
    add3(product(c3, e5), product(c4, e4), product(c5, e3)),
  );
  const p13 = sub(add(product(a4, b5), product(a5, b4)), add(product(c4, e5), product(c5, e4)));
  const p14 = sub(product(a5, b5), product(c5, e5));
  const p20 = sub(product(a6, b6), product(c6, e6));
  const p21 = sub(add(product(a6, b7), product(a7, b6)), add(product(c6, e7), product(c7, e6)));
  const p22 = sub(
    add3(product(a6, b8), product(a7, b7), product(a8, b6)),
    add3(product(c6, e8), product(c7, e7), product(c8, e6)),
  );
  const p23 = sub(add(product(a7, b8), product(a8, b7)), add(product(c7, e8), product(c8, e7)));
  const p24 = sub(product(a8, b8), product(c8, e8));
  const q10 = sub(sub(product(w010, x010), product(y010, z010)), add(p00, p10));
  const q20 = sub(add(sub(product(w020, x020), product(y020, z020)), p10), add(p00, p20));
  const q30 = sub(sub(product(w120, x120), product(y120, z120)), add(p10, p20));
  const q11 = sub(
    sub(add(product(w010, x011), product(w011, x010)), add(product(y010, z011), product(y011, z010))),
    add(p01, p11),
  );
  const q21 = sub(
    add(sub(add(product(w020, x021), product(w021, x020)), add(product(y020, z021), product(y021, z020))), p11),
    add(p01, p21),
  );
  const q31 = sub(
    sub(add(product(w120, x121), product(w121, x120)), add(product(y120, z121), product(y121, z120))),
    add(p11, p21),
  );
  const q12 = sub(
    sub(
      add3(product(w010, x012), product(w011, x011), product(w012, x010)),
      add3(product(y010, z012), product(y011, z011), product(y012, z010)),
    ),
    add(p02, p12),
  );
  const q22 = sub(
    add(
      sub(
        add3(product(w020, x022), product(w021, x021), product(w022, x020)),
        add3(product(y020, z022), product(y021, z021), product(y022, z020)),
      ),
      p12,
    ),
    add(p02, p22),
  );
  const q32 = sub(
    sub(
      add3(product(w120, x122), product(w121, x121), product(w122, x120)),
      add3(product(y120, z122), product(y121, z121), product(y122, z120)),
    ),
    add(p12, p22),
  );
  const q13 = sub(
    sub(add(product(w011, x012), product(w012, x011)), add(product(y011, z012), product(y012, z011))),
    add(p03, p13),
  );
  const q23 = sub(
    add(sub(add(product(w021, x022), product(w022, x021)), add(product(y021, z022), product(y022, z021))), p13),
    add(p03, p23),
  );
  const q33 = sub(
    sub(add(product(w121, x122), product(w122, x121)), add(product(y121, z122), product(y122, z121))),
    add(p13, p23),
  );
  const q14 = sub(sub(product(w012, x012), product(y012, z012)), add(p04, p14));
  const q24 = sub(add(sub(product(w022, x022), product(y022, z022)), p14), add(p04, p24));
  const q34 = sub(sub(product(w122, x122), product(y122, z122)), add(p14, p24));
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

function sqrSubInLanes(d: usize, a: usize, b: usize, c: usize): void {
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
  t = add(
    clear4(
      sub(add4(product(e1, a8), product(e2, a7), product(e3, a6), product(e4, a5)), withTwice(b + 0, c + 0)),
      m6,
      m3,
      m2,
      m1,
    ),
    next(t),
  );
  const r0 = low29(t);
  t = add(
    clear4(
      sub(add4(product(e2, a8), product(e3, a7), product(e4, a6), product(a5, a5)), withTwice(b + 8, c + 8)),
      m7,
      m4,
      m3,
      m2,
    ),
    next(t),
  );
  const r1 = low29(t);
  t = add(
    clear4(sub(add3(product(e3, a8), product(e4, a7), product(e5, a6)), withTwice(b + 16, c + 16)), m8, m5, m4, m3),
    next(t),
  );
  const r2 = low29(t);
  t = add(
    late3(sub(add3(product(e4, a8), product(e5, a7), product(a6, a6)), withTwice(b + 24, c + 24)), m6, m5, m4),
    next(t),
  );
  const r3 = low29(t);
  t = add(late3(sub(add(product(e5, a8), product(e6, a7)), withTwice(b + 32, c + 32)), m7, m6, m5), next(t));
  const r4 = low29(t);
  t = add(late3(sub(add(product(e6, a8), product(a7, a7)), withTwice(b + 40, c + 40)), m8, m7, m6), next(t));
  const r5 = low29(t);
  t = add(late2(sub(product(e7, a8), withTwice(b + 48, c + 48)), m8, m7), next(t));
  const r6 = low29(t);
  t = add(late1(sub(product(a8, a8), withTwice(b + 56, c + 56)), m8), next(t));
  const r7 = low29(t);
  store2(d + 0, r0, r1);
  store2(d + 16, r2, r3);
  store2(d + 32, r4, r5);
  store2(d + 48, r6, r7);
  store1(d + 64, sub(last(t), withTwice(b + 64, c + 64)));
}

/** The limbs at b and twice those at c, as numbers of 64 bits. */
function withTwice(b: usize, c: usize): v128 {
  const twice = v128.load64_zero(c);
  return i64x2.extend_low_i32x4_s(i32x4.add(v128.load64_zero(b), i32x4.add(twice, twice)));
}
