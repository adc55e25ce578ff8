/** Scanning loops of the text parsers, on raw memory. Timing: variable; for public bytes. Allocates nothing. */

/** Bytes before the first control character, `"` or `\` among `length` bytes at `text`; `length` when there is none. */
export function plainLength(text: usize, length: i32): i32 {
  for (let i = 0; i < length; i++) {
    const byte = load<u8>(text + <usize>i);
    if (byte < 0x20 || byte == 0x22 || byte == 0x5c) return i;
  }
  return length;
}

/** How many of `length` bytes at `text` are `,`, `:`, `[` or `{`. */
export function countSeparators(text: usize, length: i32): i32 {
  let count = 0;
  for (let i = 0; i < length; i++) {
    const byte = load<u8>(text + <usize>i);
    count += i32(byte == 0x2c) | i32(byte == 0x3a) | i32((byte | 0x20) == 0x7b);
  }
  return count;
}
