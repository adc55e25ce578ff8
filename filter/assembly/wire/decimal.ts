/** Decimal numbers in their only spelling: digits, no sign, no leading zero. Timing: variable. */
import { View } from "../bytes/view";

const TENTH: u64 = u64.MAX_VALUE / 10;
const LAST_DIGIT: u64 = u64.MAX_VALUE % 10;

/** Whether `text` is a decimal u64 (docs/envelope.md: `ver`, `seq`); `parseU64` reads it. */
export function isU64(text: View): bool {
  if (text.length == 0 || text.length > 20) return false;
  if (text.at(0) == 0x30 && text.length > 1) return false;
  let value: u64 = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = <u64>text.at(i) - 0x30;
    if (digit > 9 || value > TENTH || (value == TENTH && digit > LAST_DIGIT)) return false;
    value = value * 10 + digit;
  }
  return true;
}

/** The value of a text that `isU64` accepted. */
export function parseU64(text: View): u64 {
  let value: u64 = 0;
  for (let i = 0; i < text.length; i++) value = value * 10 + (<u64>text.at(i) - 0x30);
  return value;
}
