/** Points of P-256 (SP 800-186 §3.2.1.3) as they travel: SEC 1 §2.3.3 uncompressed, 65 bytes. Inside: affine x and y,
 *  two tight field elements. Points are public: timing is variable in their validity only. Allocates nothing. */
import {
  FIELD_BYTES,
  fieldAdd,
  fieldCombine,
  fieldFromBytes,
  fieldIsZeroVartime,
  fieldMul,
  fieldSqr,
  fieldSub,
} from "./p256-field";

export const PUBLIC_KEY_BYTES: i32 = 65;
export const AFFINE_BYTES: usize = 72;
const UNCOMPRESSED: u8 = 4;

/** The generator. */
export const GENERATOR: usize = memory.data<i32>([
  0x15228783, 0x730d418, 0xdb00bcf, 0x57f11fb, 0xa20eb75, 0x12b77622, 0x330fdb9, 0x1af4dd57, 0x120bee, 0x12aac150,
  0x125357ce, 0xf22e6ef, 0xe390e86, 0x64b1695, 0x88dd21f, 0x2a97443, 0x2962176, 0xae3fe3,
]);
/** b of y² = x³ - 3x + b. */
export const CURVE_B: usize = memory.data<i32>([
  0x1897bbfb, 0x1cdf6229, 0x18486c4, 0x1732821, 0x1dad59e0, 0xabf7212, 0x1a06d110, 0x17721d20, 0x8600c3,
]);

const AFFINE: usize = memory.data(72);
const LEFT: usize = memory.data(36);
const RIGHT: usize = memory.data(36);

/** Whether the 65 bytes are 0x04, two coordinates below p, and on the curve. P-256 has cofactor 1 and the point at
 *  infinity has no such encoding, so this is full validation (SP 800-56A rev. 3 §5.6.2.3.3). */
export function isValidPublicKey(publicKey: usize): bool {
  return affineFromBytes(AFFINE, publicKey);
}

/** Reads and validates a public key. False, with d unusable, when it is not valid. */
export function affineFromBytes(d: usize, publicKey: usize): bool {
  const y = d + FIELD_BYTES;
  return (
    load<u8>(publicKey) == UNCOMPRESSED &&
    fieldFromBytes(d, publicKey + 1) &&
    fieldFromBytes(y, publicKey + 33) &&
    isOnCurve(d, y)
  );
}

function isOnCurve(x: usize, y: usize): bool {
  fieldSqr(RIGHT, x);
  fieldMul(RIGHT, RIGHT, x);
  fieldCombine(RIGHT, RIGHT, 1, x, -3);
  fieldAdd(RIGHT, RIGHT, CURVE_B);
  fieldSqr(LEFT, y);
  fieldSub(LEFT, LEFT, RIGHT);
  return fieldIsZeroVartime(LEFT);
}
