/** Where the two elements of a pair lie: limb i of the one at byte 8·i, limb i of the other at byte 8·i + 4. A pair of
 *  affine points is the pair of their x and then that of their y, as if it were one of 18 limbs.
 *  Timing: constant. Allocates nothing. */
import { LIMBS_BYTES } from "./p256-limbs";

/** Bytes of a pair. */
export const PAIR_BYTES: usize = 2 * LIMBS_BYTES;

/** The pair of a and b. d must be neither. */
export function pairInterleave(d: usize, a: usize, b: usize): void {
  if (ASC_FEATURE_SIMD) {
    interleave4(d, v128.load(a), v128.load(b));
    interleave4(d + 32, v128.load(a, 16), v128.load(b, 16));
    store<i32>(d, load<i32>(a, 32), 64);
    store<i32>(d, load<i32>(b, 32), 68);
  } else {
    interleave(d, a, b, LIMBS_BYTES);
  }
}

/** The pair of two affine points, or of their negatives: y is negated, and loose, where the sign is -1 and not 0. */
export function pairInterleaveAffine(d: usize, a: usize, signA: i32, b: usize, signB: i32): void {
  if (ASC_FEATURE_SIMD) {
    const signs = i32x4.replace_lane(i32x4.replace_lane(i32x4.splat(signA), 1, signB), 3, signB);
    interleave4(d, v128.load(a), v128.load(b));
    interleave4(d + 32, v128.load(a, 16), v128.load(b, 16));
    const a8 = v128.load(a, 32); // x8 y0 y1 y2
    const b8 = v128.load(b, 32);
    const x8y0 = i32x4.shuffle(a8, b8, 0, 4, 1, 5);
    v128.store64_lane(d, x8y0, 0, 64);
    v128.store64_lane(d, negated(x8y0, signs), 1, 72);
    v128.store(d, negated(i32x4.shuffle(a8, b8, 2, 6, 3, 7), signs), 80);
    const a3 = v128.load(a, 48); // y3 … y6
    const b3 = v128.load(b, 48);
    v128.store(d, negated(i32x4.shuffle(a3, b3, 0, 4, 1, 5), signs), 96);
    v128.store(d, negated(i32x4.shuffle(a3, b3, 2, 6, 3, 7), signs), 112);
    const y7 = i32x4.shuffle(v128.load64_zero(a, 64), v128.load64_zero(b, 64), 0, 4, 1, 5);
    v128.store(d, negated(y7, signs), 128);
  } else {
    interleave(d, a, b, 2 * LIMBS_BYTES);
    for (let i: usize = PAIR_BYTES; i < 2 * PAIR_BYTES; i += 8) {
      store<i32>(d + i, (load<i32>(d + i) ^ signA) - signA);
      store<i32>(d + i, (load<i32>(d + i, 4) ^ signB) - signB, 4);
    }
  }
}

/** The two elements of a pair. Neither a nor b may be the pair. */
export function pairSplit(a: usize, b: usize, pair: usize): void {
  if (ASC_FEATURE_SIMD) {
    for (let i: usize = 0; i < 32; i += 16) {
      const low = v128.load(pair + 2 * i);
      const high = v128.load(pair + 2 * i, 16);
      v128.store(a + i, i32x4.shuffle(low, high, 0, 2, 4, 6));
      v128.store(b + i, i32x4.shuffle(low, high, 1, 3, 5, 7));
    }
    store<i32>(a, load<i32>(pair, 64), 32);
    store<i32>(b, load<i32>(pair, 68), 32);
  } else {
    for (let i: usize = 0; i < LIMBS_BYTES; i += 4) {
      store<i32>(a + i, load<i32>(pair + 2 * i, 0));
      store<i32>(b + i, load<i32>(pair + 2 * i, 4));
    }
  }
}

function interleave(d: usize, a: usize, b: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 4) {
    store<i32>(d + 2 * i, load<i32>(a + i), 0);
    store<i32>(d + 2 * i, load<i32>(b + i), 4);
  }
}

function interleave4(d: usize, a: v128, b: v128): void {
  v128.store(d, i32x4.shuffle(a, b, 0, 4, 1, 5));
  v128.store(d, i32x4.shuffle(a, b, 2, 6, 3, 7), 16);
}

function negated(a: v128, signs: v128): v128 {
  return i32x4.sub(v128.xor(a, signs), signs);
}
