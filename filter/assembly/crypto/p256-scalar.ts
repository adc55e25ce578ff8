/** Integers modulo n, the order of P-256 (SP 800-186 §3.2.1.3): nine limbs of 29 bits, Montgomery multiplication with
 *  R = 2^261. Numbers are 0..n-1. Timing: constant. Allocates nothing. */
import { LIMBS_BYTES, limbsBelow, limbsFromBytes, limbsReduceOnce, limbsZero } from "./p256-limbs";

export const SCALAR_BYTES: usize = LIMBS_BYTES;

export const N: usize = memory.data<i32>([
  0x1c632551, 0x1dce5617, 0x5e7a13c, 0xdf55b4e, 0x1ffffbce, 0x1fffffff, 0x3ffff, 0x1fe00000, 0xffffff,
]);
/** Reads 32 bytes, big-endian. False when the number is not in 1..n-1. */
export function scalarFromBytes(d: usize, bytes: usize): bool {
  limbsFromBytes(d, bytes);
  return (limbsBelow(d, N) & (limbsZero(d) ^ -1)) != 0;
}

/** Reads a 32-byte digest, big-endian, modulo n (FIPS 186-5 §6.4.2 step 2); 2^256 < 2n, so one subtraction does. */
export function scalarFromDigest(d: usize, digest: usize): void {
  limbsFromBytes(d, digest);
  limbsReduceOnce(d, N);
}

const MASK: i64 = 0x1fffffff;
/** The limbs of n, and -1/n modulo 2^29. */
const N0: i64 = 0x1c632551;
const N1: i64 = 0x1dce5617;
const N2: i64 = 0x5e7a13c;
const N3: i64 = 0xdf55b4e;
const N4: i64 = 0x1ffffbce;
const N5: i64 = 0x1fffffff;
const N6: i64 = 0x3ffff;
const N7: i64 = 0x1fe00000;
const N8: i64 = 0xffffff;
const N_NEGATIVE_INVERSE: i64 = 0xe00bc4f;

/** d = a · b / R modulo n. The destination may be an operand. Each column is cleared by a multiple m of n. */
export function scalarMul(d: usize, a: usize, b: usize): void {
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
  let t: i64 = a0 * b0;
  const m0 = (t * N_NEGATIVE_INVERSE) & MASK;
  t += m0 * N0;
  t = (t >> 29) + a0 * b1 + a1 * b0 + m0 * N1;
  const m1 = (t * N_NEGATIVE_INVERSE) & MASK;
  t += m1 * N0;
  t = (t >> 29) + a0 * b2 + a1 * b1 + a2 * b0 + m0 * N2 + m1 * N1;
  const m2 = (t * N_NEGATIVE_INVERSE) & MASK;
  t += m2 * N0;
  t = (t >> 29) + a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 + m0 * N3 + m1 * N2 + m2 * N1;
  const m3 = (t * N_NEGATIVE_INVERSE) & MASK;
  t += m3 * N0;
  t = (t >> 29) + a0 * b4 + a1 * b3 + a2 * b2 + a3 * b1 + a4 * b0 + m0 * N4 + m1 * N3 + m2 * N2 + m3 * N1;
  const m4 = (t * N_NEGATIVE_INVERSE) & MASK;
  t += m4 * N0;
  t =
    (t >> 29) +
    a0 * b5 +
    a1 * b4 +
    a2 * b3 +
    a3 * b2 +
    a4 * b1 +
    a5 * b0 +
    m0 * N5 +
    m1 * N4 +
    m2 * N3 +
    m3 * N2 +
    m4 * N1;
  const m5 = (t * N_NEGATIVE_INVERSE) & MASK;
  t += m5 * N0;
  t =
    (t >> 29) +
    a0 * b6 +
    a1 * b5 +
    a2 * b4 +
    a3 * b3 +
    a4 * b2 +
    a5 * b1 +
    a6 * b0 +
    m0 * N6 +
    m1 * N5 +
    m2 * N4 +
    m3 * N3 +
    m4 * N2 +
    m5 * N1;
  const m6 = (t * N_NEGATIVE_INVERSE) & MASK;
  t += m6 * N0;
  t =
    (t >> 29) +
    a0 * b7 +
    a1 * b6 +
    a2 * b5 +
    a3 * b4 +
    a4 * b3 +
    a5 * b2 +
    a6 * b1 +
    a7 * b0 +
    m0 * N7 +
    m1 * N6 +
    m2 * N5 +
    m3 * N4 +
    m4 * N3 +
    m5 * N2 +
    m6 * N1;
  const m7 = (t * N_NEGATIVE_INVERSE) & MASK;
  t += m7 * N0;
  t =
    (t >> 29) +
    a0 * b8 +
    a1 * b7 +
    a2 * b6 +
    a3 * b5 +
    a4 * b4 +
    a5 * b3 +
    a6 * b2 +
    a7 * b1 +
    a8 * b0 +
    m0 * N8 +
    m1 * N7 +
    m2 * N6 +
    m3 * N5 +
    m4 * N4 +
    m5 * N3 +
    m6 * N2 +
    m7 * N1;
  const m8 = (t * N_NEGATIVE_INVERSE) & MASK;
  t += m8 * N0;
  t =
    (t >> 29) +
    a1 * b8 +
    a2 * b7 +
    a3 * b6 +
    a4 * b5 +
    a5 * b4 +
    a6 * b3 +
    a7 * b2 +
    a8 * b1 +
    m1 * N8 +
    m2 * N7 +
    m3 * N6 +
    m4 * N5 +
    m5 * N4 +
    m6 * N3 +
    m7 * N2 +
    m8 * N1;
  store<i32>(d, <i32>(t & MASK), 0);
  t =
    (t >> 29) +
    a2 * b8 +
    a3 * b7 +
    a4 * b6 +
    a5 * b5 +
    a6 * b4 +
    a7 * b3 +
    a8 * b2 +
    m2 * N8 +
    m3 * N7 +
    m4 * N6 +
    m5 * N5 +
    m6 * N4 +
    m7 * N3 +
    m8 * N2;
  store<i32>(d, <i32>(t & MASK), 4);
  t =
    (t >> 29) +
    a3 * b8 +
    a4 * b7 +
    a5 * b6 +
    a6 * b5 +
    a7 * b4 +
    a8 * b3 +
    m3 * N8 +
    m4 * N7 +
    m5 * N6 +
    m6 * N5 +
    m7 * N4 +
    m8 * N3;
  store<i32>(d, <i32>(t & MASK), 8);
  t = (t >> 29) + a4 * b8 + a5 * b7 + a6 * b6 + a7 * b5 + a8 * b4 + m4 * N8 + m5 * N7 + m6 * N6 + m7 * N5 + m8 * N4;
  store<i32>(d, <i32>(t & MASK), 12);
  t = (t >> 29) + a5 * b8 + a6 * b7 + a7 * b6 + a8 * b5 + m5 * N8 + m6 * N7 + m7 * N6 + m8 * N5;
  store<i32>(d, <i32>(t & MASK), 16);
  t = (t >> 29) + a6 * b8 + a7 * b7 + a8 * b6 + m6 * N8 + m7 * N7 + m8 * N6;
  store<i32>(d, <i32>(t & MASK), 20);
  t = (t >> 29) + a7 * b8 + a8 * b7 + m7 * N8 + m8 * N7;
  store<i32>(d, <i32>(t & MASK), 24);
  t = (t >> 29) + a8 * b8 + m8 * N8;
  store<i32>(d, <i32>(t & MASK), 28);
  store<i32>(d, <i32>(t >> 29), 32);
  limbsReduceOnce(d, N);
}
