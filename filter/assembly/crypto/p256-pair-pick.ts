/** Pairs (see p256-pair-lanes.ts) made of the elements of others. Every destination may be an operand.
 *  Timing: constant. Allocates nothing. */
import { PAIR_BYTES } from "./p256-pair-lanes";

/** d = (first of a, first of b). */
export function pairFirsts(d: usize, a: usize, b: usize): void {
  if (ASC_FEATURE_SIMD) {
    for (let i: usize = 0; i < 64; i += 16)
      v128.store(d + i, i32x4.shuffle(v128.load(a + i), v128.load(b + i), 0, 4, 2, 6));
    v128.store64_lane(d, i32x4.shuffle(v128.load64_zero(a, 64), v128.load64_zero(b, 64), 0, 4, 2, 6), 0, 64);
  } else {
    pick(d, a, b);
  }
}

/** d = (second of a, second of b). */
export function pairSeconds(d: usize, a: usize, b: usize): void {
  if (ASC_FEATURE_SIMD) {
    for (let i: usize = 0; i < 64; i += 16)
      v128.store(d + i, i32x4.shuffle(v128.load(a + i), v128.load(b + i), 1, 5, 3, 7));
    v128.store64_lane(d, i32x4.shuffle(v128.load64_zero(a, 64), v128.load64_zero(b, 64), 1, 5, 3, 7), 0, 64);
  } else {
    pick(d, a + 4, b + 4);
  }
}

/** d = (first of a, second of b). */
export function pairFirstSecond(d: usize, a: usize, b: usize): void {
  if (ASC_FEATURE_SIMD) {
    for (let i: usize = 0; i < 64; i += 16)
      v128.store(d + i, i32x4.shuffle(v128.load(a + i), v128.load(b + i), 0, 5, 2, 7));
    v128.store64_lane(d, i32x4.shuffle(v128.load64_zero(a, 64), v128.load64_zero(b, 64), 0, 5, 2, 7), 0, 64);
  } else {
    pick(d, a, b + 4);
  }
}

/** d = (second of a, first of b). */
export function pairSecondFirst(d: usize, a: usize, b: usize): void {
  if (ASC_FEATURE_SIMD) {
    for (let i: usize = 0; i < 64; i += 16)
      v128.store(d + i, i32x4.shuffle(v128.load(a + i), v128.load(b + i), 1, 4, 3, 6));
    v128.store64_lane(d, i32x4.shuffle(v128.load64_zero(a, 64), v128.load64_zero(b, 64), 1, 4, 3, 6), 0, 64);
  } else {
    pick(d, a + 4, b);
  }
}

/** Of the lanes at a and at b. */
function pick(d: usize, a: usize, b: usize): void {
  for (let i: usize = 0; i < PAIR_BYTES; i += 8) {
    const first = load<i32>(a + i);
    const second = load<i32>(b + i);
    store<i32>(d + i, first, 0);
    store<i32>(d + i, second, 4);
  }
}
