/** Several targets in turn, so that each gets its share of a run however it ends. */
import { Arithmetic } from "./arithmetic.ts";
import type { ArithmeticTarget } from "./arithmetic.ts";
import { Fuzzer } from "./fuzzer.ts";
import type { Finding } from "./fuzzer.ts";
import type { Target } from "./target.ts";

export interface SessionOptions {
  readonly targets: readonly (Target | ArithmeticTarget)[];
  readonly seed: number;
  /** Of each target. */
  readonly seconds: number;
  /** Of each target; a target that reaches it is done. */
  readonly executions: number;
  /** After each turn of a target. */
  readonly onTurn?: (progress: Progress) => void;
}

export interface Progress {
  readonly name: string;
  readonly executions: number;
  readonly seconds: number;
  readonly corpus: number;
  readonly edges: number;
  readonly findings: readonly Finding[];
}

interface Work {
  readonly executions: number;
  readonly corpusSize: number;
  readonly edges: number;
  readonly findings: readonly Finding[];
  step(): void;
}

const TURN_MS = 2_000;
/** The clock is asked once for so many steps. */
const STEPS = 16;

export function runSession(options: SessionOptions): readonly Progress[] {
  const stackTraceLimit = Error.stackTraceLimit;
  // Refusals are exceptions in TypeScript, and nobody reads where they came from.
  Error.stackTraceLimit = 0;
  try {
    return run(options);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

function run({ targets, seed, seconds, executions, onTurn }: SessionOptions): readonly Progress[] {
  const players = targets.map((target) => new Player(target, seed));
  const isDone = (player: Player): boolean =>
    player.elapsedMs >= seconds * 1000 ||
    player.progress.executions >= executions ||
    player.progress.findings.length > 0;
  for (let playing = players; playing.length > 0; playing = playing.filter((player) => !isDone(player)))
    for (const player of playing) {
      player.play(Math.min(TURN_MS, seconds * 1000 - player.elapsedMs), executions);
      onTurn?.(player.progress);
    }
  return players.map(({ progress }) => progress);
}

class Player {
  elapsedMs = 0;
  readonly #name: string;
  readonly #work: Work;

  constructor(target: Target | ArithmeticTarget, seed: number) {
    this.#name = target.name;
    this.#work = "start" in target ? new Fuzzer(target, seed) : new Arithmetic(target, seed);
  }

  get progress(): Progress {
    const { executions, corpusSize, edges, findings } = this.#work;
    return { name: this.#name, executions, seconds: this.elapsedMs / 1000, corpus: corpusSize, edges, findings };
  }

  play(turnMs: number, executionsMax: number): void {
    const started = performance.now();
    do for (let i = 0; i < STEPS; i++) this.#work.step();
    while (
      performance.now() - started < turnMs &&
      this.#work.executions < executionsMax &&
      this.#work.findings.length === 0
    );
    this.elapsedMs += performance.now() - started;
  }
}
