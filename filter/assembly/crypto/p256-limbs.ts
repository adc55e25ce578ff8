/** Numbers modulo the prime or the order of P-256 as nine limbs of 29 bits: an i32 each, the least significant first.
 *  Timing: constant. Allocates nothing. */
import { loadBe64, storeBe64 } from "../bytes/endian";

export const LIMBS_BYTES: usize = 36;
const LIMB_BITS: i32 = 29;
export const LIMB_MASK: i64 = 0x1fffffff;
const M: u64 = 0x1fffffff;

/** Reads 32 bytes, big-endian. */
export function limbsFromBytes(d: usize, bytes: usize): void {
  const w0 = loadBe64(bytes + 24);
  const w1 = loadBe64(bytes + 16);
  const w2 = loadBe64(bytes + 8);
  const w3 = loadBe64(bytes);
  store<u32>(d, <u32>(w0 & M), 0);
  store<u32>(d, <u32>((w0 >> 29) & M), 4);
  store<u32>(d, <u32>(((w0 >> 58) | (w1 << 6)) & M), 8);
  store<u32>(d, <u32>((w1 >> 23) & M), 12);
  store<u32>(d, <u32>(((w1 >> 52) | (w2 << 12)) & M), 16);
  store<u32>(d, <u32>((w2 >> 17) & M), 20);
  store<u32>(d, <u32>(((w2 >> 46) | (w3 << 18)) & M), 24);
  store<u32>(d, <u32>((w3 >> 11) & M), 28);
  store<u32>(d, <u32>(w3 >> 40), 32);
}

/** Writes a number of 0..2^256-1 with limbs of 0..2^29-1 as 32 bytes, big-endian. */
export function limbsToBytes(bytes: usize, a: usize): void {
  const a2 = <u64>load<u32>(a, 8);
  const a4 = <u64>load<u32>(a, 16);
  const a6 = <u64>load<u32>(a, 24);
  storeBe64(bytes + 24, (<u64>load<u32>(a, 0)) | ((<u64>load<u32>(a, 4)) << 29) | (a2 << 58));
  storeBe64(bytes + 16, (a2 >> 6) | ((<u64>load<u32>(a, 12)) << 23) | (a4 << 52));
  storeBe64(bytes + 8, (a4 >> 12) | ((<u64>load<u32>(a, 20)) << 17) | (a6 << 46));
  storeBe64(bytes, (a6 >> 18) | ((<u64>load<u32>(a, 28)) << 11) | ((<u64>load<u32>(a, 32)) << 40));
}

/** -1 when a < b, else 0; limbs of 0..2^29-1. */
export function limbsBelow(a: usize, b: usize): i32 {
  let t: i32 = 0;
  for (let i: usize = 0; i < LIMBS_BYTES; i += 4) t = (t >> LIMB_BITS) + load<i32>(a + i) - load<i32>(b + i);
  return t >> 31;
}

/** -1 when every limb is 0, else 0. */
export function limbsZero(a: usize): i32 {
  let bits: i32 = 0;
  for (let i: usize = 0; i < LIMBS_BYTES; i += 4) bits |= load<i32>(a + i);
  return ((bits | -bits) >> 31) ^ -1;
}

/** a -= modulus, unless a < modulus. */
export function limbsReduceOnce(a: usize, modulus: usize): void {
  const subtract = limbsBelow(a, modulus) ^ -1;
  let t: i32 = 0;
  for (let i: usize = 0; i < LIMBS_BYTES; i += 4) {
    t = (t >> LIMB_BITS) + load<i32>(a + i) - (load<i32>(modulus + i) & subtract);
    store<i32>(a + i, t & (<i32>LIMB_MASK));
  }
}
