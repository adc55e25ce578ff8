/** JSON strings (RFC 8259 section 7); a lone surrogate is a fault. Timing: variable. */
import { plainLength } from "../bytes/scan";
import { View } from "../bytes/view";
import { Reader } from "./reader";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Where a string lies between its quotes, as spelled. */
@final
export class StringSpan {
  start: i32 = 0;
  length: i32 = 0;
  isEscaped: bool = false;
}

/** Reads a string with its quotes from well-formed UTF-8; false when it is faulty. */
export function readString(reader: Reader, span: StringSpan): bool {
  if (!reader.skip(QUOTE)) return false;
  span.start = reader.position;
  span.isEscaped = false;
  for (;;) {
    reader.position += plainLength(reader.pointer(), reader.remaining());
    const byte = reader.next();
    if (byte == QUOTE) break;
    if (byte != BACKSLASH || codePoint(reader) < 0) return false;
    span.isEscaped = true;
  }
  span.length = reader.position - 1 - span.start;
  return true;
}

/** What the inside of a string that `readString` accepted stands for. No escape is shorter than the UTF-8 of its character, so
 *  the raw length bounds the result. */
export function unescape(raw: View): View {
  const out = new Uint8Array(raw.length);
  const reader = new Reader(raw);
  let o = 0;
  while (reader.remaining() > 0) {
    const byte = reader.next();
    if (byte == BACKSLASH) o = putUtf8(out, o, <u32>codePoint(reader));
    else out[o++] = <u8>byte;
  }
  return View.of(out).slice(0, o);
}

/** The character of the escape behind a backslash, or -1. */
function codePoint(reader: Reader): i32 {
  const letter = reader.next();
  switch (letter) {
    case QUOTE:
    case BACKSLASH:
    case 0x2f:
      return letter;
    case 0x62:
      return 0x08;
    case 0x66:
      return 0x0c;
    case 0x6e:
      return 0x0a;
    case 0x72:
      return 0x0d;
    case 0x74:
      return 0x09;
    case 0x75:
      return unicodeEscape(reader);
    default:
      return -1;
  }
}

function unicodeEscape(reader: Reader): i32 {
  const high = hex4(reader);
  if (high < 0xd800 || high > 0xdfff) return high;
  if (high > 0xdbff || !reader.skip(BACKSLASH) || !reader.skip(0x75)) return -1;
  const low = hex4(reader);
  if (low < 0xdc00 || low > 0xdfff) return -1;
  return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

function hex4(reader: Reader): i32 {
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const digit = hexDigit(reader.next());
    if (digit < 0) return -1;
    value = (value << 4) | digit;
  }
  return value;
}

function hexDigit(byte: i32): i32 {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return byte > 0 && letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function putUtf8(out: Uint8Array, at: i32, point: u32): i32 {
  let o = at;
  if (point < 0x80) {
    out[o++] = <u8>point;
    return o;
  }
  if (point < 0x800) {
    out[o++] = <u8>(0xc0 | (point >> 6));
  } else {
    if (point < 0x10000) {
      out[o++] = <u8>(0xe0 | (point >> 12));
    } else {
      out[o++] = <u8>(0xf0 | (point >> 18));
      out[o++] = <u8>(0x80 | ((point >> 12) & 0x3f));
    }
    out[o++] = <u8>(0x80 | ((point >> 6) & 0x3f));
  }
  out[o++] = <u8>(0x80 | (point & 0x3f));
  return o;
}
