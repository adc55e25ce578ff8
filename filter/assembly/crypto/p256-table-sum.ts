/** u1·G + u2·Q from the tables of G and Q (p256-key-table.ts), the two products side by side in the lanes of pairs: 36 mixed
 *  additions of both in XYZZ coordinates, (X, Y, ZZ, ZZZ) with x = X/ZZ, y = Y/ZZZ, ZZ³ = ZZZ² ("madd-2008-s", 8
 *  multiplications and 2 squarings), and one addition of the lanes at the end.
 *
 *  Odd digits are never 0, so every step adds. Where the summands of a step are equal or opposite, as crafted scalars or
 *  keys make them, H = 0 and with it ZZ of this and all further sums, by which the caller knows that he has no result.
 *  TIMING: VARIABLE, for signature verification only. Allocates nothing. */
import { FIELD_BYTES, fieldCombine, fieldIsZeroVartime, fieldMul, fieldSqr, fieldSub } from "./p256-field";
import { generatorTable } from "./p256-key-table";
import { limbsToBytes } from "./p256-limbs";
import { PAIR_BYTES, pairInterleaveAffine, pairMul, pairSplit, pairSqr, pairSub, pairTighten } from "./p256-pair-field";
import { pairMulSub, pairSqrSub } from "./p256-pair-fused";
import { AFFINE_BYTES } from "./p256-point";
import { N } from "./p256-scalar";
import { TABLE_ROWS, TABLE_ROW_BYTES, TABLE_WINDOW } from "./p256-table-rows";

/** Both sums: X, Y, ZZ, ZZZ. */
const X: usize = memory.data(288);
const Y: usize = X + PAIR_BYTES;
const ZZ: usize = X + 2 * PAIR_BYTES;
const ZZZ: usize = X + 3 * PAIR_BYTES;
/** Both points to add: x, y. */
const ADDENDS: usize = memory.data(144);
const H: usize = memory.data(72);
const HH: usize = memory.data(72);
const HHH: usize = memory.data(72);
const R: usize = memory.data(72);
const V: usize = memory.data(72);

/** The sums of the lanes, X, Y, ZZ, ZZZ, and scratch of their addition. */
const G_SUM: usize = memory.data(144);
const Q_SUM: usize = memory.data(144);

/** Scalars, little-endian, made odd; two bytes more than a digit needs. */
const G_BITS: usize = memory.data(40);
const Q_BITS: usize = memory.data(40);
const ODD: usize = memory.data(36);
const BYTES: usize = memory.data(32);

/** Writes X and ZZ of the sum; scalars in 0..n-1. False when a step was exceptional and the sum is not known. */
export function tableSum(x: usize, zz: usize, table: usize, u1: usize, u2: usize): bool {
  const g = generatorTable();
  const signG = makeOdd(G_BITS, u1);
  const signQ = makeOdd(Q_BITS, u2);
  loadRow(g, table, 0, signG, signQ);
  memory.copy(X, ADDENDS, 2 * PAIR_BYTES);
  loadRow(g, table, 1, signG, signQ);
  addFirst();
  for (let row: usize = 2; row < TABLE_ROWS; row++) {
    loadRow(g, table, row, signG, signQ);
    addNext();
  }
  addLanes(x, zz);
  return !fieldIsZeroVartime(zz);
}

/** Writes a scalar, or n minus it where it is even. The sign is 0, or -1 for the latter. */
function makeOdd(bits: usize, scalar: usize): i32 {
  const sign = (load<i32>(scalar) & 1) - 1;
  let t: i32 = 0;
  for (let i: usize = 0; i < FIELD_BYTES; i += 4) {
    t = (t >> 29) + ((load<i32>(scalar + i) ^ sign) - sign) + (load<i32>(N + i) & sign);
    store<i32>(ODD + i, t & 0x1fffffff);
  }
  limbsToBytes(BYTES, ODD);
  for (let i: usize = 0; i < 32; i++) store<u8>(bits + i, load<u8>(BYTES + 31 - i));
  return sign;
}

/** ADDENDS = what a row adds to both sums. */
function loadRow(g: usize, q: usize, row: usize, signG: i32, signQ: i32): void {
  const digitG = digit(G_BITS, row);
  const digitQ = digit(Q_BITS, row);
  const at = row * TABLE_ROW_BYTES;
  pairInterleaveAffine(
    ADDENDS,
    entry(g + at, digitG),
    signG ^ (digitG >> 31),
    entry(q + at, digitQ),
    signQ ^ (digitQ >> 31),
  );
}

/** Odd, of less than 2^7 in magnitude: u = d + 2^7·u', where u' is u without its last 7 bits and with the last bit set, and d
 *  the last 8 bits of u less 2^7. The last digit is all that is left. */
function digit(bits: usize, row: usize): i32 {
  const at = row * TABLE_WINDOW;
  const low = ((load<u32>(bits + (at >> 3)) >> ((<u32>at) & 7)) & 0xff) | 1;
  return row == TABLE_ROWS - 1 ? <i32>low : <i32>low - 0x80;
}

function entry(row: usize, digit: i32): usize {
  return row + <usize>(abs(digit) >> 1) * AFFINE_BYTES;
}

/** The sums are affine yet. */
function addFirst(): void {
  pairSub(H, ADDENDS, X);
  pairSub(R, ADDENDS + PAIR_BYTES, Y);
  finishAddition();
  memory.copy(ZZ, HH, PAIR_BYTES);
  memory.copy(ZZZ, HHH, PAIR_BYTES);
}

function addNext(): void {
  pairMul(H, ADDENDS, ZZ);
  pairMul(R, ADDENDS + PAIR_BYTES, ZZZ);
  pairSub(H, H, X);
  pairSub(R, R, Y);
  finishAddition();
  pairMul(ZZ, ZZ, HH);
  pairMul(ZZZ, ZZZ, HHH);
}

/** X and Y of both sums from H and R: X3 = R² - H³ - 2·X·H², Y3 = R(X·H² - X3) - Y·H³. X3 lies in -3.6·2^256..1.8·2^256,
 *  the differences it takes part in within ±4.7·2^256, and with them all products within 2^517. */
function finishAddition(): void {
  pairSqr(HH, H);
  pairMul(HHH, H, HH);
  pairMul(V, X, HH);
  pairSqrSub(X, R, HHH, V);
  pairSub(V, V, X);
  pairMulSub(Y, R, V, Y, HHH);
}

/** X and ZZ of the sum of both sums ("add-2008-s", as far as it is wanted). */
function addLanes(x: usize, zz: usize): void {
  for (let i: usize = 0; i < 4; i++) pairSplit(G_SUM + i * FIELD_BYTES, Q_SUM + i * FIELD_BYTES, X + i * PAIR_BYTES);
  const zzG = G_SUM + 2 * FIELD_BYTES;
  const zzQ = Q_SUM + 2 * FIELD_BYTES;
  fieldMul(G_SUM, G_SUM, zzQ);
  fieldMul(Q_SUM, Q_SUM, zzG);
  fieldMul(G_SUM + FIELD_BYTES, G_SUM + FIELD_BYTES, Q_SUM + 3 * FIELD_BYTES);
  fieldMul(Q_SUM + FIELD_BYTES, Q_SUM + FIELD_BYTES, G_SUM + 3 * FIELD_BYTES);
  fieldSub(H, Q_SUM, G_SUM);
  fieldSub(R, Q_SUM + FIELD_BYTES, G_SUM + FIELD_BYTES);
  fieldSqr(HH, H);
  fieldMul(HHH, HH, H);
  fieldMul(V, G_SUM, HH);
  fieldSqr(R, R);
  fieldSub(R, R, HHH);
  fieldCombine(x, R, 1, V, -2);
  fieldMul(zz, zzG, zzQ);
  fieldMul(zz, zz, HH);
}
