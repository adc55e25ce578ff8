/** UTF-8 on raw memory (RFC 3629 section 4): no overlong forms, no surrogates, nothing above U+10FFFF.
 *  Timing: variable; for public bytes. Allocates nothing. */

const HIGH_BITS: u64 = 0x8080808080808080;

/** Whether `length` bytes at `text` are well-formed; no bytes are. */
export function isUtf8(text: usize, length: i32): bool {
  const end = text + <usize>length;
  while (text < end) {
    const lead = load<u8>(text);
    if (lead < 0x80) {
      text = text + 8 <= end && (load<u64>(text) & HIGH_BITS) == 0 ? text + 8 : text + 1;
      continue;
    }
    const sequence = sequenceLength(text, end, lead);
    if (sequence == 0) return false;
    text += sequence;
  }
  return true;
}

/** Bytes of the multi-byte sequence at `text`, or 0 when it is ill-formed. */
function sequenceLength(text: usize, end: usize, lead: u8): usize {
  const length: usize = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text + length > end) return 0;
  const second = load<u8>(text, 1);
  if (second < lowestSecond(lead) || second > highestSecond(lead)) return 0;
  for (let i: usize = 2; i < length; i++) if ((load<u8>(text + i) & 0xc0) != 0x80) return 0;
  return length;
}

function lowestSecond(lead: u8): u8 {
  return lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
}

function highestSecond(lead: u8): u8 {
  return lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
}
