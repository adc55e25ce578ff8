/** Comparisons whose time does not depend on the bytes compared. */

/** True when the `length` bytes at `a` and at `b` are the same. Timing: constant in the bytes, linear in `length`. */
export function equalCt(a: usize, b: usize, length: i32): bool {
  let difference: u32 = 0;
  for (let i: usize = 0; i < <usize>length; i++) difference |= <u32>(load<u8>(a + i) ^ load<u8>(b + i));
  return difference == 0;
}

/** All ones when `a` equals `b`, else 0; for values below 2^31. Timing: constant. */
export function maskIfEqual(a: u32, b: u32): i32 {
  return (<i32>((a ^ b) - 1)) >> 31;
}
