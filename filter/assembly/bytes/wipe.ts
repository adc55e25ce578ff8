/** Overwrites `length` bytes with zeros. The compiler keeps it: memory is observable by the host. */
export function wipe(ptr: usize, length: i32): void {
  memory.fill(ptr, 0, <usize>length);
}
