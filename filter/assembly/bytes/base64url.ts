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
    const bits = Group.bits(load<u8>(text), load<u8>(text, 1), load<u8>(text, 2), load<u8>(text, 3));
    bad |= bits;
    store<u8>(out, bits >> 16);
    store<u8>(out, bits >> 8, 1);
    store<u8>(out, bits, 2);
  }
  if (tail == 0) return bad >= 0;
  const bits = Group.bits(load<u8>(text), load<u8>(text, 1), tail == 3 ? load<u8>(text, 2) : LETTER_A, LETTER_A);
  const unused = tail == 3 ? 0xff : 0xffff;
  store<u8>(out, bits >> 16);
  if (tail == 3) store<u8>(out, bits >> 8, 1);
  return (bad | bits) >= 0 && (bits & unused) == 0;
}

/** Encodes `length` bytes to `encodedLength(length)` characters at `out`. */
export function encodeBase64Url(bytes: usize, length: i32, out: usize): void {
  const rest = length % 3;
  const groupsEnd = bytes + <usize>(length - rest);
  for (; bytes < groupsEnd; bytes += 3, out += 4) {
    store<u32>(
      out,
      Group.letters(((<i32>load<u8>(bytes)) << 16) | ((<i32>load<u8>(bytes, 1)) << 8) | (<i32>load<u8>(bytes, 2))),
    );
  }
  if (rest == 0) return;
  const letters = Group.letters(((<i32>load<u8>(bytes)) << 16) | (rest == 2 ? (<i32>load<u8>(bytes, 1)) << 8 : 0));
  store<u16>(out, letters);
  if (rest == 2) store<u8>(out, letters >> 16, 2);
}

const LETTER_A: i32 = 0x41;

/** Four characters and the 24 bits that they spell, without tables and branches. */
class Group {
  /** The bits of four characters, first character highest; negative when one is outside the alphabet. */
  static bits(a: i32, b: i32, c: i32, d: i32): i32 {
    return (Group.valueOf(a) << 18) | (Group.valueOf(b) << 12) | (Group.valueOf(c) << 6) | Group.valueOf(d);
  }

  /** The characters of 24 bits, the first in the lowest byte. */
  static letters(bits: i32): u32 {
    const low = Group.letterOf(bits >> 18) | (Group.letterOf((bits >> 12) & 63) << 8);
    return low | (Group.letterOf((bits >> 6) & 63) << 16) | (Group.letterOf(bits & 63) << 24);
  }

  /** 0..63, or -1 for a character outside the alphabet. The lines stand for A-Z, a-z, 0-9, `-` and `_`. */
  @inline
  private static valueOf(c: i32): i32 {
    let value = -1;
    value += Group.inside(c, 0x41, 0x5a) & (c - 0x40);
    value += Group.inside(c, 0x61, 0x7a) & (c - 0x46);
    value += Group.inside(c, 0x30, 0x39) & (c + 5);
    value += Group.inside(c, 0x2d, 0x2d) & 63;
    value += Group.inside(c, 0x5f, 0x5f) & 64;
    return value;
  }

  @inline
  private static letterOf(value: i32): i32 {
    let letter = value + 0x41;
    letter += Group.inside(value, 26, 51) & 6;
    letter -= Group.inside(value, 52, 61) & 69;
    letter -= Group.inside(value, 62, 62) & 82;
    letter -= Group.inside(value, 63, 63) & 33;
    return letter;
  }

  /** All ones when `low` <= `c` <= `high`, else 0; operands below 2^30. */
  @inline
  private static inside(c: i32, low: i32, high: i32): i32 {
    return ((low - 1 - c) & (c - high - 1)) >> 31;
  }
}
