/** Arithmetic on public points of P-256 in Jacobian coordinates, (X : Y : Z) = (X/Z², Y/Z³), every exceptional case
 *  handled by a branch. TIMING: VARIABLE, for signature verification only. Allocates nothing.
 *
 *  A point is X, Y, Z, tight field elements; infinity is Z = 0, all limbs zero.
 *  A "ready" point, the second summand of an addition, is never infinity and carries Z² and Z³ too. */
import {
  FIELD_BYTES,
  FIELD_ONE,
  fieldAdd,
  fieldCombine,
  fieldIsZeroVartime,
  fieldMul,
  fieldSqr,
  fieldSub,
} from "./p256-field";
import { AFFINE_BYTES } from "./p256-point";
import { limbsZero } from "./p256-limbs";

export const JACOBIAN_BYTES: usize = 108;
export const READY_BYTES: usize = 180;
const Y: usize = FIELD_BYTES;
const Z: usize = 2 * FIELD_BYTES;
const ZZ: usize = 3 * FIELD_BYTES;
const ZZZ: usize = 4 * FIELD_BYTES;

const T0: usize = memory.data(36);
const T1: usize = memory.data(36);
const T2: usize = memory.data(36);
const T3: usize = memory.data(36);
const T4: usize = memory.data(36);
const T5: usize = memory.data(36);
const S2: usize = memory.data(36);
const H: usize = memory.data(36);
const R: usize = memory.data(36);
const NEGATED: usize = memory.data(36);

export function jacobianSetInfinity(p: usize): void {
  memory.fill(p, 0, JACOBIAN_BYTES);
}

export function jacobianIsInfinity(p: usize): bool {
  return limbsZero(p + Z) != 0;
}

export function jacobianFromAffine(p: usize, affine: usize): void {
  memory.copy(p, affine, AFFINE_BYTES);
  memory.copy(p + Z, FIELD_ONE, FIELD_BYTES);
}

/** Makes a ready point of p, which is not infinity. */
export function jacobianReady(ready: usize, p: usize): void {
  memory.copy(ready, p, JACOBIAN_BYTES);
  fieldSqr(ready + ZZ, p + Z);
  fieldMul(ready + ZZZ, ready + ZZ, p + Z);
}

/** p = 2p (a = -3, "dbl-2001-b" with α without its factor 3). No point has Y = 0; infinity stays infinity. */
export function jacobianDouble(p: usize): void {
  const delta = T0;
  const gamma = T1;
  const beta = T2;
  const alpha = T3;
  fieldSqr(delta, p + Z);
  fieldSqr(gamma, p + Y);
  fieldMul(beta, p, gamma);
  fieldSub(T4, p, delta);
  fieldAdd(T5, p, delta);
  fieldMul(alpha, T4, T5);
  fieldAdd(T4, p + Y, p + Y);
  fieldMul(p + Z, T4, p + Z);
  fieldSqr(T4, alpha);
  fieldCombine(p, T4, 9, beta, -8);
  fieldCombine(T4, beta, 4, p, -1);
  fieldMul(T4, alpha, T4);
  fieldSqr(gamma, gamma);
  fieldCombine(p + Y, T4, 3, gamma, -8);
}

/** p = p + q, or p - q, for an affine q. */
export function jacobianAddAffine(p: usize, q: usize, subtract: bool): void {
  const y = signed(q + Y, subtract);
  if (jacobianIsInfinity(p)) {
    memory.copy(p, q, FIELD_BYTES);
    fieldCombine(p + Y, y, 1, y, 0);
    memory.copy(p + Z, FIELD_ONE, FIELD_BYTES);
    return;
  }
  fieldSqr(T0, p + Z);
  fieldMul(H, q, T0);
  fieldMul(T0, T0, p + Z);
  fieldMul(S2, y, T0);
  fieldSub(H, H, p);
  fieldSub(R, S2, p + Y);
  if (fieldIsZeroVartime(H)) return addSameX(p);
  fieldMul(p + Z, p + Z, H);
  finishAddition(p, p, p + Y);
}

/** p = p + q, or p - q, for a ready q. */
export function jacobianAdd(p: usize, q: usize, subtract: bool): void {
  const y = signed(q + Y, subtract);
  if (jacobianIsInfinity(p)) {
    memory.copy(p, q, JACOBIAN_BYTES);
    fieldCombine(p + Y, y, 1, y, 0);
    return;
  }
  fieldMul(T1, p, q + ZZ);
  fieldMul(T2, p + Y, q + ZZZ);
  fieldSqr(T0, p + Z);
  fieldMul(H, q, T0);
  fieldMul(T0, T0, p + Z);
  fieldMul(S2, y, T0);
  fieldSub(H, H, T1);
  fieldSub(R, S2, T2);
  if (fieldIsZeroVartime(H)) return addSameX(p);
  fieldMul(p + Z, p + Z, q + Z);
  fieldMul(p + Z, p + Z, H);
  finishAddition(p, T1, T2);
}

/** The summands have the same x: they are equal or opposite. */
function addSameX(p: usize): void {
  if (fieldIsZeroVartime(R)) jacobianDouble(p);
  else jacobianSetInfinity(p);
}

/** X and Y of the sum from U1, S1, H and R: X3 = R² - H³ - 2·U1·H², Y3 = R(U1·H² - X3) - S1·H³. */
function finishAddition(p: usize, u1: usize, s1: usize): void {
  fieldSqr(T3, H);
  fieldMul(T4, T3, H);
  fieldMul(T3, u1, T3);
  fieldMul(T5, s1, T4);
  fieldSqr(T0, R);
  fieldSub(T0, T0, T4);
  fieldCombine(p, T0, 1, T3, -2);
  fieldSub(T3, T3, p);
  fieldMul(T3, R, T3);
  fieldCombine(p + Y, T3, 1, T5, -1);
}

function signed(y: usize, negate: bool): usize {
  if (!negate) return y;
  for (let i: usize = 0; i < FIELD_BYTES; i += 4) store<i32>(NEGATED + i, -load<i32>(y + i));
  return NEGATED;
}
