/** The command line of `npm run ct`. */
import { parseArgs } from "node:util";
import { CONTROLS } from "./controls.ts";
import type { Operation } from "./measure.ts";
import { OPERATIONS } from "./operations.ts";
import { TIERS } from "./tiers.ts";
import type { Tier } from "./tiers.ts";

export interface Options {
  readonly tiers: readonly Tier[];
  /** The controls are always among them. */
  readonly operations: readonly Operation[];
  readonly measurements: number;
  readonly json: boolean;
  readonly save: boolean;
}

export class UsageError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

const MEASUREMENTS = 1_000_000;
const MEASUREMENTS_MIN = 20_000;
const MEASUREMENTS_MAX = 1_000_000_000;
const BATCH = 10_000;

export const HELP: string = `Usage: npm run -s ct -- [OPTION]…

Looks for secrets in the running time of the filter's cryptography, as WebAssembly in V8 (Welch's t-test, dudect): an operation
leaks when |t| > 10, is suspect when |t| > 4.5. Ends with 1 when one leaks, or when code that is known to leak was not found to.

  --op NAME            only this operation (repeatable)
  --tier NAME          only this compiler of V8: ${TIERS.join(" or ")}
  --measurements N     of each operation, ${MEASUREMENTS.toLocaleString("en")} unless given: about half an hour on an idle machine
  --json               results as JSON on stdout, the table on stderr
  --save               writes test/ct/results/
  --help

Examples:
  npm run -s ct -- --measurements 100000                     a quick look
  npm run -s ct -- --op ecdh --tier turbofan                 what Envoy would run
  nice -n 5 npm run -s ct -- --save                          the results that are kept

Operations:
${[...CONTROLS, ...OPERATIONS].map(({ name, about }) => `  ${name.padEnd(20)} ${about}`).join("\n")}
`;

/** Undefined when help is wanted. */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parse(args);
  if (values.help === true) return undefined;
  const names = values.op ?? OPERATIONS.map(({ name }) => name);
  return {
    tiers: (values.tier ?? TIERS).map((name) => known(TIERS, name, "tier")),
    operations: [...CONTROLS, ...selected(names)],
    measurements: count(values.measurements),
    json: values.json === true,
    save: values.save === true,
  };
}

function parse(args: readonly string[]) {
  const options = {
    op: { type: "string", multiple: true },
    tier: { type: "string", multiple: true },
    measurements: { type: "string" },
    json: { type: "boolean" },
    save: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  } as const;
  try {
    return parseArgs({ args: [...args], options });
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : "these options", "npm run -s ct -- --help");
  }
}

function selected(names: readonly string[]): readonly Operation[] {
  const wanted = names.map((name) =>
    known(
      [...OPERATIONS, ...CONTROLS].map((operation) => operation.name),
      name,
      "operation",
    ),
  );
  return OPERATIONS.filter(({ name }) => wanted.includes(name));
}

function known<T extends string>(all: readonly T[], name: string, what: string): T {
  const found = all.find((each) => each === name);
  if (found === undefined) throw new UsageError(`no ${what} ${name}`, `there are ${all.join(", ")}`);
  return found;
}

/** Whole batches. */
function count(text: string | undefined): number {
  const value = text === undefined ? MEASUREMENTS : Number(text);
  if (!Number.isInteger(value) || value < MEASUREMENTS_MIN || value > MEASUREMENTS_MAX)
    throw new UsageError(`--measurements ${text ?? ""} is no number of them`, `at least ${MEASUREMENTS_MIN}`);
  return Math.ceil(value / BATCH) * BATCH;
}
