/** Finds equal byte strings in a list without comparing every pair: an attacker chooses the list. */
import { View } from "../bytes/view";

/** Below this many, comparing every pair is cheaper than sorting. */
const PAIRWISE_MAX_COUNT = 8;

export function hasDuplicate(texts: View[]): bool {
  if (texts.length <= PAIRWISE_MAX_COUNT) return hasEqualPair(texts);
  const sorted = texts.slice().sort((a, b) => a.compare(b));
  for (let i = 1; i < sorted.length; i++) if (sorted[i].equals(sorted[i - 1])) return true;
  return false;
}

function hasEqualPair(texts: View[]): bool {
  for (let i = 1; i < texts.length; i++) {
    for (let j = 0; j < i; j++) if (texts[i].equals(texts[j])) return true;
  }
  return false;
}
