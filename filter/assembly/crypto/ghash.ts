/** GHASH (NIST SP 800-38D §6.4): the choice between sixteen blocks at a time with SIMD and one without.
 *  Timing: constant in key and data, linear in the length. Allocates nothing; the caller wipes. */
import { GHASH_SCALAR_BYTES, ghashFinishScalar, ghashStartScalar, ghashUpdateScalar } from "./ghash-scalar";
import { GHASH_SIMD_BYTES, ghashFinishSimd, ghashStartSimd, ghashUpdateSimd } from "./ghash-simd";

/** The state, which belongs to the caller. */
export const GHASH_BYTES: i32 = ASC_FEATURE_SIMD ? GHASH_SIMD_BYTES : GHASH_SCALAR_BYTES;

/** Prepares `state` for the 16 bytes at `hashKey` and exactly `blocks` blocks, one at least. */
export function ghashStart(state: usize, hashKey: usize, blocks: u32): void {
  if (ASC_FEATURE_SIMD) ghashStartSimd(state, hashKey, blocks);
  else ghashStartScalar(state, hashKey);
}

/** Absorbs `length` bytes at `data`, the last block padded with zeros. */
export function ghashUpdate(state: usize, data: usize, length: i32): void {
  if (ASC_FEATURE_SIMD) ghashUpdateSimd(state, data, length);
  else ghashUpdateScalar(state, data, length);
}

/** Writes the hash of all blocks to the 16 bytes at `out`. */
export function ghashFinish(state: usize, out: usize): void {
  if (ASC_FEATURE_SIMD) ghashFinishSimd(state, out);
  else ghashFinishScalar(state, out);
}
