/** Finds equal byte strings in a list without comparing every pair: an attacker chooses the list. */
import { View } from "../bytes/view";

export function hasDuplicate(texts: View[]): bool {
  const sorted = texts.slice().sort((a, b) => a.compare(b));
  for (let i = 1; i < sorted.length; i++) if (sorted[i].equals(sorted[i - 1])) return true;
  return false;
}
