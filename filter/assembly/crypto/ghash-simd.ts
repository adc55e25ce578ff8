/** GHASH (NIST SP 800-38D §6.4) sixteen blocks at a time. Block l of each group of sixteen goes to lane l; every lane is a
 *  polynomial in H^16, by Horner's rule. At the end lane l is to be multiplied by H^(16 - l), and all are added up: the lower
 *  eight lanes, times H^8, to the upper eight, then four, two, one, and what is left times H. Zero blocks before the first
 *  change nothing; they fill the first group.
 *
 *  Cost: one multiplication of lanes for each group but the first, and one to five at the end; as few as the number of blocks
 *  asks for. Timing: constant in key and data, linear in the length. Allocates nothing; the caller wipes. */
import { TABLES_BYTES, makeTables, square } from "./ghash-simd-key";
import { GROUP_BYTES, PRODUCT_BYTES, lanesOfBlocks, multiplyLanes } from "./ghash-simd-lanes";

/** Tables for H, H^2, H^4, H^8 and H^16 · lanes and room for their product · scratch · what is not absorbed yet · H, then its
 *  powers · length of what is not absorbed · number of all blocks · 1 once the lanes have something */
export const GHASH_SIMD_BYTES: i32 = 3952;
const TABLES_OF_H16: usize = 4 * TABLES_BYTES;
const LANES: usize = 5 * TABLES_BYTES;
const SCRATCH: usize = LANES + PRODUCT_BYTES;
const BUFFER: usize = SCRATCH + GROUP_BYTES;
const POWER: usize = BUFFER + GROUP_BYTES;
const FILLED: usize = POWER + 16;
const BLOCKS: usize = FILLED + 8;
const STARTED: usize = BLOCKS + 4;

export function ghashStartSimd(state: usize, hashKey: usize, blocks: u32): void {
  memory.copy(state + POWER, hashKey, 16);
  makeTables(state + POWER, state);
  let tables = state + TABLES_BYTES;
  for (let power: u32 = 2; power <= 16 && power < blocks; power <<= 1, tables += TABLES_BYTES) {
    square(state + POWER);
    makeTables(state + POWER, tables);
  }
  memory.fill(state + LANES, 0, POWER - LANES);
  store<usize>(state, (0 - 16 * <usize>blocks) % GROUP_BYTES, FILLED);
  store<u32>(state, blocks, BLOCKS);
  store<u32>(state, 0, STARTED);
}

export function ghashUpdateSimd(state: usize, data: usize, length: i32): void {
  const end = data + <usize>length;
  data = fillBuffer(state, data, end);
  for (; end - data >= GROUP_BYTES; data += GROUP_BYTES) absorb(state, data);
  fillBuffer(state, data, end);
}

/** Absorbs the buffer together with bytes from `data` on if that fills it, else takes all of them, padded. Returns where the
 *  rest begins; an empty buffer takes nothing while there is a whole group. */
function fillBuffer(state: usize, data: usize, end: usize): usize {
  const filled = load<usize>(state, FILLED);
  const left = end - data;
  if (left == 0 || (filled == 0 && left >= GROUP_BYTES)) return data;
  const n = min(GROUP_BYTES - filled, left);
  const padded = (n + 15) & ~15;
  const to = state + BUFFER + filled;
  memory.copy(to, data, n);
  memory.fill(to + n, 0, padded - n);
  const full = filled + padded == GROUP_BYTES;
  if (full) absorb(state, state + BUFFER);
  store<usize>(state, full ? 0 : filled + padded, FILLED);
  return data + n;
}

/** Absorbs the sixteen blocks at `blocks`. */
function absorb(state: usize, blocks: usize): void {
  const lanes = state + LANES;
  const added = lanes + GROUP_BYTES;
  if (load<u32>(state, STARTED)) multiplyLanes(lanes, state + TABLES_OF_H16);
  store<u32>(state, 1, STARTED);
  lanesOfBlocks(blocks, added, state + SCRATCH);
  for (let at = lanes; at < added; at += 16) v128.store(at, v128.xor(v128.load(at), v128.load(at, GROUP_BYTES)));
}

export function ghashFinishSimd(state: usize, out: usize): void {
  const lanes = state + LANES;
  const blocks = load<u32>(state, BLOCKS);
  let tables = state + TABLES_OF_H16;
  for (let count: u32 = 8; count != 0; count >>= 1) {
    tables -= TABLES_BYTES;
    if (blocks > count) addLowerLanes(lanes, tables, count, state + SCRATCH);
  }
  // The sum is in lane 15.
  multiplyLanes(lanes, state);
  for (let j: usize = 0; j < 16; j++) store<u8>(out + j, load<u8>(lanes + 16 * j, 15));
}

/** Adds lane l, multiplied by what `tables` were made for, to lane l + `count`. */
function addLowerLanes(lanes: usize, tables: usize, count: u32, scratch: usize): void {
  const identity = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const from = i8x16.sub(identity, i8x16.splat(<i8>count));
  memory.copy(scratch, lanes, GROUP_BYTES);
  multiplyLanes(lanes, tables);
  for (let at: usize = 0; at < GROUP_BYTES; at += 16) {
    const moved = i8x16.swizzle(v128.load(lanes + at), from);
    v128.store(lanes + at, v128.xor(v128.load(scratch + at), moved));
  }
}
