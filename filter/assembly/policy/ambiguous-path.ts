import { View } from "../bytes/view";

const DOT: u8 = 0x2e;
const SLASH: u8 = 0x2f;
const PERCENT: u8 = 0x25;

/** Whether servers may disagree about what a path (without query) names: an empty or dot segment, a backslash, a parameter
 *  (`;`), or an encoded slash, backslash, dot or NUL. */
export function isAmbiguousPath(path: View): bool {
  for (let i = 0; i < path.length; i++) {
    const byte = path.at(i);
    if (byte == SLASH && isOddSegment(path, i + 1)) return true;
    if (byte == 0x5c || byte == 0x3b || (byte == PERCENT && isOddEscape(path, i + 1))) return true;
  }
  return false;
}

/** Whether the segment that starts at `start` is empty (and not the last), `.` or `..`. */
function isOddSegment(path: View, start: i32): bool {
  if (start == path.length) return false;
  if (path.at(start) == SLASH) return true;
  let end = start;
  while (end < path.length && end - start < 2 && path.at(end) == DOT) end++;
  return end > start && (end == path.length || path.at(end) == SLASH);
}

/** `2f`, `5c`, `2e` or `00` after the percent sign. */
function isOddEscape(path: View, start: i32): bool {
  if (start + 1 >= path.length) return false;
  const high = path.at(start);
  const low = path.at(start + 1) | 0x20;
  if (high == 0x32) return low == 0x66 || low == 0x65;
  return (high == 0x35 && low == 0x63) || (high == 0x30 && path.at(start + 1) == 0x30);
}
