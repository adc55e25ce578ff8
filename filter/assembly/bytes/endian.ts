/** Big-endian loads and stores; linear memory itself is little-endian. */

export function loadBe32(ptr: usize): u32 {
  return bswap(load<u32>(ptr));
}

export function storeBe32(ptr: usize, value: u32): void {
  store<u32>(ptr, bswap(value));
}

export function loadBe64(ptr: usize): u64 {
  return bswap(load<u64>(ptr));
}

export function storeBe64(ptr: usize, value: u64): void {
  store<u64>(ptr, bswap(value));
}
