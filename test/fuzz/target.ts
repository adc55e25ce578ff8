/** What is fuzzed. A target runs one input at a time and throws when a law does not hold; a trap throws by itself. */
import type { Coverage } from "./coverage.ts";
import type { Random } from "./random.ts";

export interface Target {
  readonly name: string;
  /** Inputs to begin with, out of the vectors and generators of the other tests. */
  readonly seeds: () => readonly Uint8Array[];
  /** Pieces that mutations put in. */
  readonly dictionary: readonly (string | Uint8Array)[];
  readonly maxBytes: number;
  /** By how many pages of 64 KiB the linear memory may grow. */
  readonly memoryGrowthMaxPages: number;
  /** A mutation that knows the format; undefined when the input is not of it. */
  readonly mutate?: (input: Uint8Array, random: Random) => Uint8Array | undefined;
  /** Bytes that are not of the format say nothing: no other mutations. */
  readonly onlyFormat?: boolean;
  readonly start: () => Runner;
}

export interface Runner {
  readonly coverage: Coverage;
  readonly memory: () => WebAssembly.Memory;
  /** @throws whatever is wrong. The input is only lent. */
  readonly run: (input: Uint8Array) => void;
}

/** Two implementations that do not agree, or a law that does not hold. */
export class Disagreement extends Error {}

export function agree(what: string, left: unknown, right: unknown): void {
  if (left !== right) throw new Disagreement(`${what}: ${String(left)} and ${String(right)}`);
}
