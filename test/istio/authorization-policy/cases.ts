/** All cases: those that were picked by hand, and as many generated ones as make the test large. */
import fc from "fast-check";
import { policySets } from "./arbitraries.ts";
import type { Case } from "./case.ts";
import { peerCases } from "./cases-peers.ts";
import { REQUEST_CASES } from "./cases-requests.ts";
import { SET_CASES } from "./cases-sets.ts";
import { TASK_CASES } from "./cases-tasks.ts";
import type { Entrances } from "./place.ts";
import { valuesIn } from "./values.ts";

const GENERATED_COUNT = 240;

export function allCases(entrances: Entrances, seed: number): readonly Case[] {
  const sets = fc.sample(policySets(valuesIn(entrances)), { numRuns: GENERATED_COUNT, seed });
  return [
    ...TASK_CASES,
    ...peerCases(entrances),
    ...REQUEST_CASES,
    ...SET_CASES,
    ...sets.map((policies, index) => ({ title: `generated ${index + 1}`, policies })),
  ];
}
