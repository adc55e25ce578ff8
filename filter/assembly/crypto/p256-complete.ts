/** Scalar multiplication on P-256 for SECRET scalars: complete projective formulas (Renes, Costello and Batina 2015,
 *  algorithms 4 and 6, a = -3), which have no exceptional case and so no branch, and table look-ups that read every entry.
 *  Timing: constant in the scalar. Allocates nothing; scratch is wiped.
 *
 *  A point is X, Y, Z with x = X/Z, y = Y/Z; infinity is (0 : 1 : 0). Coordinates are tight or differences of two tight
 *  elements; the comments give the looseness (see fieldMul) where it is more than 1. */
import { maskIfEqual } from "../bytes/ct";
import { wipe } from "../bytes/wipe";
import {
  FIELD_BYTES,
  FIELD_ONE,
  fieldAdd,
  fieldCombine,
  fieldInv,
  fieldMul,
  fieldSqr,
  fieldSub,
  fieldToBytes,
} from "./p256-field";
import { CURVE_B } from "./p256-point";

const Y: usize = FIELD_BYTES;
const Z: usize = 2 * FIELD_BYTES;
const POINT_BYTES: usize = 112;
const ENTRIES: usize = 16;

const TABLE: usize = memory.data(1792);
const SECRET: usize = memory.data(512);
const SECRET_BYTES: i32 = 512;
const SUM: usize = SECRET;
const ENTRY: usize = SECRET + POINT_BYTES;
const T0: usize = ENTRY + POINT_BYTES;
const T1: usize = T0 + FIELD_BYTES;
const T2: usize = T1 + FIELD_BYTES;
const T3: usize = T2 + FIELD_BYTES;
const T4: usize = T3 + FIELD_BYTES;
const T5: usize = T4 + FIELD_BYTES;
const T6: usize = T5 + FIELD_BYTES;

/** Writes the affine coordinates, 32 bytes each and big-endian, of scalar · point. `scalar`: 32 bytes, big-endian, in
 *  1..n-1, so that the product is not infinity. `affine`: a valid point. `y` may be 0 when it is not wanted. */
export function multiplySecret(x: usize, y: usize, scalar: usize, affine: usize): void {
  fillTable(affine);
  setInfinity(SUM);
  for (let i: usize = 0; i < 32; i++) {
    const byte = <u32>load<u8>(scalar + i);
    step(byte >> 4);
    step(byte & 15);
  }
  fieldInv(T0, SUM + Z);
  fieldMul(T1, SUM, T0);
  fieldToBytes(x, T1);
  fieldMul(T1, SUM + Y, T0);
  if (y != 0) fieldToBytes(y, T1);
  wipe(SECRET, SECRET_BYTES);
}

/** SUM = 16·SUM + digit · point. */
function step(digit: u32): void {
  for (let i = 0; i < 4; i++) double(SUM);
  select(ENTRY, digit);
  add(SUM, ENTRY);
}

/** The multiples 0 to 15 of a public point. */
function fillTable(affine: usize): void {
  setInfinity(TABLE);
  memory.copy(TABLE + POINT_BYTES, affine, 2 * FIELD_BYTES);
  memory.copy(TABLE + POINT_BYTES + Z, FIELD_ONE, FIELD_BYTES);
  for (let i: usize = 2; i < ENTRIES; i++) {
    const p = TABLE + i * POINT_BYTES;
    memory.copy(p, p - POINT_BYTES, POINT_BYTES);
    add(p, TABLE + POINT_BYTES);
  }
}

function setInfinity(p: usize): void {
  memory.fill(p, 0, POINT_BYTES);
  memory.copy(p + Y, FIELD_ONE, FIELD_BYTES);
}

/** Copies entry `index` of the table; reads all of them. */
function select(d: usize, index: u32): void {
  for (let word: usize = 0; word < POINT_BYTES; word += 8) {
    let chosen: i64 = 0;
    for (let entry: usize = 0; entry < ENTRIES; entry++)
      chosen |= load<i64>(TABLE + entry * POINT_BYTES + word) & (<i64>maskIfEqual(<u32>entry, index));
    store<i64>(d + word, chosen);
  }
}

/** p = 2p (algorithm 6). */
function double(p: usize): void {
  fieldMul(T3, p, p + Y);
  fieldAdd(T3, T3, T3); // 2XY, 2
  fieldMul(T4, p, p + Z);
  fieldMul(T5, p + Y, p + Z);
  fieldAdd(T5, T5, T5); // 2YZ, 2
  fieldSqr(T0, p);
  fieldSqr(T1, p + Y);
  fieldSqr(T2, p + Z);
  fieldMul(p + Z, CURVE_B, T2);
  fieldCombine(T6, p + Z, 3, T4, -6); // 3(bZ² - 2XZ)
  fieldSub(p, T1, T6);
  fieldAdd(p + Y, T1, T6); // 2
  fieldMul(p + Y, p, p + Y);
  fieldMul(p, p, T3);
  fieldMul(T4, CURVE_B, T4);
  fieldCombine(T4, T4, 6, T0, -3);
  fieldCombine(T4, T4, 1, T2, -9); // 3(2bXZ - X² - 3Z²)
  fieldCombine(T0, T2, 3, T0, -3); // 3(Z² - X²)
  fieldMul(T0, T0, T4);
  fieldSub(p + Y, p + Y, T0);
  fieldMul(T4, T4, T5);
  fieldSub(p, p, T4);
  fieldMul(p + Z, T5, T1);
  fieldCombine(p + Z, p + Z, 4, p + Z, 0);
}

/** p = p + q (algorithm 4), for any p and q, equal ones and infinity included. */
function add(p: usize, q: usize): void {
  fieldCombine(T3, p, 1, p + Y, 1);
  fieldCombine(T4, p + Y, 1, p + Z, 1);
  fieldCombine(T5, p, 1, p + Z, 1);
  fieldMul(T0, p, q);
  fieldMul(T1, p + Y, q + Y);
  fieldMul(T2, p + Z, q + Z);
  fieldAdd(T6, q, q + Y); // 2
  fieldMul(T3, T3, T6);
  fieldSub(T3, T3, T0);
  fieldSub(T3, T3, T1); // X1Y2 + X2Y1, 2
  fieldAdd(T6, q + Y, q + Z); // 2
  fieldMul(T4, T4, T6);
  fieldSub(T4, T4, T1);
  fieldSub(T4, T4, T2); // Y1Z2 + Y2Z1, 2
  fieldAdd(T6, q, q + Z); // 2
  fieldMul(T5, T5, T6);
  fieldSub(T5, T5, T0);
  fieldSub(T5, T5, T2); // X1Z2 + X2Z1, 2
  fieldMul(T6, CURVE_B, T2);
  fieldCombine(T6, T5, 3, T6, -3); // 3(X1Z2 + X2Z1 - b·Z1Z2)
  fieldMul(T5, CURVE_B, T5);
  fieldSub(T5, T5, T0);
  fieldCombine(T5, T5, 3, T2, -9); // 3(b(X1Z2 + X2Z1) - X1X2 - 3Z1Z2)
  fieldCombine(T0, T2, 3, T0, -3); // 3(Z1Z2 - X1X2)
  fieldSub(T2, T1, T6);
  fieldCombine(T1, T1, 1, T6, 1);
  fieldMul(p, T3, T1);
  fieldMul(T6, T4, T5);
  fieldSub(p, p, T6);
  fieldMul(p + Y, T1, T2);
  fieldMul(T6, T0, T5);
  fieldSub(p + Y, p + Y, T6);
  fieldMul(p + Z, T4, T2);
  fieldMul(T6, T3, T0);
  fieldSub(p + Z, p + Z, T6);
}
