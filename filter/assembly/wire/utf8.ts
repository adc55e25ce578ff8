/** UTF-8 validation (RFC 3629 section 4): no overlong forms, no surrogates, nothing above U+10FFFF.
 *  Timing: variable; used on public bytes only. Allocates nothing. */
import { View } from "../bytes/view";

/** Whether all of `text` is well-formed UTF-8; empty text is. */
export function isUtf8(text: View): bool {
  let i = 0;
  while (i < text.length) {
    const lead = text.at(i);
    const length = lead < 0x80 ? 1 : sequenceLength(text, i, lead);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

/** Bytes of the multi-byte sequence at `start`, or 0 when it is ill-formed. */
function sequenceLength(text: View, start: i32, lead: u8): i32 {
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || start + length > text.length) return 0;
  const second = text.at(start + 1);
  if (second < lowestSecond(lead) || second > highestSecond(lead)) return 0;
  for (let i = 2; i < length; i++) if ((text.at(start + i) & 0xc0) != 0x80) return 0;
  return length;
}

function lowestSecond(lead: u8): u8 {
  return lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
}

function highestSecond(lead: u8): u8 {
  return lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
}
