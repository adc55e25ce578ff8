/** What long runs have done, by target: a file beside this one. A later run of a target is added to what it did before; corpus
 *  and branches are those of the last one. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import type { Progress } from "./session.ts";

interface TargetRecord {
  readonly executions: number;
  readonly seconds: number;
  readonly corpus?: number;
  readonly branches?: number;
  readonly findings: number;
}

interface FileRecord {
  readonly machine: string;
  readonly node: string;
  readonly seeds: readonly number[];
  readonly executions: number;
  readonly hours: number;
  readonly targets: Readonly<Record<string, TargetRecord>>;
}

export class Recorder {
  readonly #file: string;
  readonly #seed: number;
  readonly #before: FileRecord | undefined;
  readonly #now = new Map<string, Progress>();

  constructor(file: string, seed: number) {
    this.#file = file;
    this.#seed = seed;
    this.#before = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as FileRecord) : undefined;
  }

  /** Writes what there is so far. */
  add(progress: Progress): void {
    this.#now.set(progress.name, progress);
    const targets = { ...this.#before?.targets };
    for (const [name, now] of this.#now) targets[name] = sum(now, this.#before?.targets[name]);
    const all = Object.values(targets);
    const record: FileRecord = {
      machine: `${cpus()[0]?.model ?? "?"}, ${cpus().length} cores`,
      node: process.version,
      seeds: [...new Set([...(this.#before?.seeds ?? []), this.#seed])],
      executions: all.reduce((total, { executions }) => total + executions, 0),
      hours: round(all.reduce((total, { seconds }) => total + seconds, 0) / 3600),
      targets,
    };
    writeFileSync(this.#file, `${JSON.stringify(record, null, 2)}\n`);
  }
}

function sum(
  { executions, seconds, corpus, edges, findings }: Progress,
  before: TargetRecord | undefined,
): TargetRecord {
  return {
    executions: executions + (before?.executions ?? 0),
    seconds: round(seconds + (before?.seconds ?? 0)),
    ...(edges > 0 && {
      corpus,
      branches: edges,
    }),
    findings: findings.length + (before?.findings ?? 0),
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
