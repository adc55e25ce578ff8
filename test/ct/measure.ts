/**
 * Times of single calls, the two classes in random order. Everything that a call reads lies at the same address for both and
 * is copied there in the same way, from inputs that were made before the batch: only values differ.
 */
import { randomBytes } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { WasmModule } from "./module.ts";
import { Comparison } from "./welch.ts";
import type { Class, Finding } from "./welch.ts";

export interface Operation {
  readonly name: string;
  /** What differs between the classes. */
  readonly about: string;
  /** Whether this one must be found to leak. */
  readonly isControl: boolean;
  readonly prepare: (module: WasmModule) => Prepared;
}

export interface Prepared {
  readonly inputBytes: number;
  /** Writes an input of a class into `slot`. */
  readonly fill: (slot: Buffer, inputClass: Class) => void;
  /** Where the input lies for `call`. */
  readonly at: number;
  /** The operation, once. */
  readonly call: () => number;
  /** What every call must return; else something else was measured than was meant. */
  readonly returns: number;
}

const BATCH = 10_000;
const NS_PER_MS = 1e6;

/** `progress` is told how many measurements were made. */
export async function measure(
  operation: Operation,
  module: WasmModule,
  measurements: number,
  progress: (done: number) => void,
): Promise<Finding> {
  const prepared = operation.prepare(module);
  const comparison = new Comparison();
  const batch = Math.min(BATCH, measurements);
  const timesNs = new Float64Array(batch);
  // One batch more: the first warms up and calibrates.
  for (let done = 0; done < measurements + batch; done += batch) {
    const classes = randomBytes(batch).map((byte) => byte & 1);
    measureBatch(prepared, module, inputsOf(prepared, classes), timesNs);
    comparison.add(classes, timesNs);
    progress(done);
    // Whoever started this may be gone.
    await setImmediate();
  }
  return comparison.finding();
}

function inputsOf({ inputBytes, fill }: Prepared, classes: Uint8Array): Buffer {
  const inputs = Buffer.alloc(classes.length * inputBytes);
  for (const [i, inputClass] of classes.entries())
    fill(inputs.subarray(i * inputBytes, (i + 1) * inputBytes), inputClass === 0 ? 0 : 1);
  return inputs;
}

function measureBatch(
  { inputBytes, at, call, returns }: Prepared,
  module: WasmModule,
  inputs: Buffer,
  timesNs: Float64Array,
): void {
  let memory = module.bytes();
  let wrong = 0;
  for (let i = 0; i < timesNs.length; i++) {
    // The module may have grown its memory.
    if (memory.length === 0) memory = module.bytes();
    for (let j = 0; j < inputBytes; j++) memory[at + j] = inputs[i * inputBytes + j] ?? 0;
    const start = performance.now();
    const returned = call();
    timesNs[i] = (performance.now() - start) * NS_PER_MS;
    wrong |= returned ^ returns;
  }
  if (wrong !== 0) throw new Error(`a call did not return ${returns}`);
}
