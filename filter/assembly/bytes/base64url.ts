/** The loops of base64url without padding (RFC 4648 section 5), on raw memory. One spelling per byte string: unused bits
 *  are zero. Timing: constant in the characters (secrets pass through here too), variable in the length.
 *  Allocates nothing. */

/** Bytes that `length` characters spell; `length` 4n+1 spells nothing. */
export function decodedLength(length: i32): i32 {
  return (length >> 2) * 3 + max((length & 3) - 1, 0);
}

export function encodedLength(length: i32): i32 {
  return (length / 3) * 4 + (length % 3 == 0 ? 0 : (length % 3) + 1);
}

/** Decodes `length` characters to `decodedLength(length)` bytes at `out`. False, with `out` undefined, when the text is not
 *  strict base64url. */
export function decodeBase64Url(text: usize, length: i32, out: usize): bool {
  const tail = length & 3;
  if (tail == 1) return false;
  const groupsEnd = text + <usize>(length - tail);
  let bad = 0;
  for (; text < groupsEnd; text += 4, out += 3) {
    const a = valueOf(load<u8>(text));
    const b = valueOf(load<u8>(text, 1));
    const c = valueOf(load<u8>(text, 2));
    const d = valueOf(load<u8>(text, 3));
    bad |= a | b | c | d;
    store<u8>(out, (a << 2) | (b >> 4));
    store<u8>(out, (b << 4) | (c >> 2), 1);
    store<u8>(out, (c << 6) | d, 2);
  }
  if (tail == 0) return bad >= 0;
  const a = valueOf(load<u8>(text));
  const b = valueOf(load<u8>(text, 1));
  const c = tail == 3 ? valueOf(load<u8>(text, 2)) : 0;
  const unused = tail == 3 ? c & 3 : b & 15;
  store<u8>(out, (a << 2) | (b >> 4));
  if (tail == 3) store<u8>(out, (b << 4) | (c >> 2), 1);
  return (a | b | c | bad) >= 0 && unused == 0;
}

/** Encodes `length` bytes to `encodedLength(length)` characters at `out`. */
export function encodeBase64Url(bytes: usize, length: i32, out: usize): void {
  const rest = length % 3;
  const groupsEnd = bytes + <usize>(length - rest);
  for (; bytes < groupsEnd; bytes += 3, out += 4) {
    const group = ((<i32>load<u8>(bytes)) << 16) | ((<i32>load<u8>(bytes, 1)) << 8) | (<i32>load<u8>(bytes, 2));
    store<u8>(out, letterOf(group >> 18));
    store<u8>(out, letterOf((group >> 12) & 63), 1);
    store<u8>(out, letterOf((group >> 6) & 63), 2);
    store<u8>(out, letterOf(group & 63), 3);
  }
  if (rest == 0) return;
  const group = ((<i32>load<u8>(bytes)) << 16) | (rest == 2 ? (<i32>load<u8>(bytes, 1)) << 8 : 0);
  store<u8>(out, letterOf(group >> 18));
  store<u8>(out, letterOf((group >> 12) & 63), 1);
  if (rest == 2) store<u8>(out, letterOf((group >> 6) & 63), 2);
}

/** 0..63, or -1 for a character outside the alphabet. The lines stand for A-Z, a-z, 0-9, `-` and `_`. */
function valueOf(c: i32): i32 {
  let value = -1;
  value += inside(c, 0x41, 0x5a) & (c - 0x40);
  value += inside(c, 0x61, 0x7a) & (c - 0x46);
  value += inside(c, 0x30, 0x39) & (c + 5);
  value += inside(c, 0x2d, 0x2d) & 63;
  value += inside(c, 0x5f, 0x5f) & 64;
  return value;
}

function letterOf(value: i32): i32 {
  let letter = value + 0x41;
  letter += inside(value, 26, 51) & 6;
  letter -= inside(value, 52, 61) & 69;
  letter -= inside(value, 62, 62) & 82;
  letter -= inside(value, 63, 63) & 33;
  return letter;
}

/** All ones when `low` <= `c` <= `high`, else 0; operands below 2^30. */
function inside(c: i32, low: i32, high: i32): i32 {
  return ((low - 1 - c) & (c - high - 1)) >> 31;
}
