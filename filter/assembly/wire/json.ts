/** Strict JSON (RFC 8259) in which a text has one meaning: UTF-8 without BOM, no duplicate member name (after unescaping),
 *  integers of at most 2^53-1 in magnitude and no `-0`, no lone surrogate, at most JSON_DEPTH_MAX nested containers, white
 *  space before and inside the value but nothing after it. No fractions, no exponents.
 *  Memory grows with the input: about 60 bytes per value. Timing: variable, O(n log n). */
import { View } from "../bytes/view";
import { JSON_DEPTH_MAX } from "../gen/limits";
import { equalsAscii } from "./ascii";
import { hasDuplicate } from "./duplicates";
import { readString } from "./json-string";
import { Reader } from "./reader";
import { isUtf8 } from "../bytes/utf8";

const MAX_SAFE_INTEGER: i64 = 9007199254740991;
const NO_TEXT = View.empty();
const NO_ITEMS: Json[] = [];
const NO_KEYS: View[] = [];

export enum JsonKind {
  Null = 0,
  Bool = 1,
  Integer = 2,
  String = 3,
  Array = 4,
  Object = 5,
}

@final
export class Json {
  integer: i64 = 0;
  bool: bool = false;
  /** String: its unescaped UTF-8. */
  text: View = NO_TEXT;
  /** Array: the items. Object: the member values. */
  items: Json[] = NO_ITEMS;
  /** Object: the member names, unescaped, in the order of `items`. */
  keys: View[] = NO_KEYS;

  constructor(readonly kind: JsonKind) {}

  /** The member of an Object with this (ASCII) name; null when there is none and for every other kind. */
  get(name: string): Json | null {
    for (let i = 0; i < this.keys.length; i++) if (equalsAscii(this.keys[i], name)) return this.items[i];
    return null;
  }

  /** Like `get`, for any name. */
  member(name: View): Json | null {
    for (let i = 0; i < this.keys.length; i++) if (this.keys[i].equals(name)) return this.items[i];
    return null;
  }

  /** Whether this is a String and equal to an ASCII literal. */
  textIs(literal: string): bool {
    return this.kind == JsonKind.String && equalsAscii(this.text, literal);
  }
}

/** The value that `text` spells, or null when it is not strict JSON. Strings without escapes share the memory of `text`. */
export function parseJson(text: View, allowNegative: bool): Json | null {
  if (!isUtf8(text.ptr, text.length)) return null;
  const parser = new Parser(new Reader(text), allowNegative);
  const value = parser.value(0);
  return parser.atEnd() ? value : null;
}

@final
class Parser {
  constructor(
    private readonly reader: Reader,
    private readonly allowNegative: bool,
  ) {}

  atEnd(): bool {
    return this.reader.remaining() == 0;
  }

  /** `depth`: containers around this value. */
  value(depth: i32): Json | null {
    this.skipSpace();
    switch (this.reader.peek()) {
      case 0x7b:
        return depth < JSON_DEPTH_MAX ? this.object(depth + 1) : null;
      case 0x5b:
        return depth < JSON_DEPTH_MAX ? this.array(depth + 1) : null;
      case 0x22:
        return this.string();
      case 0x74:
        return this.word("true") ? boolean(true) : null;
      case 0x66:
        return this.word("false") ? boolean(false) : null;
      case 0x6e:
        return this.word("null") ? new Json(JsonKind.Null) : null;
      default:
        return this.integer();
    }
  }

  private object(depth: i32): Json | null {
    const object = new Json(JsonKind.Object);
    this.reader.next();
    this.skipSpace();
    if (this.reader.skip(0x7d)) return object;
    object.items = [];
    object.keys = [];
    do {
      this.skipSpace();
      const key = readString(this.reader);
      if (key == null) return null;
      this.skipSpace();
      if (!this.reader.skip(0x3a)) return null;
      const value = this.value(depth);
      if (value == null) return null;
      object.keys.push(key);
      object.items.push(value);
      this.skipSpace();
    } while (this.reader.skip(0x2c));
    return this.reader.skip(0x7d) && !hasDuplicate(object.keys) ? object : null;
  }

  private array(depth: i32): Json | null {
    const array = new Json(JsonKind.Array);
    this.reader.next();
    this.skipSpace();
    if (this.reader.skip(0x5d)) return array;
    array.items = [];
    do {
      const value = this.value(depth);
      if (value == null) return null;
      array.items.push(value);
      this.skipSpace();
    } while (this.reader.skip(0x2c));
    return this.reader.skip(0x5d) ? array : null;
  }

  private string(): Json | null {
    const text = readString(this.reader);
    if (text == null) return null;
    const value = new Json(JsonKind.String);
    value.text = text;
    return value;
  }

  private integer(): Json | null {
    const negative = this.reader.skip(0x2d);
    if (negative && !this.allowNegative) return null;
    const start = this.reader.position;
    let magnitude: i64 = 0;
    for (let digit = this.digit(); digit >= 0; digit = this.digit()) {
      this.reader.position++;
      magnitude = magnitude * 10 + digit;
      if (magnitude > MAX_SAFE_INTEGER) return null;
      if (magnitude == 0 && (negative || this.digit() >= 0)) return null;
    }
    if (this.reader.position == start) return null;
    const value = new Json(JsonKind.Integer);
    value.integer = negative ? -magnitude : magnitude;
    return value;
  }

  private digit(): i32 {
    const digit = this.reader.peek() - 0x30;
    return digit <= 9 ? digit : -1;
  }

  private word(word: string): bool {
    for (let i = 0; i < word.length; i++) if (!this.reader.skip(word.charCodeAt(i))) return false;
    return true;
  }

  private skipSpace(): void {
    while (isSpace(this.reader.peek())) this.reader.position++;
  }
}

function isSpace(byte: i32): bool {
  return byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09;
}

function boolean(value: bool): Json {
  const json = new Json(JsonKind.Bool);
  json.bool = value;
  return json;
}
