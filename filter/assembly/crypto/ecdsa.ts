/** ECDSA verification over P-256 (FIPS 186-5 §6.4.2). High-S signatures are valid. Everything here is public:
 *  TIMING: VARIABLE. Allocates nothing. */
import { p1363FromDer } from "./ecdsa-der";
import { FIELD_BYTES, fieldFromBytes, fieldIsZeroVartime, fieldMul, fieldSqr, fieldSub } from "./p256-field";
import { doubleMultiply } from "./p256-double-multiply";
import { jacobianIsInfinity } from "./p256-jacobian";
import { limbsBelow, limbsToBytes } from "./p256-limbs";
import { affineFromBytes } from "./p256-point";
import { N, scalarFromBytes, scalarFromDigest, scalarMul } from "./p256-scalar";
import { scalarInvertVartime } from "./p256-scalar-inverse";
import { tableSum } from "./p256-table-sum";

const KEY: usize = memory.data(72);
const R: usize = memory.data(36);
const S: usize = memory.data(36);
const E: usize = memory.data(36);
const S_INVERSE: usize = memory.data(36);
const U1: usize = memory.data(36);
const U2: usize = memory.data(36);
const SUM: usize = memory.data(108);
const Z_SQUARED: usize = memory.data(36);
const EXPECTED: usize = memory.data(36);
const BYTES: usize = memory.data(32);
const DER_SIGNATURE: usize = memory.data(64);

/** p - n: below it, r + n is a second candidate for the x-coordinate. */
const P_MINUS_N: usize = memory.data<i32>([0x39cdaae, 0x231a9e8, 0x1a185ec3, 0x120aa6b1, 0x431, 0x0, 0x0, 0x0, 0x0]);

/** Verifies r ‖ s (IEEE P1363, 64 bytes) over a 32-byte SHA-256 digest. False also for an invalid public key (65 bytes). */
export function verifyP1363(publicKey: usize, digest: usize, signature: usize): bool {
  if (!affineFromBytes(KEY, publicKey) || !readScalars(digest, signature)) return false;
  return verifyWithKey(KEY);
}

/** The same, several times as fast, with the table of a valid public key (see fillKeyTable) in place of the key. */
export function verifyP1363WithTable(table: usize, digest: usize, signature: usize): bool {
  if (!readScalars(digest, signature)) return false;
  if (tableSum(SUM, Z_SQUARED, table, U1, U2)) return xIsR();
  // Crafted scalars have met an exceptional addition. The key is the first entry of its table.
  return verifyWithKey(table);
}

/** Verifies a signature in strict DER. */
export function verifyDer(publicKey: usize, digest: usize, signature: usize, signatureLen: i32): bool {
  return p1363FromDer(DER_SIGNATURE, signature, signatureLen) && verifyP1363(publicKey, digest, DER_SIGNATURE);
}

/** U1, U2 and R. False when r or s is not in 1..n-1. */
function readScalars(digest: usize, signature: usize): bool {
  if (!scalarFromBytes(R, signature) || !scalarFromBytes(S, signature + 32)) return false;
  scalarFromDigest(E, digest);
  scalarInvertVartime(S_INVERSE, S);
  scalarMul(U1, E, S_INVERSE);
  scalarMul(U2, R, S_INVERSE);
  return true;
}

/** The key is affine. */
function verifyWithKey(key: usize): bool {
  doubleMultiply(SUM, U1, U2, key);
  fieldSqr(Z_SQUARED, SUM + 2 * FIELD_BYTES);
  return !jacobianIsInfinity(SUM) && xIsR();
}

/** Whether the affine x of SUM is R modulo n, without an inversion: X = c·Z² for c = r or, where it is below p, r + n. */
function xIsR(): bool {
  if (xIs(R)) return true;
  if (limbsBelow(R, P_MINUS_N) == 0) return false;
  let carry: i32 = 0;
  for (let i: usize = 0; i < FIELD_BYTES; i += 4) {
    carry = (carry >> 29) + load<i32>(R + i) + load<i32>(N + i);
    store<i32>(R + i, carry & 0x1fffffff);
  }
  return xIs(R);
}

/** Z_SQUARED is of SUM. */
function xIs(number: usize): bool {
  limbsToBytes(BYTES, number);
  if (!fieldFromBytes(EXPECTED, BYTES)) return false;
  fieldMul(EXPECTED, EXPECTED, Z_SQUARED);
  fieldSub(EXPECTED, EXPECTED, SUM);
  return fieldIsZeroVartime(EXPECTED);
}
