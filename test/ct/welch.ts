/**
 * Whether two classes of times differ: Welch's t-test as dudect does it (Reparaz, Balasch, Verbauwhede, "Dude, is my code
 * constant time?", 2017). Times have a long upper tail that hides small differences, so the test is made on all of them and on
 * what lies below each of 100 percentiles, which a first batch fixes; what counts is the largest |t|.
 */

export type Class = 0 | 1;

export type Verdict = "clean" | "suspect" | "leaks";

export interface Finding {
  readonly measurements: number;
  /** The largest |t| of all tests. */
  readonly maxT: number;
  /** Times above this percentile were left out of that test. */
  readonly percentile: number;
  /** Mean of class 0 less mean of class 1 in that test. */
  readonly differenceNs: number;
  /** Of the first batch, both classes. */
  readonly medianNs: number;
  readonly verdict: Verdict;
}

/** Of the paper: below, nothing was found. */
const SUSPECT_T = 4.5;
/** Of dudect: no accident. */
const LEAK_T = 10;
const CROPS = 100;
/** Fewer of a class are no test. */
const ENOUGH = 500;

interface Test {
  readonly percentile: number;
  readonly limitNs: number;
  readonly moments: readonly [Moments, Moments];
}

export class Comparison {
  #tests: readonly Test[] = [];
  #medianNs = 0;
  #measurements = 0;

  /** The first batch fixes where the tail begins and is not counted. */
  add(classes: Uint8Array, timesNs: Float64Array): void {
    if (this.#tests.length === 0) {
      this.#calibrate(timesNs);
      return;
    }
    this.#measurements += timesNs.length;
    for (const { limitNs, moments } of this.#tests)
      for (let i = 0; i < timesNs.length; i++) {
        const timeNs = timesNs[i] ?? 0;
        if (timeNs < limitNs) moments[classes[i] === 0 ? 0 : 1].add(timeNs);
      }
  }

  finding(): Finding {
    const scores = this.#tests.map(({ percentile, moments: [a, b] }) => ({
      percentile,
      t: Math.abs(welchT(a, b)),
      differenceNs: a.mean - b.mean,
    }));
    const worst = scores.reduce((most, score) => (score.t > most.t ? score : most));
    return {
      measurements: this.#measurements,
      maxT: worst.t,
      percentile: worst.percentile,
      differenceNs: worst.differenceNs,
      medianNs: this.#medianNs,
      verdict: verdictOf(worst.t),
    };
  }

  #calibrate(timesNs: Float64Array): void {
    const sorted = timesNs.toSorted();
    const at = (part: number): number => sorted[Math.floor(part * sorted.length)] ?? Infinity;
    this.#medianNs = at(0.5);
    const parts = Array.from({ length: CROPS }, (_, i) => 1 - 0.5 ** ((10 * (i + 1)) / CROPS));
    const limits = [...parts.map((part) => [part, at(part)] as const), [1, Infinity] as const];
    this.#tests = limits.map(([part, limitNs]) => ({
      percentile: 100 * part,
      limitNs,
      moments: [new Moments(), new Moments()],
    }));
  }
}

export function verdictOf(t: number): Verdict {
  if (t > LEAK_T) return "leaks";
  return t > SUSPECT_T ? "suspect" : "clean";
}

/** 0 while there is too little to say something. */
export function welchT(a: Moments, b: Moments): number {
  if (a.count < ENOUGH || b.count < ENOUGH) return 0;
  const error = Math.sqrt(a.variance / a.count + b.variance / b.count);
  return error === 0 ? (a.mean === b.mean ? 0 : Infinity) : (a.mean - b.mean) / error;
}

/** Mean and variance as they come (Welford 1962). */
export class Moments {
  count = 0;
  mean = 0;
  #squares = 0;

  add(value: number): void {
    this.count++;
    const delta = value - this.mean;
    this.mean += delta / this.count;
    this.#squares += delta * (value - this.mean);
  }

  get variance(): number {
    return this.#squares / (this.count - 1);
  }
}
