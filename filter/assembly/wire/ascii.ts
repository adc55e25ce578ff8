/** Comparison of bytes with ASCII literals, without encoding the literal first. Timing: variable. Allocates nothing. */
import { View } from "../bytes/view";

/** Whether `text` is exactly `literal`, which holds ASCII only. */
export function equalsAscii(text: View, literal: string): bool {
  return text.length == literal.length && hasAsciiAt(text, 0, literal);
}

/** Whether `literal`, which holds ASCII only, stands in `text` at `start`; the text must be long enough. */
export function hasAsciiAt(text: View, start: i32, literal: string): bool {
  for (let i = 0; i < literal.length; i++) if (<i32>text.at(start + i) != literal.charCodeAt(i)) return false;
  return true;
}
