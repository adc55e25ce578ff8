import fc from "fast-check";
import { parseEnvelopeCase } from "../../conformance/envelope-case.ts";
import { verifyCase } from "../../conformance/implementation-ts.ts";
import type { CaseFile } from "../../corpus/case.ts";
import { MUTATION } from "../../property/mutations.ts";
import type { Mutation } from "../../property/mutations.ts";
import { InstrumentedTestable } from "../instrumented.ts";
import type { Random } from "../random.ts";
import { agree } from "../target.ts";
import type { Runner, Target } from "../target.ts";
import { cases } from "../vectors.ts";

const BATCH = 64;

/** Root chains: the same verdict at the same place. */
export const ROOTS: Target = caseTarget("roots", () => cases().filter(({ want }) => want.use === "root"));
/** Whole namespaces and single statements: the same verdict at the same place, the same payloads and next state. */
export const NAMESPACE: Target = caseTarget("namespace", () => cases().filter(({ want }) => want.use !== "root"));

function caseTarget(name: string, files: () => readonly CaseFile[]): Target {
  return {
    name,
    seeds: () => files().map((file) => Buffer.from(JSON.stringify(file))),
    dictionary: [],
    maxBytes: 32_768,
    memoryGrowthMaxPages: 64,
    mutate,
    onlyFormat: true,
    start,
  };
}

let drawn: readonly Mutation[] = [];

function mutate(input: Uint8Array, random: Random): Uint8Array | undefined {
  if (random.below(BATCH) === 0 || drawn.length === 0)
    drawn = fc.sample(MUTATION, { numRuns: BATCH, seed: random.u32() | 0 });
  try {
    let file = JSON.parse(Buffer.from(input).toString()) as CaseFile;
    for (let i = random.below(3); i >= 0; i--) file = random.pick(drawn)(file);
    return Buffer.from(JSON.stringify(file));
  } catch {
    return undefined;
  }
}

function start(): Runner {
  const module = new InstrumentedTestable();
  const verify = module.fn("verifyCase");
  return {
    coverage: module.coverage,
    memory: () => module.memory,
    run: (input) => {
      const file = readCase(input);
      if (file === undefined) return;
      module.begin();
      const json = Buffer.from(file.json);
      const verdict = JSON.parse(module.text(verify(module.put(json), json.length))) as object;
      agree("the verdict", spell(verdict), spell(verifyCase(file)));
    },
  };
}

/** Undefined when it is in no form that both take: the case file itself is not under test. */
function readCase(input: Uint8Array): ReturnType<typeof parseEnvelopeCase> | undefined {
  try {
    return parseEnvelopeCase("it", JSON.parse(Buffer.from(input).toString()));
  } catch {
    return undefined;
  }
}

function spell(verdict: object): string {
  return JSON.stringify(verdict, (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
