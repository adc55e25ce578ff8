/** SHA-256 compression (FIPS 180-4 §6.2.2): with SIMD four blocks at a time as far as there are four, the rest, and all without
 *  SIMD, block by block. Timing: constant in the bytes, linear in their number. Allocates nothing. */
import { compressBlocks } from "./sha256-compress-block";
import { compressFours } from "./sha256-compress-fours";

const BLOCK: usize = 64;

/** Updates the eight hash words at `state` with `blocks` blocks of 64 bytes at `data`. */
export function compress(state: usize, data: usize, blocks: usize): void {
  if (ASC_FEATURE_SIMD) {
    const inFours = blocks & ~3;
    if (inFours != 0) compressFours(state, data, inFours);
    data += BLOCK * inFours;
    blocks -= inFours;
  }
  compressBlocks(state, data, blocks);
}
