/** base64url without padding (RFC 4648 section 5), one spelling per byte string: no padding, no white space, unused bits
 *  zero. Timing: variable (table look-ups by the text); used on public bytes only. */
import { View } from "../bytes/view";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const INVALID: u8 = 64;
const VALUES: StaticArray<u8> = valuesOfAlphabet();

/** The bytes that `text` spells, in a fresh buffer; null when it is not strict base64url. */
export function decodeBase64Url(text: View): View | null {
  const tail = text.length & 3;
  if (tail == 1) return null;
  const groupsEnd = text.length - tail;
  const out = new Uint8Array(decodedLength(text.length));
  let o = 0;
  let seen: u32 = 0;
  for (let i = 0; i < groupsEnd; i += 4) {
    const a = valueAt(text, i);
    const b = valueAt(text, i + 1);
    const c = valueAt(text, i + 2);
    const d = valueAt(text, i + 3);
    seen |= a | b | c | d;
    const group = (a << 18) | (b << 12) | (c << 6) | d;
    out[o++] = <u8>(group >> 16);
    out[o++] = <u8>(group >> 8);
    out[o++] = <u8>group;
  }
  if (tail > 0) {
    const a = valueAt(text, groupsEnd);
    const b = valueAt(text, groupsEnd + 1);
    const c = tail == 3 ? valueAt(text, groupsEnd + 2) : 0;
    seen |= a | b | c;
    const group = (a << 18) | (b << 12) | (c << 6);
    if ((group & (tail == 3 ? 0xff : 0xffff)) != 0) return null;
    out[o++] = <u8>(group >> 16);
    if (tail == 3) out[o++] = <u8>(group >> 8);
  }
  return (seen & INVALID) == 0 ? View.of(out) : null;
}

/** Bytes that a text of `textLength` characters spells (0..2^31-1). */
export function decodedLength(textLength: i32): i32 {
  return (textLength >> 2) * 3 + max((textLength & 3) - 1, 0);
}

export function encodeBase64Url(bytes: View): string {
  return encodeBase64UrlBytes(bytes).toString();
}

/** The text of `encodeBase64Url` as ASCII bytes in a fresh buffer. */
export function encodeBase64UrlBytes(bytes: View): View {
  const rest = bytes.length % 3;
  const out = new Uint8Array((bytes.length / 3) * 4 + (rest == 0 ? 0 : rest + 1));
  let o = 0;
  let group: u32 = 0;
  for (let i = 0; i < bytes.length; i++) {
    group = (group << 8) | (<u32>bytes.at(i));
    if (i % 3 != 2) continue;
    for (let shift = 18; shift >= 0; shift -= 6) out[o++] = letter(group >> shift);
    group = 0;
  }
  if (rest > 0) {
    group <<= rest == 1 ? 16 : 8;
    for (let shift = 18; o < out.length; shift -= 6) out[o++] = letter(group >> shift);
  }
  return View.of(out);
}

function letter(bits: u32): u8 {
  return <u8>ALPHABET.charCodeAt(<i32>(bits & 63));
}

function valueAt(text: View, index: i32): u32 {
  return <u32>VALUES[<i32>text.at(index)];
}

function valuesOfAlphabet(): StaticArray<u8> {
  const values = new StaticArray<u8>(256);
  for (let i = 0; i < 256; i++) values[i] = INVALID;
  for (let i = 0; i < 64; i++) values[ALPHABET.charCodeAt(i)] = <u8>i;
  return values;
}
