/** Strict JSON (RFC 8259) in which a text has one meaning: UTF-8 without BOM, no duplicate member name (after unescaping),
 *  integers of at most 2^53-1 in magnitude and no `-0`, no lone surrogate, at most JSON_DEPTH_MAX nested containers, white
 *  space before and inside the value but nothing after it. No fractions, no exponents.
 *  Timing: variable, O(n log n). */
import { isUtf8 } from "../bytes/utf8";
import { View } from "../bytes/view";
import { JSON_DEPTH_MAX } from "../gen/limits";
import { StringSpan, readString } from "./json-string";
import { JsonKind, JsonTape } from "./json-tape";
import { Reader } from "./reader";

const MAX_SAFE_INTEGER: i64 = 9007199254740991;

/** The nodes of the value that `text` spells, or null when it is not strict JSON. */
export function parseTape(text: View, allowNegative: bool): JsonTape | null {
  if (!isUtf8(text.ptr, text.length)) return null;
  const reader = new Reader(text);
  const parser = new Parser(reader, allowNegative);
  return parser.value(0) && reader.remaining() == 0 ? parser.tape : null;
}

/** Each method reads one thing and tells whether it was there. */
@final
class Parser {
  readonly tape: JsonTape;
  private readonly span: StringSpan = new StringSpan();

  constructor(
    private readonly reader: Reader,
    private readonly allowNegative: bool,
  ) {
    this.tape = new JsonTape(reader.bytes);
  }

  /** `depth`: containers around this value. */
  value(depth: i32): bool {
    switch (this.peekBehindSpace()) {
      case 0x7b:
        return depth < JSON_DEPTH_MAX && this.object(depth + 1);
      case 0x5b:
        return depth < JSON_DEPTH_MAX && this.array(depth + 1);
      case 0x22:
        return this.string();
      case 0x74:
        return this.word("true", JsonKind.Bool, 1);
      case 0x66:
        return this.word("false", JsonKind.Bool, 0);
      case 0x6e:
        return this.word("null", JsonKind.Null, 0);
      default:
        return this.integer();
    }
  }

  private object(depth: i32): bool {
    const object = this.tape.add(JsonKind.Object, 0, 0);
    let count = 0;
    this.reader.next();
    if (this.peekBehindSpace() != 0x7d) {
      do {
        this.peekBehindSpace();
        if (!this.string() || !this.skipBehindSpace(0x3a) || !this.value(depth)) return false;
        count++;
      } while (this.skipBehindSpace(0x2c));
    }
    this.tape.close(object, count);
    return this.skipBehindSpace(0x7d) && !this.tape.hasDuplicateName(object);
  }

  private array(depth: i32): bool {
    const array = this.tape.add(JsonKind.Array, 0, 0);
    let count = 0;
    this.reader.next();
    if (this.peekBehindSpace() != 0x5d) {
      do {
        if (!this.value(depth)) return false;
        count++;
      } while (this.skipBehindSpace(0x2c));
    }
    this.tape.close(array, count);
    return this.skipBehindSpace(0x5d);
  }

  private string(): bool {
    if (!readString(this.reader, this.span)) return false;
    this.tape.addString(this.span.start, this.span.length, this.span.isEscaped);
    return true;
  }

  private integer(): bool {
    const negative = this.reader.skip(0x2d);
    if (negative && !this.allowNegative) return false;
    const start = this.reader.position;
    let magnitude: i64 = 0;
    for (let digit = this.digit(); digit >= 0; digit = this.digit()) {
      this.reader.position++;
      magnitude = magnitude * 10 + digit;
      if (magnitude > MAX_SAFE_INTEGER) return false;
      if (magnitude == 0 && (negative || this.digit() >= 0)) return false;
    }
    this.tape.addInteger(negative ? -magnitude : magnitude);
    return this.reader.position > start;
  }

  private digit(): i32 {
    const digit = this.reader.peek() - 0x30;
    return digit <= 9 ? digit : -1;
  }

  private word(word: string, kind: JsonKind, value: u32): bool {
    for (let i = 0; i < word.length; i++) if (!this.reader.skip(word.charCodeAt(i))) return false;
    this.tape.add(kind, value, 0);
    return true;
  }

  private skipBehindSpace(byte: i32): bool {
    this.peekBehindSpace();
    return this.reader.skip(byte);
  }

  private peekBehindSpace(): i32 {
    let byte = this.reader.peek();
    while (isSpace(byte)) {
      this.reader.position++;
      byte = this.reader.peek();
    }
    return byte;
  }
}

function isSpace(byte: i32): bool {
  return byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09;
}
