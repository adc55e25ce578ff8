import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CaseFile } from "../corpus/case.ts";
import { runFilter, runFilterDeferred, runTypeScript } from "../corpus/run.ts";
import { BASES } from "./bases.ts";
import { MUTATION } from "./mutations.ts";

/** `WPGATE_PROPERTY_RUNS=100000` looks further, from a new seed each time; without it every run is the same. */
const RUNS = Number(process.env["WPGATE_PROPERTY_RUNS"] ?? 0);
const PARAMETERS = RUNS > 0 ? { numRuns: RUNS } : { numRuns: 700, seed: 1 };
const TIMEOUT_MS = 60_000 + RUNS * 50;

const mutated: fc.Arbitrary<CaseFile> = fc
  .tuple(fc.constantFrom(...BASES), fc.array(MUTATION, { minLength: 1, maxLength: 3, size: "small" }))
  .map(([base, mutations]) => mutations.reduce((file, mutate) => mutate(file), base));

describe("two implementations", () => {
  test("accept what the mutations start from", () => {
    expect(BASES.map((base) => runTypeScript(base).result)).toEqual(BASES.map(() => "ok"));
  });

  test(
    "give the same verdict, place, payloads and next state for whatever is done to a namespace",
    () => {
      const seen = new Map<string, number>();
      fc.assert(
        fc.property(mutated, (file) => {
          const verdict = runTypeScript(file);
          expect(runFilter(file)).toEqual(verdict);
          seen.set(verdict.result, (seen.get(verdict.result) ?? 0) + 1);
        }),
        PARAMETERS,
      );
      // The mutations reach far into the checks, and not everything is refused.
      expect(seen.get("ok") ?? 0).toBeGreaterThan(PARAMETERS.numRuns / 50);
      expect(seen.size).toBeGreaterThan(20);
    },
    TIMEOUT_MS,
  );

  test(
    "the pure verdict depends neither on the clock nor on the state",
    () => {
      fc.assert(
        fc.property(mutated, fc.constantFrom(0, 1, 2e12, 9e15), (file, nowMs) => {
          const verdict = runFilterDeferred(file);
          const elsewhere = runFilterDeferred({ ...withoutState(file), nowMs });
          expect([elsewhere.result, elsewhere.where]).toEqual([verdict.result, verdict.where]);
          const whole = runFilter(file);
          const possible = verdict.time.result === "ok" ? [verdict.result] : [verdict.result, verdict.time.result];
          expect(possible).toContain(whole.result);
          expect(whole.result === "ok").toBe(verdict.result === "ok" && verdict.time.result === "ok");
        }),
        { ...PARAMETERS, numRuns: Math.ceil(PARAMETERS.numRuns / 3) },
      );
    },
    TIMEOUT_MS,
  );
});

function withoutState(file: CaseFile): CaseFile {
  const { state, ...rest } = file;
  return state === undefined ? file : rest;
}
