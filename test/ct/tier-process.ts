/** One compiler's share of a run, in a process of its own, started by run.ts: a job comes, messages go. */
import { availableParallelism, getPriority, loadavg } from "node:os";
import { CONTROLS } from "./controls.ts";
import { measure } from "./measure.ts";
import { WasmModule } from "./module.ts";
import { OPERATIONS } from "./operations.ts";
import { tierOf } from "./tiers.ts";
import type { Tier } from "./tiers.ts";
import type { Finding } from "./welch.ts";

export interface Job {
  readonly tier: Tier;
  readonly operations: readonly string[];
  readonly measurements: number;
}

export interface Row extends Finding {
  readonly name: string;
  readonly isControl: boolean;
  /** SHA-256 of the module that was measured. */
  readonly wasm: string;
  readonly priority: number;
  /** Runnable processes on each processor, one minute's mean at the end: the machine was busy when it is over 1. */
  readonly load: number;
}

export type Message =
  | { readonly kind: "progress"; readonly name: string; readonly done: number }
  | { readonly kind: "row"; readonly row: Row }
  | { readonly kind: "end" };

const PROBES = { testable: "hkdfSha256", leaky: "hashByTables" } as const;
const MEASUREMENTS_BETWEEN_MESSAGES = 20_000;

async function run({ tier, operations, measurements }: Job): Promise<void> {
  for (const operation of [...CONTROLS, ...OPERATIONS].filter(({ name }) => operations.includes(name))) {
    const { name, isControl } = operation;
    const moduleName = isControl ? "leaky" : "testable";
    const module = new WasmModule(moduleName);
    const finding = await measure(operation, module, measurements, (done) => {
      if (done % MEASUREMENTS_BETWEEN_MESSAGES === 0) send({ kind: "progress", name, done });
    });
    const probe = module.fn(PROBES[moduleName]);
    probe(0, 0, 0, 0, 0, 0, 0, 0);
    const actual = tierOf(probe);
    if (actual !== tier) throw new Error(`${name} should have run in ${tier}, and V8 says ${actual}`);
    const load = (loadavg()[0] ?? 0) / availableParallelism();
    send({ kind: "row", row: { name, isControl, ...finding, wasm: module.digest, priority: getPriority(), load } });
  }
}

function send(message: Message): void {
  process.send?.(message);
}

process.on("disconnect", () => process.exit());
process.once("message", (job: Job) => {
  void run(job).then(() => process.send?.({ kind: "end" } satisfies Message, undefined, {}, () => process.exit()));
});
