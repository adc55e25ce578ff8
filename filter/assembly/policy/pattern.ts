// Istio's text patterns: `*`, `*suffix`, `prefix*`, else the exact text. A `*` elsewhere is a character like any other.
import { isUtf8 } from "../bytes/utf8";
import { View } from "../bytes/view";

const STAR: u8 = 0x2a;
const NEWLINE: u8 = 0x0a;

export enum PatternKind {
  Exact = 0,
  Prefix = 1,
  Suffix = 2,
  /** Any value, also an empty one: what Envoy's header matcher makes of `*`. */
  Present = 3,
  /** What RE2 makes of `.+`: see `isLine`. */
  Line = 4,
}

@final
export class Pattern {
  constructor(
    readonly kind: PatternKind,
    readonly text: View,
  ) {}

  /** @param star what `*` alone means: Present or Line */
  static of(value: View, star: PatternKind): Pattern {
    if (value.length == 1 && value.at(0) == STAR) return new Pattern(star, View.empty());
    if (value.at(0) == STAR) return new Pattern(PatternKind.Suffix, value.slice(1, value.length));
    if (value.at(value.length - 1) == STAR) return new Pattern(PatternKind.Prefix, value.slice(0, value.length - 1));
    return new Pattern(PatternKind.Exact, value);
  }

  matches(value: View): bool {
    switch (this.kind) {
      case PatternKind.Exact:
        return value.equals(this.text);
      case PatternKind.Prefix:
        return value.startsWith(this.text);
      case PatternKind.Suffix:
        return value.endsWith(this.text);
      case PatternKind.Present:
        return true;
      default:
        return isLine(value);
    }
  }
}

export function anyMatches(patterns: Pattern[], value: View): bool {
  for (let i = 0; i < patterns.length; i++) if (patterns[i].matches(value)) return true;
  return false;
}

/** Whether RE2's `.+` matches the whole text: not empty, UTF-8, no line feed. */
export function isLine(text: View): bool {
  return text.length > 0 && text.indexOf(NEWLINE) < 0 && isUtf8(text.ptr, text.length);
}

/** First position of `piece` in `text` at or after `from`, or -1. */
export function find(text: View, piece: View, from: i32): i32 {
  for (let at = from; at + piece.length <= text.length; at++) {
    let i = 0;
    while (i < piece.length && text.at(at + i) == piece.at(i)) i++;
    if (i == piece.length) return at;
  }
  return -1;
}

/** ASCII letters in lower case; the same view when there is nothing to change. */
export function lowerCase(text: View): View {
  let i = 0;
  while (i < text.length && !isUpper(text.at(i))) i++;
  if (i == text.length) return text;
  const lower = new Uint8Array(text.length);
  for (i = 0; i < text.length; i++) lower[i] = isUpper(text.at(i)) ? text.at(i) | 0x20 : text.at(i);
  return View.of(lower);
}

function isUpper(byte: u8): bool {
  return byte >= 0x41 && byte <= 0x5a;
}
