/** Whether `length` bytes at two places are the same. Timing: variable; for public bytes. */
export function sameBytes(a: usize, b: usize, length: i32): bool {
  return memory.compare(a, b, <usize>length) == 0;
}
