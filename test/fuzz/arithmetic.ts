/** Arithmetic of the filter on random and on extreme numbers, against big integers and OpenSSL. */
import type { Finding } from "./fuzzer.ts";
import { Random } from "./random.ts";

export interface ArithmeticTarget {
  readonly name: string;
  readonly cases: () => Cases;
}

/** Runs some cases and returns how many they were.
 *  @throws when two results differ */
export type Cases = (random: Random) => number;

export class Arithmetic {
  executions = 0;
  readonly corpusSize = 0;
  readonly edges = 0;
  readonly findings: Finding[] = [];
  readonly #cases: Cases;
  readonly #random: Random;

  constructor({ cases }: ArithmeticTarget, seed: number) {
    this.#cases = cases();
    this.#random = new Random(seed);
  }

  step(): void {
    try {
      this.executions += this.#cases(this.#random);
    } catch (error) {
      if (this.findings.length > 0) return;
      this.findings.push({ input: new Uint8Array(), error: error instanceof Error ? error : new Error(String(error)) });
    }
  }
}
