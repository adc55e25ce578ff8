/** What a benchmark is, and how contenders are measured: in one run, in turn, so that a noisy machine is noisy for all. */

export interface Bench {
  readonly name: string;
  /** Measures; `progress` is told what goes on. */
  run(progress: (text: string) => void, options: BenchOptions): Promise<BenchResult>;
}

/** What the command line says beside the name. */
export interface BenchOptions {
  /** A folder with modules that take part. */
  readonly peers?: string;
}

export interface BenchResult {
  /** Rows of the table that people read, the header first. */
  readonly table: readonly (readonly string[])[];
  /** What is promised, as `name` of a comparison: how many times. */
  readonly ratios: Readonly<Record<string, number>>;
  /** Numbers with their unit in the name. */
  readonly absolute: Readonly<Record<string, number>>;
  /** Sentences that the table needs, such as who takes no part. */
  readonly notes?: readonly string[];
}

export interface Contender {
  readonly name: string;
  /** One operation. */
  readonly operation: () => unknown;
  /** How many things one operation does, such as the statements of a set. */
  readonly units?: number;
}

export interface Rounds {
  readonly rounds: number;
  readonly roundMs: number;
  /** What a round is measured with; the time of the wall unless said otherwise. */
  readonly clockMs?: () => number;
}

export interface Measured {
  readonly medianPerSec: number;
  readonly minPerSec: number;
  readonly maxPerSec: number;
  /** Of each round. */
  readonly perSec: readonly number[];
}

/** Operations a second of each contender: all of them in every round, the median over the rounds. */
export async function measureInterleaved(
  contenders: readonly Contender[],
  { rounds, roundMs, clockMs = wallMs }: Rounds,
  progress: (text: string) => void,
): Promise<ReadonlyMap<string, Measured>> {
  const samples = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  // The first round warms up and is not counted.
  for (let round = 0; round <= rounds; round++) {
    progress(round === 0 ? "warming up" : `round ${round} of ${rounds}`);
    for (const contender of contenders) {
      const perSec = await ratePerSec(contender, roundMs, clockMs);
      if (round > 0) samples.get(contender.name)?.push(perSec);
    }
  }
  return new Map([...samples].map(([name, rates]) => [name, summary(rates)]));
}

function wallMs(): number {
  return performance.now();
}

async function ratePerSec(
  { operation, units = 1 }: Contender,
  roundMs: number,
  clockMs: () => number,
): Promise<number> {
  const start = clockMs();
  let count = 0;
  let elapsedMs: number;
  do {
    await operation();
    count++;
    elapsedMs = clockMs() - start;
  } while (elapsedMs < roundMs);
  return (count * units * 1000) / elapsedMs;
}

function summary(rates: readonly number[]): Measured {
  return { medianPerSec: median(rates), minPerSec: Math.min(...rates), maxPerSec: Math.max(...rates), perSec: rates };
}

/** How many times as quick: the median of what the rounds say, each of which was equally busy for both. */
export function ratioOf(one: Measured, other: Measured): number {
  return median(one.perSec.map((rate, round) => rate / (other.perSec[round] ?? Number.NaN)));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (low === undefined || high === undefined) throw new Error("the median of nothing");
  return (low + high) / 2;
}

/** To `digits` significant digits, for results that are committed. */
export function rounded(value: number, digits = 3): number {
  return Number(value.toPrecision(digits));
}
