/** Runs the envelope corpus over every mutant of the filter, only with the cases that reach it, until one of them notices. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { agrees } from "../corpus/run.ts";
import type { CaseFile } from "../corpus/case.ts";
import type { EnvelopeVerdict } from "../conformance/envelope-case.ts";
import { instanceOf } from "../filter/testable.ts";
import type { Testable } from "../filter/testable.ts";
import { compileMutants } from "./module.ts";
import type { Mutant } from "./mutants.ts";

interface Case {
  readonly file: CaseFile;
  readonly text: string;
  /** Where the fault is, for all mutants that change nothing. */
  readonly where: string | undefined;
}

export interface Outcome {
  readonly killed: readonly Mutant[];
  readonly survived: readonly Mutant[];
  /** No case evaluates their expression. */
  readonly unreached: readonly Mutant[];
}

const FOLDER = "test/vectors/envelope";

export async function runFilterMutants(
  root: string,
  files: readonly string[],
  progress: (text: string) => void,
): Promise<Outcome> {
  const { bytes, mutants } = await compileMutants(root, files);
  progress(`${mutants.length} mutants compiled`);
  const module = new WebAssembly.Module(bytes);
  const { reaching, count } = reach(root, instanceOf(module), mutants);
  progress(`${count} cases run without a mutant`);
  const outcome: Record<"killed" | "survived" | "unreached", Mutant[]> = { killed: [], survived: [], unreached: [] };
  for (const mutant of mutants) {
    const cases = reaching.get(mutant.id) ?? [];
    const fate = cases.length === 0 ? "unreached" : isKilled(module, mutant, cases) ? "killed" : "survived";
    outcome[fate].push(mutant);
    if (mutant.id % 50 === 0) progress(`${mutant.id} of ${mutants.length}, ${outcome.survived.length} survive`);
  }
  return outcome;
}

/** For each mutant the cases that evaluate its expression, the quickest first. */
function reach(
  root: string,
  instance: Testable,
  mutants: readonly Mutant[],
): { reaching: Map<number, Case[]>; count: number } {
  const timed = readCases(root).map((one) => {
    instance.fn("setMutant")(0);
    const started = performance.now();
    const verdict = verdictOf(instance, one.text);
    if (!agrees(one.file, verdict)) throw new Error(`${one.file.comment}: ${verdict.result} without any mutant`);
    const { where } = verdict;
    const ids = mutants.filter(({ id }) => instance.fn("wasReached")(id) === 1).map(({ id }) => id);
    return { one: { ...one, where }, ids, took: performance.now() - started };
  });
  const reaching = new Map<number, Case[]>();
  for (const { one, ids } of timed.toSorted((a, b) => a.took - b.took))
    for (const id of ids) reaching.set(id, [...(reaching.get(id) ?? []), one]);
  return { reaching, count: timed.length };
}

function readCases(root: string): readonly Omit<Case, "where">[] {
  return readdirSync(join(root, FOLDER))
    .filter((name) => name.endsWith(".json"))
    .map((name) => readFileSync(join(root, FOLDER, name), "utf8"))
    .map((text) => JSON.parse(text) as CaseFile)
    .map((file) => ({ file, text: JSON.stringify(file) }));
}

/** A trap kills too: no case traps without a mutant. */
function isKilled(module: WebAssembly.Module, { id }: Mutant, cases: readonly Case[]): boolean {
  const instance = instanceOf(module);
  try {
    return cases.some(({ file, text, where }) => {
      instance.fn("setMutant")(id);
      const verdict = verdictOf(instance, text);
      return !agrees(file, verdict) || verdict.where !== where;
    });
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError || error instanceof SyntaxError) return true;
    throw error;
  }
}

function verdictOf(instance: Testable, text: string): EnvelopeVerdict {
  const answer = instance.call((memory) => {
    const { ptr, length } = memory.putText(text);
    return memory.takeString(instance.fn("verifyCase")(ptr, length));
  });
  return JSON.parse(answer) as EnvelopeVerdict;
}
