/** Multiplication and squaring modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1: Montgomery's, R = 2^261, column by column.
 *  Because p = -1 modulo 2^29, the multiple of p that clears a column is the column itself (m), and adding m·p is three
 *  shifted additions and a subtraction: 2^96, 2^192, 2^224, 2^256 lie in limbs 3, 6, 7, 8 at bits 9, 18, 21, 24.
 *
 *  Operands: limbs of at most A·2^29 and B·2^29 in magnitude, A·B <= 3 (nine products then fit an i64), values whose
 *  product is at most 2^517 in magnitude. Result: "tight", limbs 0..7 in 0..2^29-1, value in -2^256..2^257.
 *  fieldMul splits its operands into three times three limbs and makes 54 products instead of 81 (Karatsuba; Weimerskirch
 *  and Paar, "Generalizations of the Karatsuba algorithm", 2006). Its intermediate sums may leave the i64: everything is
 *  exact modulo 2^64, and the columns fit.
 *  The destination may be an operand. Timing: constant. Allocates nothing. */

const MASK: i64 = 0x1fffffff;

/** d = a · b / R. */
export function fieldMul(d: usize, a: usize, b: usize): void {
  const a0 = <i64>load<i32>(a, 0);
  const a1 = <i64>load<i32>(a, 4);
  const a2 = <i64>load<i32>(a, 8);
  const a3 = <i64>load<i32>(a, 12);
  const a4 = <i64>load<i32>(a, 16);
  const a5 = <i64>load<i32>(a, 20);
  const a6 = <i64>load<i32>(a, 24);
  const a7 = <i64>load<i32>(a, 28);
  const a8 = <i64>load<i32>(a, 32);
  const b0 = <i64>load<i32>(b, 0);
  const b1 = <i64>load<i32>(b, 4);
  const b2 = <i64>load<i32>(b, 8);
  const b3 = <i64>load<i32>(b, 12);
  const b4 = <i64>load<i32>(b, 16);
  const b5 = <i64>load<i32>(b, 20);
  const b6 = <i64>load<i32>(b, 24);
  const b7 = <i64>load<i32>(b, 28);
  const b8 = <i64>load<i32>(b, 32);
  // Products of equal thirds: p, q, r; of sums of thirds, without those: u (0 and 1), v (0 and 2), w (1 and 2).
  const p0 = a0 * b0;
  const p1 = a0 * b1 + a1 * b0;
  const p2 = a0 * b2 + a1 * b1 + a2 * b0;
  const p3 = a1 * b2 + a2 * b1;
  const p4 = a2 * b2;
  const q0 = a3 * b3;
  const q1 = a3 * b4 + a4 * b3;
  const q2 = a3 * b5 + a4 * b4 + a5 * b3;
  const q3 = a4 * b5 + a5 * b4;
  const q4 = a5 * b5;
  const r0 = a6 * b6;
  const r1 = a6 * b7 + a7 * b6;
  const r2 = a6 * b8 + a7 * b7 + a8 * b6;
  const r3 = a7 * b8 + a8 * b7;
  const r4 = a8 * b8;
  const a03 = a0 + a3;
  const a14 = a1 + a4;
  const a25 = a2 + a5;
  const b03 = b0 + b3;
  const b14 = b1 + b4;
  const b25 = b2 + b5;
  const a06 = a0 + a6;
  const a17 = a1 + a7;
  const a28 = a2 + a8;
  const b06 = b0 + b6;
  const b17 = b1 + b7;
  const b28 = b2 + b8;
  const a36 = a3 + a6;
  const a47 = a4 + a7;
  const a58 = a5 + a8;
  const b36 = b3 + b6;
  const b47 = b4 + b7;
  const b58 = b5 + b8;
  const u0 = a03 * b03 - p0 - q0;
  const u1 = a03 * b14 + a14 * b03 - p1 - q1;
  const u2 = a03 * b25 + a14 * b14 + a25 * b03 - p2 - q2;
  const u3 = a14 * b25 + a25 * b14 - p3 - q3;
  const u4 = a25 * b25 - p4 - q4;
  const v0 = a06 * b06 - p0 - r0 + q0;
  const v1 = a06 * b17 + a17 * b06 - p1 - r1 + q1;
  const v2 = a06 * b28 + a17 * b17 + a28 * b06 - p2 - r2 + q2;
  const v3 = a17 * b28 + a28 * b17 - p3 - r3 + q3;
  const v4 = a28 * b28 - p4 - r4 + q4;
  const w0 = a36 * b36 - q0 - r0;
  const w1 = a36 * b47 + a47 * b36 - q1 - r1;
  const w2 = a36 * b58 + a47 * b47 + a58 * b36 - q2 - r2;
  const w3 = a47 * b58 + a58 * b47 - q3 - r3;
  const w4 = a58 * b58 - q4 - r4;
  let t: i64 = p0;
  const m0 = t & MASK;
  t = (t >> 29) + p1;
  const m1 = t & MASK;
  t = (t >> 29) + p2;
  const m2 = t & MASK;
  t = (t >> 29) + p3 + u0 + (m0 << 9);
  const m3 = t & MASK;
  t = (t >> 29) + p4 + u1 + (m1 << 9);
  const m4 = t & MASK;
  t = (t >> 29) + u2 + (m2 << 9);
  const m5 = t & MASK;
  t = (t >> 29) + u3 + v0 + (m3 << 9) + (m0 << 18);
  const m6 = t & MASK;
  t = (t >> 29) + u4 + v1 + (m4 << 9) + (m1 << 18) - (m0 << 21);
  const m7 = t & MASK;
  t = (t >> 29) + v2 + (m5 << 9) + (m2 << 18) - (m1 << 21) + (m0 << 24);
  const m8 = t & MASK;
  t = (t >> 29) + v3 + w0 + (m6 << 9) + (m3 << 18) - (m2 << 21) + (m1 << 24);
  store<i32>(d, <i32>(t & MASK), 0);
  t = (t >> 29) + v4 + w1 + (m7 << 9) + (m4 << 18) - (m3 << 21) + (m2 << 24);
  store<i32>(d, <i32>(t & MASK), 4);
  t = (t >> 29) + w2 + (m8 << 9) + (m5 << 18) - (m4 << 21) + (m3 << 24);
  store<i32>(d, <i32>(t & MASK), 8);
  t = (t >> 29) + w3 + r0 + (m6 << 18) - (m5 << 21) + (m4 << 24);
  store<i32>(d, <i32>(t & MASK), 12);
  t = (t >> 29) + w4 + r1 + (m7 << 18) - (m6 << 21) + (m5 << 24);
  store<i32>(d, <i32>(t & MASK), 16);
  t = (t >> 29) + r2 + (m8 << 18) - (m7 << 21) + (m6 << 24);
  store<i32>(d, <i32>(t & MASK), 20);
  t = (t >> 29) + r3 - (m8 << 21) + (m7 << 24);
  store<i32>(d, <i32>(t & MASK), 24);
  t = (t >> 29) + r4 + (m8 << 24);
  store<i32>(d, <i32>(t & MASK), 28);
  store<i32>(d, <i32>(t >> 29), 32);
}

/** d = a² / R. */
export function fieldSqr(d: usize, a: usize): void {
  const a0 = <i64>load<i32>(a, 0);
  const a1 = <i64>load<i32>(a, 4);
  const a2 = <i64>load<i32>(a, 8);
  const a3 = <i64>load<i32>(a, 12);
  const a4 = <i64>load<i32>(a, 16);
  const a5 = <i64>load<i32>(a, 20);
  const a6 = <i64>load<i32>(a, 24);
  const a7 = <i64>load<i32>(a, 28);
  const a8 = <i64>load<i32>(a, 32);
  const d0 = a0 << 1;
  const d1 = a1 << 1;
  const d2 = a2 << 1;
  const d3 = a3 << 1;
  const d4 = a4 << 1;
  const d5 = a5 << 1;
  const d6 = a6 << 1;
  const d7 = a7 << 1;
  let t: i64 = a0 * a0;
  const m0 = t & MASK;
  t = (t >> 29) + d0 * a1;
  const m1 = t & MASK;
  t = (t >> 29) + d0 * a2 + a1 * a1;
  const m2 = t & MASK;
  t = (t >> 29) + d0 * a3 + d1 * a2 + (m0 << 9);
  const m3 = t & MASK;
  t = (t >> 29) + d0 * a4 + d1 * a3 + a2 * a2 + (m1 << 9);
  const m4 = t & MASK;
  t = (t >> 29) + d0 * a5 + d1 * a4 + d2 * a3 + (m2 << 9);
  const m5 = t & MASK;
  t = (t >> 29) + d0 * a6 + d1 * a5 + d2 * a4 + a3 * a3 + (m3 << 9) + (m0 << 18);
  const m6 = t & MASK;
  t = (t >> 29) + d0 * a7 + d1 * a6 + d2 * a5 + d3 * a4 + (m4 << 9) + (m1 << 18) - (m0 << 21);
  const m7 = t & MASK;
  t = (t >> 29) + d0 * a8 + d1 * a7 + d2 * a6 + d3 * a5 + a4 * a4 + (m5 << 9) + (m2 << 18) - (m1 << 21) + (m0 << 24);
  const m8 = t & MASK;
  t = (t >> 29) + d1 * a8 + d2 * a7 + d3 * a6 + d4 * a5 + (m6 << 9) + (m3 << 18) - (m2 << 21) + (m1 << 24);
  store<i32>(d, <i32>(t & MASK), 0);
  t = (t >> 29) + d2 * a8 + d3 * a7 + d4 * a6 + a5 * a5 + (m7 << 9) + (m4 << 18) - (m3 << 21) + (m2 << 24);
  store<i32>(d, <i32>(t & MASK), 4);
  t = (t >> 29) + d3 * a8 + d4 * a7 + d5 * a6 + (m8 << 9) + (m5 << 18) - (m4 << 21) + (m3 << 24);
  store<i32>(d, <i32>(t & MASK), 8);
  t = (t >> 29) + d4 * a8 + d5 * a7 + a6 * a6 + (m6 << 18) - (m5 << 21) + (m4 << 24);
  store<i32>(d, <i32>(t & MASK), 12);
  t = (t >> 29) + d5 * a8 + d6 * a7 + (m7 << 18) - (m6 << 21) + (m5 << 24);
  store<i32>(d, <i32>(t & MASK), 16);
  t = (t >> 29) + d6 * a8 + a7 * a7 + (m8 << 18) - (m7 << 21) + (m6 << 24);
  store<i32>(d, <i32>(t & MASK), 20);
  t = (t >> 29) + d7 * a8 - (m8 << 21) + (m7 << 24);
  store<i32>(d, <i32>(t & MASK), 24);
  t = (t >> 29) + a8 * a8 + (m8 << 24);
  store<i32>(d, <i32>(t & MASK), 28);
  store<i32>(d, <i32>(t >> 29), 32);
}
