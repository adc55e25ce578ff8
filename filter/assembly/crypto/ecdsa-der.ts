/** ECDSA signatures as DER (RFC 3279 §2.2.3, X.690 §10), both ways and strictly: one encoding for each pair of numbers.
 *
 *    30 len  02 len r  02 len s      lengths in one byte; numbers positive, minimal, at most 32 bytes without sign byte
 *
 *  Signatures are public: timing is variable. Allocates nothing. */

export const DER_MAX_BYTES: i32 = 72;
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const NUMBER: i32 = 32;

/** Writes the DER form of the 64 bytes r ‖ s to `der`, room for DER_MAX_BYTES. Returns its length. */
export function derFromP1363(der: usize, signature: usize): i32 {
  const rLen = writeInteger(der + 2, signature);
  const sLen = writeInteger(der + 2 + <usize>rLen, signature + <usize>NUMBER);
  store<u8>(der, SEQUENCE);
  store<u8>(der + 1, <u8>(rLen + sLen));
  return 2 + rLen + sLen;
}

/** Writes r ‖ s to the 64 bytes at `signature`. False when the bytes are not exactly one DER signature of such size;
 *  ranges are not checked here. */
export function p1363FromDer(signature: usize, der: usize, derLen: i32): bool {
  if (derLen < 2 || derLen > DER_MAX_BYTES) return false;
  if (load<u8>(der) != SEQUENCE || <i32>load<u8>(der + 1) != derLen - 2) return false;
  const rLen = readInteger(signature, der + 2, derLen - 2);
  if (rLen == 0) return false;
  const rest = derLen - 2 - rLen;
  return readInteger(signature + <usize>NUMBER, der + 2 + <usize>rLen, rest) == rest && rest != 0;
}

function writeInteger(der: usize, number: usize): i32 {
  let skip: i32 = 0;
  while (skip < NUMBER - 1 && load<u8>(number + <usize>skip) == 0) skip++;
  const sign = load<u8>(number + <usize>skip) >> 7;
  const length = NUMBER - skip;
  store<u8>(der, INTEGER);
  store<u8>(der + 1, <u8>(length + sign));
  store<u8>(der + 2, 0);
  memory.copy(der + 2 + <usize>sign, number + <usize>skip, <usize>length);
  return 2 + sign + length;
}

/** Reads one INTEGER into 32 bytes. Returns its whole length, or 0 when it is not a minimal positive number that fits. */
function readInteger(number: usize, der: usize, available: i32): i32 {
  if (available < 3 || load<u8>(der) != INTEGER) return 0;
  const length = <i32>load<u8>(der + 1);
  if (length == 0 || length > available - 2 || length > NUMBER + 1) return 0;
  const first = load<u8>(der + 2);
  if (first > 0x7f) return 0;
  const sign = length > 1 && first == 0 ? 1 : 0;
  if (sign == 1 && load<u8>(der + 3) <= 0x7f) return 0;
  if (length - sign > NUMBER) return 0;
  memory.fill(number, 0, <usize>NUMBER);
  memory.copy(number + <usize>(NUMBER - length + sign), der + 2 + <usize>sign, <usize>(length - sign));
  return 2 + length;
}
