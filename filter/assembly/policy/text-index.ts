// Finds the rules that a text can match without walking all of them: one pass over the text hashes each of its beginnings
// (FNV-1a), and only beginnings as long as some key are looked up. A hash is a hint; the key itself is compared.
import { View } from "../bytes/view";
import { CompiledRule } from "./compiled-rule";
import { RequestAttributes } from "./types";

const FNV_OFFSET: u32 = 0x811c9dc5;
const FNV_PRIME: u32 = 0x01000193;

@final
class Entry {
  next: Entry | null = null;

  constructor(
    readonly hash: u32,
    readonly key: View,
    readonly isPrefix: bool,
    readonly rule: CompiledRule,
  ) {}

  /** Whether a text may have this key: it begins with `length` bytes of that hash, or is just these (`isWhole`). */
  isKeyOf(hash: u32, length: i32, isWhole: bool): bool {
    return this.hash == hash && this.key.length == length && (this.isPrefix || isWhole);
  }
}

@final
export class TextIndex {
  private count: i32 = 0;
  /** Chains of entries by hash; the number of chains is a power of two. */
  private chains: StaticArray<Entry | null> = new StaticArray<Entry | null>(4);
  /** Whether there is a key of that length. */
  private lengths: StaticArray<bool> = new StaticArray<bool>(0);

  get isEmpty(): bool {
    return this.count == 0;
  }

  /** Lets `rule` be found by every text that is `key`, or begins with it. */
  add(key: View, isPrefix: bool, rule: CompiledRule): void {
    if (key.length >= this.lengths.length)
      this.lengths = StaticArray.concat(this.lengths, new StaticArray<bool>(key.length + 1 - this.lengths.length));
    this.lengths[key.length] = true;
    if (this.count++ == this.chains.length) this.grow();
    this.link(new Entry(hashOf(key), key, isPrefix, rule));
  }

  /** The first rule, in order, that `text` leads to and that matches; `best` when there is none before that one. */
  first(text: View, request: RequestAttributes, best: CompiledRule | null): CompiledRule | null {
    const lengths = this.lengths;
    const end = min(text.length, lengths.length - 1);
    let hash = FNV_OFFSET;
    for (let length = 0; length < end; length++) {
      if (lengths[length]) best = this.probe(hash, text, length, request, best);
      hash = (hash ^ text.at(length)) * FNV_PRIME;
    }
    return lengths[end] ? this.probe(hash, text, end, request, best) : best;
  }

  private probe(
    hash: u32,
    text: View,
    length: i32,
    request: RequestAttributes,
    best: CompiledRule | null,
  ): CompiledRule | null {
    const isWhole = length == text.length;
    let entry = this.chains[hash & (this.chains.length - 1)];
    while (entry !== null) {
      const isEarlier = best === null || entry.rule.order < best.order;
      if (
        isEarlier &&
        entry.isKeyOf(hash, length, isWhole) &&
        text.startsWith(entry.key) &&
        entry.rule.matches(request)
      ) {
        best = entry.rule;
      }
      entry = entry.next;
    }
    return best;
  }

  private link(entry: Entry): void {
    const chain = entry.hash & (this.chains.length - 1);
    entry.next = this.chains[chain];
    this.chains[chain] = entry;
  }

  private grow(): void {
    const before = this.chains;
    this.chains = new StaticArray<Entry | null>(before.length * 2);
    for (let i = 0; i < before.length; i++) {
      let entry = before[i];
      while (entry !== null) {
        const next = entry.next;
        this.link(entry);
        entry = next;
      }
    }
  }
}

function hashOf(key: View): u32 {
  let hash = FNV_OFFSET;
  for (let i = 0; i < key.length; i++) hash = (hash ^ key.at(i)) * FNV_PRIME;
  return hash;
}
