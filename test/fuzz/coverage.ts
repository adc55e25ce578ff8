/** Which probes of an instrumented module have run, and which of them for the first time. */
import { COVERAGE_BYTES, COVERAGE_START } from "./instrument.ts";

const WORDS = COVERAGE_BYTES / 4;

export class Coverage {
  readonly #seen = new Uint32Array(WORDS);
  #words: Uint32Array = new Uint32Array(WORDS);
  #seenCount = 0;

  /** The memory that the next execution runs in, or has grown. */
  attach(memory: WebAssembly.Memory): void {
    if (this.#words.buffer !== memory.buffer) this.#words = new Uint32Array(memory.buffer, COVERAGE_START, WORDS);
  }

  clear(): void {
    this.#words.fill(0);
  }

  /** Whether a probe ran that never ran before; it has, from now on. */
  takeNew(): boolean {
    const [seen, words] = [this.#seen, this.#words];
    let isNew = false;
    for (let i = 0; i < WORDS; i++) {
      const fresh = words[i]! & ~seen[i]!;
      if (fresh === 0) continue;
      seen[i]! |= fresh;
      this.#seenCount += bitCount(fresh);
      isNew = true;
    }
    return isNew;
  }

  get count(): number {
    return this.#seenCount;
  }
}

function bitCount(word: number): number {
  let count = 0;
  for (let rest = word; rest !== 0; rest &= rest - 1) count++;
  return count;
}
