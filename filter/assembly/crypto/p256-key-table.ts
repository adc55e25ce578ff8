/** Tables of multiples of one point, with which multiplying it needs no doubling: row j holds the odd multiples 1 to 127 of
 *  2^(7j) times the point, affine, as an odd scalar is a sum of odd digits times powers of 2^7 (see p256-table-sum.ts; the
 *  recoding is that of Joye and Tunstall 2009). For public points only. TIMING: VARIABLE. Allocates nothing.
 *
 *      row 0: P, 3P … 127P │ row 1: 2^7·P, 3·2^7·P … │ … │ row 36: 2^252·P …      72 bytes each: x, y, tight
 *
 *  A table takes 258 doublings, 37 · 63 affine additions of 5 multiplications and 1 squaring each, two at a time, and 7
 *  inversions: half a millisecond in V8. With windows of 6 bits it would have 99 072 bytes and each verification 43 steps in
 *  place of 37; with windows of 8 bits 294 912 bytes, 32 steps, and nearly twice the additions to fill it. */
import { FIELD_BYTES, FIELD_ONE, fieldInv, fieldMul, fieldSqr } from "./p256-field";
import { jacobianDouble, jacobianFromAffine } from "./p256-jacobian";
import { AFFINE_BYTES, GENERATOR, affineFromBytes } from "./p256-point";
import { TABLE_ROWS, TABLE_ROW_BYTES, TABLE_WINDOW, addPowers } from "./p256-table-rows";

export const KEY_TABLE_BYTES: usize = TABLE_ROWS * TABLE_ROW_BYTES;
/** 1 to 2^258 times the point: the first entry of each row, and what is added to its entries to get its others. */
const POWER_COUNT: usize = TABLE_ROWS * TABLE_WINDOW;

const POWERS: usize = memory.data(18648);
const CHAIN: usize = memory.data(108);
const INVERSE: usize = memory.data(36);
const Z_INVERSE: usize = memory.data(36);
const Z_INVERSE_SQUARED: usize = memory.data(36);

const G_TABLE: usize = memory.data(170496);
const G_TABLE_READY: usize = memory.data(4);

/** Fills a table of KEY_TABLE_BYTES for a public key of 65 bytes. False, with the table unusable, when it is not valid. */
export function fillKeyTable(table: usize, publicKey: usize): bool {
  if (!affineFromBytes(POWERS, publicKey)) return false;
  fill(table);
  return true;
}

/** The table of the generator, made at the first use and kept. */
export function generatorTable(): usize {
  if (load<i32>(G_TABLE_READY) == 0) {
    memory.copy(POWERS, GENERATOR, AFFINE_BYTES);
    fill(G_TABLE);
    store<i32>(G_TABLE_READY, 1);
  }
  return G_TABLE;
}

/** Fills a table for the point at POWERS. */
function fill(table: usize): void {
  doublePowers(table);
  normalizePowers(table);
  for (let row: usize = 0; row < TABLE_ROWS; row++)
    memory.copy(table + row * TABLE_ROW_BYTES, power(row * TABLE_WINDOW), AFFINE_BYTES);
  for (let bit: usize = 1; bit < TABLE_WINDOW; bit++) addPowers(table, POWERS, bit);
}

/** X and Y of the powers go to POWERS, Z and the products of Zs up to there to the table, which is empty as yet. */
function doublePowers(table: usize): void {
  jacobianFromAffine(CHAIN, POWERS);
  memory.copy(table, FIELD_ONE, FIELD_BYTES);
  memory.copy(table + FIELD_BYTES, FIELD_ONE, FIELD_BYTES);
  for (let i: usize = 1; i < POWER_COUNT; i++) {
    const z = table + i * AFFINE_BYTES;
    jacobianDouble(CHAIN);
    memory.copy(power(i), CHAIN, AFFINE_BYTES);
    memory.copy(z, CHAIN + AFFINE_BYTES, FIELD_BYTES);
    fieldMul(z + FIELD_BYTES, z - FIELD_BYTES, z);
  }
}

/** Makes the powers affine with one inversion for all (Montgomery's trick). */
function normalizePowers(table: usize): void {
  fieldInv(INVERSE, table + POWER_COUNT * AFFINE_BYTES - FIELD_BYTES);
  for (let i = POWER_COUNT - 1; i > 0; i--) {
    const z = table + i * AFFINE_BYTES;
    const p = power(i);
    fieldMul(Z_INVERSE, INVERSE, z - FIELD_BYTES);
    fieldMul(INVERSE, INVERSE, z);
    fieldSqr(Z_INVERSE_SQUARED, Z_INVERSE);
    fieldMul(p, p, Z_INVERSE_SQUARED);
    fieldMul(Z_INVERSE, Z_INVERSE, Z_INVERSE_SQUARED);
    fieldMul(p + FIELD_BYTES, p + FIELD_BYTES, Z_INVERSE);
  }
}

function power(i: usize): usize {
  return POWERS + i * AFFINE_BYTES;
}
