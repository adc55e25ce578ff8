/**
 * Coverage-guided fuzzing of one target: an input that reaches a probe for the first time is kept, and mutated further. The
 * seed decides everything.
 */
import { Random } from "./random.ts";
import { Scratch } from "./scratch.ts";
import type { Runner, Target } from "./target.ts";
import { Disagreement } from "./target.ts";

const STACKED_MAX = 6;
/** How often a mutation that knows the format is asked first, in per cent. */
const STRUCTURED = 40;
const PAGE_BYTES = 65_536;

/** An input that a law does not hold for. */
export interface Finding {
  readonly input: Uint8Array;
  readonly error: Error;
}

export class Fuzzer {
  executions = 0;
  readonly findings: Finding[] = [];
  readonly #target: Target;
  readonly #runner: Runner;
  /** At the beginning. */
  readonly #memoryBytes: number;
  readonly #random: Random;
  readonly #scratch: Scratch;
  readonly #corpus: Uint8Array[] = [];
  readonly #knownFaults = new Set<string>();

  constructor(target: Target, seed: number) {
    this.#target = target;
    this.#random = new Random(seed);
    this.#runner = target.start();
    this.#memoryBytes = this.#runner.memory().buffer.byteLength;
    this.#scratch = new Scratch({ ...target, random: this.#random });
    for (const input of target.seeds()) if (this.#execute(input)) this.#corpus.push(input);
    if (this.#corpus.length === 0) this.#corpus.push(new Uint8Array());
  }

  get corpusSize(): number {
    return this.#corpus.length;
  }

  get edges(): number {
    return this.#runner.coverage.count;
  }

  /** One execution. */
  step(): void {
    const scratch = this.#scratch;
    scratch.load(this.#choose());
    const { mutate, onlyFormat = false } = this.#target;
    const structured = (onlyFormat || this.#random.chance(STRUCTURED)) && mutate?.(scratch.bytes, this.#random);
    if (structured) scratch.load(structured);
    const count = onlyFormat ? 0 : structured ? this.#random.below(2) : 1 + this.#random.below(STACKED_MAX);
    for (let i = 0; i < count; i++) scratch.mutate(this.#choose());
    if (this.#execute(scratch.bytes)) this.#corpus.push(scratch.bytes.slice());
  }

  /** Half of the time one of the newest: they have been tried the least. */
  #choose(): Uint8Array {
    const corpus = this.#corpus;
    const newest = Math.min(corpus.length, 16);
    const i = this.#random.chance(50)
      ? corpus.length - 1 - this.#random.below(newest)
      : this.#random.below(corpus.length);
    return corpus[i]!;
  }

  /** Whether the input found something new. */
  #execute(input: Uint8Array): boolean {
    const { coverage, memory, run } = this.#runner;
    this.executions++;
    coverage.attach(memory());
    coverage.clear();
    try {
      run(input);
      const growthPages = (memory().buffer.byteLength - this.#memoryBytes) / PAGE_BYTES;
      if (growthPages > this.#target.memoryGrowthMaxPages) throw new Disagreement("the memory grows more than it may");
    } catch (error) {
      this.#report(input.slice(), error);
      return false;
    }
    coverage.attach(memory());
    return coverage.takeNew();
  }

  /** One for each text of an error. */
  #report(input: Uint8Array, thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const fault = error.message.replace(/\d+/g, "0").slice(0, 60);
    if (this.#knownFaults.has(fault)) return;
    this.#knownFaults.add(fault);
    this.findings.push({ input, error });
  }
}
