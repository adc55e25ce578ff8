/** Comparison of bytes with ASCII literals, without encoding the literal first. Timing: variable. Allocates nothing. */
import { View } from "../bytes/view";

/** Whether `text` is exactly `literal`, which holds ASCII only. */
export function equalsAscii(text: View, literal: string): bool {
  if (text.length != literal.length) return false;
  for (let i = 0; i < text.length; i++) if (<i32>text.at(i) != literal.charCodeAt(i)) return false;
  return true;
}
