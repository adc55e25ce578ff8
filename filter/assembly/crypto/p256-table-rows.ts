/** Doubles the number of entries in the rows of a table by affine additions, two at a time side by side, all of which share
 *  one inversion (Montgomery's trick). None of them is exceptional: a row holds the multiples 1, 3 … 2^bit - 1 of a point
 *  of large prime order, and 2^bit times that point is added. TIMING: VARIABLE. Allocates nothing. */
import { FIELD_BYTES, FIELD_ONE, fieldInv, fieldMul } from "./p256-field";
import { AFFINE_BYTES } from "./p256-point";
import {
  PAIR_BYTES,
  pairInterleave,
  pairInterleaveAffine,
  pairMul,
  pairSplit,
  pairSqr,
  pairSub,
  pairTighten,
} from "./p256-pair-field";

/** 37 rows for scalars below 2^256. */
export const TABLE_WINDOW: usize = 7;
export const TABLE_ROWS: usize = 37;
export const TABLE_ROW_BYTES: usize = 64 * AFFINE_BYTES;

/** Two affine points each: the entries, and the powers to add. */
const ENTRIES: usize = memory.data(144);
const ADDENDS: usize = memory.data(144);
const SUMS: usize = memory.data(144);
const INVERSES: usize = memory.data(72);
const SLOPES: usize = memory.data(72);
const TEMPORARY: usize = memory.data(72);
const FIRST: usize = memory.data(36);
const SECOND: usize = memory.data(36);
const INVERSE: usize = memory.data(36);
/** Takes the second of the last two sums where their number is odd. */
const SPARE: usize = memory.data(72);

/** Adds 2^bit times the point of each row, from powers, to its first 2^(bit-1) entries; the sums follow these. Until then,
 *  the places of two sums hold the differences of x and the products of all such differences before. */
export function addPowers(table: usize, powers: usize, bit: usize): void {
  const count = TABLE_ROWS << (bit - 1);
  const last = (count - 1) & ~1;
  pairInterleave(INVERSES, FIELD_ONE, FIELD_ONE);
  for (let i: usize = 0; i <= last; i += 2) {
    const difference = place(table, i, bit);
    const product = i + 1 < count ? place(table, i + 1, bit) : SPARE;
    loadSummands(table, powers, i, min(i + 1, count - 1), bit);
    pairSub(difference, ADDENDS, ENTRIES);
    memory.copy(product, INVERSES, PAIR_BYTES);
    pairMul(INVERSES, INVERSES, difference);
  }
  invertBoth();
  for (let i = last; ; i -= 2) {
    const difference = place(table, i, bit);
    const product = i + 1 < count ? place(table, i + 1, bit) : SPARE;
    loadSummands(table, powers, i, min(i + 1, count - 1), bit);
    pairMul(SLOPES, INVERSES, product);
    pairMul(INVERSES, INVERSES, difference);
    addBoth();
    pairSplit(difference, product, SUMS);
    pairSplit(difference + FIELD_BYTES, product + FIELD_BYTES, SUMS + PAIR_BYTES);
    if (i == 0) return;
  }
}

/** SUMS = ENTRIES + ADDENDS, SLOPES being the inverses of the differences of x. */
function addBoth(): void {
  pairSub(TEMPORARY, ADDENDS + PAIR_BYTES, ENTRIES + PAIR_BYTES);
  pairMul(SLOPES, SLOPES, TEMPORARY);
  pairSqr(SUMS, SLOPES);
  pairSub(SUMS, SUMS, ENTRIES);
  pairSub(SUMS, SUMS, ADDENDS);
  pairTighten(SUMS, SUMS);
  pairSub(TEMPORARY, ENTRIES, SUMS);
  pairMul(TEMPORARY, SLOPES, TEMPORARY);
  pairSub(TEMPORARY, TEMPORARY, ENTRIES + PAIR_BYTES);
  pairTighten(SUMS + PAIR_BYTES, TEMPORARY);
}

/** INVERSES = the inverses of its elements. */
function invertBoth(): void {
  pairSplit(FIRST, SECOND, INVERSES);
  fieldMul(TEMPORARY, FIRST, SECOND);
  fieldInv(INVERSE, TEMPORARY);
  fieldMul(SECOND, SECOND, INVERSE);
  fieldMul(FIRST, FIRST, INVERSE);
  pairInterleave(INVERSES, SECOND, FIRST);
}

function loadSummands(table: usize, powers: usize, first: usize, second: usize, bit: usize): void {
  pairInterleaveAffine(ENTRIES, entry(table, first, bit), 0, entry(table, second, bit), 0);
  pairInterleaveAffine(ADDENDS, addend(powers, first, bit), 0, addend(powers, second, bit), 0);
}

/** The entry that the i-th addition starts from. */
function entry(table: usize, i: usize, bit: usize): usize {
  const row = i >> (bit - 1);
  return table + row * TABLE_ROW_BYTES + (i - (row << (bit - 1))) * AFFINE_BYTES;
}

/** The place of its sum. */
function place(table: usize, i: usize, bit: usize): usize {
  return entry(table, i, bit) + (AFFINE_BYTES << (bit - 1));
}

function addend(powers: usize, i: usize, bit: usize): usize {
  return powers + ((i >> (bit - 1)) * TABLE_WINDOW + bit) * AFFINE_BYTES;
}
