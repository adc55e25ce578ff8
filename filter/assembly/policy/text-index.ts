// Finds the rules that a text can match without walking all of them: one pass over the text hashes each of its beginnings
// (FNV-1a), and only beginnings as long as some key are looked up. A hash is a hint; the key itself is compared.
import { View } from "../bytes/view";
import { CompiledRule } from "./compiled-rule";
import { RequestAttributes } from "./types";

const FNV_OFFSET: u32 = 0x811c9dc5;
const FNV_PRIME: u32 = 0x01000193;

@final
class Entry {
  constructor(
    readonly key: View,
    readonly isPrefix: bool,
    readonly rule: CompiledRule,
    readonly next: Entry | null,
  ) {}
}

@final
export class TextIndex {
  private readonly entries: Map<u32, Entry> = new Map<u32, Entry>();
  /** Whether there is a key of that length. */
  private readonly lengths: bool[] = [];

  get isEmpty(): bool {
    return this.lengths.length == 0;
  }

  /** Lets `rule` be found by every text that is `key`, or begins with it. */
  add(key: View, isPrefix: bool, rule: CompiledRule): void {
    while (this.lengths.length <= key.length) this.lengths.push(false);
    this.lengths[key.length] = true;
    const hash = hashOf(key);
    this.entries.set(hash, new Entry(key, isPrefix, rule, this.entries.has(hash) ? this.entries.get(hash) : null));
  }

  /** The first rule, in order, that `text` leads to and that matches; `best` when there is none before that one. */
  first(text: View, request: RequestAttributes, best: CompiledRule | null): CompiledRule | null {
    let hash = FNV_OFFSET;
    for (let length = 0; length < this.lengths.length; length++) {
      if (this.lengths[length]) best = this.probe(hash, text, length, request, best);
      if (length >= text.length) break;
      hash = (hash ^ text.at(length)) * FNV_PRIME;
    }
    return best;
  }

  private probe(
    hash: u32,
    text: View,
    length: i32,
    request: RequestAttributes,
    best: CompiledRule | null,
  ): CompiledRule | null {
    if (!this.entries.has(hash)) return best;
    for (let entry: Entry | null = this.entries.get(hash); entry !== null; entry = entry.next) {
      if (entry.key.length != length || !(entry.isPrefix || length == text.length)) continue;
      if (best !== null && best.order <= entry.rule.order) continue;
      if (text.startsWith(entry.key) && entry.rule.matches(request)) best = entry.rule;
    }
    return best;
  }
}

function hashOf(key: View): u32 {
  let hash = FNV_OFFSET;
  for (let i = 0; i < key.length; i++) hash = (hash ^ key.at(i)) * FNV_PRIME;
  return hash;
}
