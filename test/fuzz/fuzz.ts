/** Fuzzing in `npm test`: some seconds of each target of one group, from the seed of all tests. A group is a file of its own,
 *  so that groups run side by side. */
import { expect, test } from "vitest";
import type { ArithmeticTarget } from "./arithmetic.ts";
import { runSession } from "./session.ts";
import type { Target } from "./target.ts";
import { SEED } from "../seed.ts";

/** `WPGATE_FUZZ_SECONDS=N` looks longer at each. */
const SECONDS = Number(process.env["WPGATE_FUZZ_SECONDS"] ?? 0);
/** Any target that works reaches more. */
const BRANCHES_MIN = 30;

export interface Group {
  readonly targets: readonly (Target | ArithmeticTarget)[];
  readonly seconds: number;
}

export function fuzzGroup({ targets, seconds: ownSeconds }: Group): void {
  const seconds = SECONDS || ownSeconds;
  const rows = targets.map((target) => ({ name: target.name, target }));
  test.each(rows)(`$name, ${seconds} s from seed ${SEED}`, { timeout: 60_000 + 2_000 * seconds }, ({ target }) => {
    const [result] = runSession({ targets: [target], seed: SEED, seconds, executions: Infinity });
    const faults = result?.findings.map(
      ({ input, error }) => `${error.message}: ${Buffer.from(input).toString("hex")}`,
    );
    expect(faults).toEqual([]);
    expect(result?.executions).toBeGreaterThan(0);
    if ("start" in target) expect(result?.edges).toBeGreaterThan(BRANCHES_MIN);
  });
}
