/** Addition of public points of P-256, every exceptional case handled by a branch; their forms are those of
 *  p256-paired-point.ts. TIMING: VARIABLE, for signature verification only. Allocates nothing. */
import { FIELD_ONE, fieldIsZeroVartime } from "./p256-field";
import { PAIR_BYTES, pairInterleave, pairSplit } from "./p256-pair-field";
import { pairFirsts } from "./p256-pair-pick";
import {
  POINT_BYTES,
  POINT_HR,
  POINT_YZ,
  READY_YZ,
  pointAddAffineStart,
  pointAddFinish,
  pointAddStart,
  pointDouble,
} from "./p256-paired-point";

const FIRST: usize = memory.data(36);
const SECOND: usize = memory.data(36);

export function publicSetInfinity(p: usize): void {
  memory.fill(p, 0, POINT_BYTES);
}

/** p = p + q or, where the mask `negate` is -1 instead of 0, p - q; q is ready. */
export function publicAdd(p: usize, q: usize, negate: i32): void {
  if (!isInfinity(p)) {
    pointAddStart(p, q, negate);
    return finish(p);
  }
  pairFirsts(p, q, q);
  memory.copy(p + POINT_YZ, q + READY_YZ, PAIR_BYTES);
  if (negate != 0) negateY(p);
}

/** The same for an affine q. */
export function publicAddAffine(p: usize, q: usize, negate: i32): void {
  if (!isInfinity(p)) {
    pointAddAffineStart(p, q, negate);
    return finish(p);
  }
  pairFirsts(p, q, q);
  pairSplit(FIRST, SECOND, q);
  pairInterleave(p + POINT_YZ, SECOND, FIELD_ONE);
  if (negate != 0) negateY(p);
}

/** With H = 0 the summands have the same x: they are equal, which R = 0 tells, or opposite. */
function finish(p: usize): void {
  pairSplit(FIRST, SECOND, POINT_HR);
  if (!fieldIsZeroVartime(FIRST)) pointAddFinish(p);
  else if (fieldIsZeroVartime(SECOND)) pointDouble(p);
  else publicSetInfinity(p);
}

function isInfinity(p: usize): bool {
  let bits: i32 = 0;
  for (let i: usize = 4; i < PAIR_BYTES; i += 8) bits |= load<i32>(p + POINT_YZ + i);
  return bits == 0;
}

function negateY(p: usize): void {
  for (let i: usize = 0; i < PAIR_BYTES; i += 8) store<i32>(p + POINT_YZ + i, -load<i32>(p + POINT_YZ + i));
}
