/** u1·G + u2·Q for public scalars and points: interleaved windows of non-adjacent digits over one chain of doublings.
 *  TIMING: VARIABLE, for signature verification only. Allocates nothing.
 *  The multiples of G are computed at the first use and kept. */
import { FIELD_BYTES, fieldInv, fieldMul, fieldSqr } from "./p256-field";
import { JACOBIAN_BYTES, jacobianAdd, jacobianDouble, jacobianFromAffine, jacobianReady } from "./p256-jacobian";
import { limbsToBytes } from "./p256-limbs";
import { pairInterleave } from "./p256-pair-field";
import { READY_BYTES, pointDouble, pointFromAffine, pointReady, pointToJacobian } from "./p256-paired-point";
import { AFFINE_BYTES, GENERATOR } from "./p256-point";
import { publicAdd, publicAddAffine, publicSetInfinity } from "./p256-public-point";

const DIGITS: i32 = 257;
const G_WINDOW: i32 = 8;
const G_COUNT: usize = 64;
const Q_WINDOW: i32 = 5;
const Q_COUNT: usize = 8;

/** G, 3G … 127G: the pairs of x and y. */
const G_TABLE: usize = memory.data(4608);
const G_TABLE_READY: usize = memory.data(4);
/** Q, 3Q … 15Q, ready. */
const Q_TABLE: usize = memory.data(1728);
const G_DIGITS: usize = memory.data(264);
const Q_DIGITS: usize = memory.data(264);
const BITS: usize = memory.data(40);
const BYTES: usize = memory.data(32);
const SUM: usize = memory.data(144);
const TWICE_Q: usize = memory.data(216);
const TWICE: usize = memory.data(108);
const TWICE_READY: usize = memory.data(180);
/** Scratch of the first use: the odd multiples in Jacobian coordinates, and the products of their first Zs. */
const MULTIPLES: usize = memory.data(6912);
const PRODUCTS: usize = memory.data(2304);

/** sum = u1·G + u2·Q, Jacobian; scalars in 0..n-1, Q affine and valid. */
export function doubleMultiply(sum: usize, u1: usize, u2: usize, q: usize): void {
  if (load<i32>(G_TABLE_READY) == 0) fillGTable();
  fillQTable(q);
  recode(G_DIGITS, u1, G_WINDOW);
  recode(Q_DIGITS, u2, Q_WINDOW);
  publicSetInfinity(SUM);
  for (let i = DIGITS - 1; i >= 0; i--) {
    pointDouble(SUM);
    const g = <i32>load<i8>(G_DIGITS + <usize>i);
    if (g != 0) publicAddAffine(SUM, G_TABLE + <usize>(abs(g) >> 1) * AFFINE_BYTES, g >> 31);
    const d = <i32>load<i8>(Q_DIGITS + <usize>i);
    if (d != 0) publicAdd(SUM, Q_TABLE + <usize>(abs(d) >> 1) * READY_BYTES, d >> 31);
  }
  pointToJacobian(sum, SUM);
}

/** Writes DIGITS signed digits, each 0 or odd and below 2^(window-1) in magnitude, whose sum with weights 2^i is the
 *  scalar. */
function recode(digits: usize, scalar: usize, window: i32): void {
  limbsToBytes(BYTES, scalar);
  for (let i: usize = 0; i < 32; i++) store<u8>(BITS + i, load<u8>(BYTES + 31 - i));
  memory.fill(digits, 0, <usize>DIGITS);
  let carry: i32 = 0;
  for (let i: i32 = 0; i < DIGITS;) {
    if (bitsAt(i, 1) == carry) {
      i++;
      continue;
    }
    const digit = bitsAt(i, window) + carry;
    carry = (digit >> (window - 1)) & 1;
    store<i8>(digits + <usize>i, <i8>(digit - (carry << window)));
    i += window;
  }
}

/** At most 8 bits from position `at` on; BITS ends with zeros. */
function bitsAt(at: i32, count: i32): i32 {
  return (<i32>(load<u32>(BITS + <usize>(at >> 3)) >> ((<u32>at) & 7))) & ((1 << count) - 1);
}

function fillQTable(q: usize): void {
  pointFromAffine(SUM, q);
  pointReady(Q_TABLE, SUM);
  pointDouble(SUM);
  pointReady(TWICE_Q, SUM);
  pointFromAffine(SUM, q);
  for (let i: usize = 1; i < Q_COUNT; i++) {
    publicAdd(SUM, TWICE_Q, 0);
    pointReady(Q_TABLE + i * READY_BYTES, SUM);
  }
}

function fillGTable(): void {
  jacobianFromAffine(MULTIPLES, GENERATOR);
  memory.copy(TWICE, MULTIPLES, JACOBIAN_BYTES);
  jacobianDouble(TWICE);
  jacobianReady(TWICE_READY, TWICE);
  for (let i: usize = 1; i < G_COUNT; i++) {
    const p = MULTIPLES + i * JACOBIAN_BYTES;
    memory.copy(p, p - JACOBIAN_BYTES, JACOBIAN_BYTES);
    jacobianAdd(p, TWICE_READY, false);
  }
  normalizeMultiples();
  store<i32>(G_TABLE_READY, 1);
}

/** G_TABLE = MULTIPLES, with one inversion for all (Montgomery's trick). */
function normalizeMultiples(): void {
  const inverse = TWICE;
  const zInverse = TWICE_READY;
  const zInverseSquared = TWICE_READY + FIELD_BYTES;
  memory.copy(PRODUCTS, z(0), FIELD_BYTES);
  for (let i: usize = 1; i < G_COUNT; i++) fieldMul(product(i), product(i - 1), z(i));
  fieldInv(inverse, product(G_COUNT - 1));
  for (let i: usize = G_COUNT - 1; ; i--) {
    if (i == 0) memory.copy(zInverse, inverse, FIELD_BYTES);
    else fieldMul(zInverse, inverse, product(i - 1));
    fieldMul(inverse, inverse, z(i));
    const affine = G_TABLE + i * AFFINE_BYTES;
    const p = MULTIPLES + i * JACOBIAN_BYTES;
    fieldSqr(zInverseSquared, zInverse);
    fieldMul(p, p, zInverseSquared);
    fieldMul(zInverse, zInverse, zInverseSquared);
    fieldMul(p + FIELD_BYTES, p + FIELD_BYTES, zInverse);
    pairInterleave(affine, p, p + FIELD_BYTES);
    if (i == 0) return;
  }
}

function product(i: usize): usize {
  return PRODUCTS + i * FIELD_BYTES;
}

function z(i: usize): usize {
  return MULTIPLES + i * JACOBIAN_BYTES + 2 * FIELD_BYTES;
}
