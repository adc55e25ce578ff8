/** Memory for arguments and results, owned by the caller. */

export function allocate(length: usize): usize {
  return heap.alloc(length);
}

export function release(ptr: usize): void {
  heap.free(ptr);
}
