/** Runs one suite on one implementation. */
import { agrees } from "./cases.ts";
import type { Case } from "./cases.ts";
import { meets } from "./envelope-case.ts";
import type { Implementation } from "./implementation.ts";
import type { Suite } from "./suite.ts";

/** One line of the runner. `cases` = `agree` + `outOfProfile` + the disagreements. */
export interface Score {
  readonly cases: number;
  readonly agree: number;
  readonly outOfProfile: number;
  readonly disagree: readonly (number | string)[];
}

export async function runSuite(suite: Suite, implementation: Implementation): Promise<Score> {
  if (suite.kind === "crypto") return await runCrypto(suite.cases, implementation);
  const { verify } = implementation;
  if (verify === undefined)
    return { cases: suite.cases.length, agree: 0, outOfProfile: suite.cases.length, disagree: [] };
  const disagree = suite.cases.filter((one) => !meets(one.expect, verify(one))).map(({ id }) => id);
  return { cases: suite.cases.length, agree: suite.cases.length - disagree.length, outOfProfile: 0, disagree };
}

async function runCrypto(cases: readonly Case[], { judge }: Implementation): Promise<Score> {
  const asked = cases.flatMap(({ operation, ...rest }) => (operation ? [{ operation, ...rest }] : []));
  const verdicts = await judge(asked.map(({ operation }) => operation));
  const disagree: (number | string)[] = [];
  let outOfProfile = cases.length - asked.length;
  asked.forEach((one, i) => {
    const verdict = verdicts[i];
    if (verdict === undefined) outOfProfile++;
    else if (!agrees(one, verdict)) disagree.push(one.id);
  });
  return { cases: cases.length, agree: cases.length - outOfProfile - disagree.length, outOfProfile, disagree };
}
