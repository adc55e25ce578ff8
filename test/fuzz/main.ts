/**
 * Fuzzing on the command line.
 *
 *   npm run fuzz -- [TARGET…] [--seconds N] [--executions N] [--seed S] [--record FILE]
 *   npm run fuzz -- TARGET --replay FILE
 *
 * Both limits are of each target. Exit 1 on a finding, which is written to .cache/fuzz.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { ArithmeticTarget } from "./arithmetic.ts";
import type { Finding } from "./fuzzer.ts";
import { Recorder } from "./record.ts";
import { runSession } from "./session.ts";
import type { Progress } from "./session.ts";
import type { Target } from "./target.ts";
import { ARITHMETIC, TARGETS } from "./targets/index.ts";

const FINDINGS = fileURLToPath(new URL("../../.cache/fuzz/", import.meta.url));
const USAGE = "npm run fuzz -- [TARGET…] [--seconds N] [--executions N] [--seed S] [--record FILE | --replay FILE]";
const DEFAULT_SECONDS = 60;
const ALL: readonly (Target | ArithmeticTarget)[] = [...TARGETS, ...ARITHMETIC];

process.exitCode = main(process.argv.slice(2)) ? 0 : 1;

interface Arguments {
  readonly targets: readonly (Target | ArithmeticTarget)[];
  readonly seconds: number;
  readonly executions: number;
  readonly seed: number;
  readonly record: string | undefined;
  readonly replay: string | undefined;
}

function main(args: readonly string[]): boolean {
  const parsed = readArguments(args);
  if (parsed === undefined) return complain(`targets are ${ALL.map(({ name }) => name).join(", ")}`);
  const { targets, seed, replay } = parsed;
  if (replay !== undefined) return replayed(targets, replay);
  process.stdout.write(`seed ${seed}\n`);
  const recorder = parsed.record === undefined ? undefined : new Recorder(parsed.record, seed);
  const onTurn = (progress: Progress): void => {
    process.stdout.write(`${lineOf(progress)}\n`);
    recorder?.add(progress);
  };
  const results = runSession({ ...parsed, onTurn });
  const executions = results.reduce((sum, result) => sum + result.executions, 0);
  process.stdout.write(`${executions} executions\n`);
  for (const { name, findings } of results) for (const finding of findings) report(name, finding);
  return results.every(({ findings }) => findings.length === 0);
}

function lineOf({ name, executions, seconds, corpus, edges, findings }: Progress): string {
  const perSecond = Math.round(executions / Math.max(seconds, 0.001));
  const found = findings.length === 0 ? "" : "  FOUND SOMETHING";
  const guided = edges === 0 ? "" : `  corpus ${corpus}  branches ${edges}`;
  return `${name.padEnd(16)} ${executions} in ${seconds.toFixed(0)} s  ${perSecond}/s${guided}${found}`;
}

function report(name: string, { input, error }: Finding): void {
  const digest = createHash("sha256").update(input).digest("hex").slice(0, 16);
  const file = `${FINDINGS}${name}-${digest}`;
  mkdirSync(FINDINGS, { recursive: true });
  writeFileSync(file, input);
  process.stdout.write(`${name}: ${error.message}\n  npm run fuzz -- ${name} --replay ${file}\n`);
}

function replayed(targets: readonly (Target | ArithmeticTarget)[], file: string): boolean {
  const [target] = targets;
  if (targets.length !== 1 || target === undefined || !("start" in target))
    return complain("--replay needs one target");
  target.start().run(readFileSync(file));
  process.stdout.write("every law holds\n");
  return true;
}

function readArguments(args: readonly string[]): Arguments | undefined {
  try {
    const text = { type: "string" } as const;
    const options = { seconds: text, executions: text, seed: text, record: text, replay: text };
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const targets = positionals.length === 0 ? ALL : ALL.filter(({ name }) => positionals.includes(name));
    if (targets.length < positionals.length) return undefined;
    const seed = numberOf(values.seed, Date.now());
    const limits = {
      seconds: numberOf(values.seconds, DEFAULT_SECONDS),
      executions: numberOf(values.executions, Infinity),
    };
    return { targets, seed, ...limits, record: values.record, replay: values.replay };
  } catch {
    return undefined;
  }
}

function numberOf(text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text);
  if (Number.isNaN(value) || value < 0) throw new Error(`${text ?? ""} is no number`);
  return value;
}

function complain(hint: string): false {
  process.stderr.write(`wpgate: error: nothing to fuzz\nwpgate: hint: ${USAGE}; ${hint}\n`);
  return false;
}
