/** Where the two elements of a pair lie: limb i of the one at byte 8·i, limb i of the other at byte 8·i + 4.
 *  Timing: constant. Allocates nothing. */
import { LIMBS_BYTES } from "./p256-limbs";

/** Bytes of a pair. */
export const PAIR_BYTES: usize = 2 * LIMBS_BYTES;

/** The pair of a and b. d must be neither. */
export function pairInterleave(d: usize, a: usize, b: usize): void {
  for (let i: usize = 0; i < LIMBS_BYTES; i += 4) {
    store<i32>(d + 2 * i, load<i32>(a + i), 0);
    store<i32>(d + 2 * i, load<i32>(b + i), 4);
  }
}

/** The two elements of a pair. Neither a nor b may be the pair. */
export function pairSplit(a: usize, b: usize, pair: usize): void {
  for (let i: usize = 0; i < LIMBS_BYTES; i += 4) {
    store<i32>(a + i, load<i32>(pair + 2 * i, 0));
    store<i32>(b + i, load<i32>(pair + 2 * i, 4));
  }
}
