// Path templates: `{*}` is one segment, `{**}` any number of characters across segments, at most one, and no `{*}` after it.
// The same language as Envoy's uri_template matcher on the pattern that istiod makes of it: a wildcard takes pchar of RFC 3986
// and nothing else, literals take pchar without `*`.
import { View } from "../bytes/view";
import { equalsAscii } from "../wire/ascii";

const SLASH: u8 = 0x2f;
const STAR: u8 = 0x2a;
const ONE = "{*}";
const ANY = "{**}";

/** Whether a path value is a template at all. */
export function isTemplate(path: View): bool {
  for (let i = path.indexOf(0x7b); i >= 0; i = path.indexOf(0x7b, i + 1)) {
    const end = path.indexOf(0x7d, i);
    if (end < 0) return false;
    const piece = path.slice(i, end + 1);
    if (equalsAscii(piece, ONE) || equalsAscii(piece, ANY)) return true;
  }
  return false;
}

/** Whether a template is one that Envoy takes: absolute, segments not empty (one slash may end it). */
export function isValidTemplate(path: View): bool {
  if (path.at(0) != SLASH) return false;
  let seenAny = false;
  for (let start = 1; start <= path.length;) {
    const segment = path.slice(start, segmentEnd(path, start));
    start += segment.length + 1;
    if (segment.length == 0) return start > path.length;
    const isAny = equalsAscii(segment, ANY);
    if (isAny || equalsAscii(segment, ONE)) {
      if (seenAny) return false;
      seenAny = isAny;
    } else if (segment.indexOf(STAR) >= 0 || !arePchars(segment, 0, segment.length)) return false;
  }
  return true;
}

/** A valid template, ready to match: segments up to `{**}`, and the text behind it. */
@final
export class Template {
  /** Text before the first wildcard: every match starts with it. */
  readonly prefix: View;
  /** Segments before `{**}`; null stands for `{*}`. */
  private readonly segments: Array<View | null> = [];
  /** Text after `{**}`; null without one. */
  private tail: View | null = null;

  constructor(path: View) {
    this.prefix = path.slice(0, path.indexOf(0x7b));
    let start = 1;
    while (start <= path.length && this.tail === null) {
      const end = segmentEnd(path, start);
      const segment = path.slice(start, end);
      if (equalsAscii(segment, ANY)) this.tail = path.slice(end, path.length);
      else this.segments.push(equalsAscii(segment, ONE) ? null : segment);
      start = end + 1;
    }
  }

  /** @param path without query */
  matches(path: View): bool {
    let position = 0;
    for (let i = 0; i < this.segments.length; i++) {
      if (position == path.length || path.at(position) != SLASH) return false;
      const start = position + 1;
      position = segmentEnd(path, start);
      if (!matchesSegment(this.segments[i], path, start, position)) return false;
    }
    const tail = this.tail;
    return tail === null ? position == path.length : matchesRest(path, position, tail);
  }
}

/** `/`, then any literals and slashes, then `tail`. */
function matchesRest(path: View, start: i32, tail: View): bool {
  const end = path.length - tail.length;
  if (start >= end || path.at(start) != SLASH || !path.endsWith(tail)) return false;
  for (let i = start; i < end; i++) if (path.at(i) != SLASH && !isPchar(path.at(i))) return false;
  return true;
}

function matchesSegment(segment: View | null, path: View, start: i32, end: i32): bool {
  if (segment === null) return arePchars(path, start, end);
  if (segment.length != end - start) return false;
  for (let i = start; i < end; i++) if (path.at(i) != segment.at(i - start)) return false;
  return true;
}

function segmentEnd(path: View, start: i32): i32 {
  const slash = path.indexOf(SLASH, start);
  return slash < 0 ? path.length : slash;
}

function arePchars(text: View, start: i32, end: i32): bool {
  for (let i = start; i < end; i++) if (!isPchar(text.at(i))) return false;
  return start < end;
}

/** pchar of RFC 3986 appendix A, the percent sign whatever follows it. */
function isPchar(byte: u8): bool {
  const letter = byte | 0x20;
  if (letter >= 0x61 && letter <= 0x7a) return true;
  switch (byte) {
    case 0x21: // !
    case 0x3d: // =
    case 0x40: // @
    case 0x5f: // _
    case 0x7e: // ~
      return true;
    default:
      // $ % & ' ( ) * + , - .  digits : ;
      return (byte >= 0x24 && byte <= 0x2e) || (byte >= 0x30 && byte <= 0x3b);
  }
}
