import { parseClaims } from "../../../xds-proxy/src/envelope/claims.ts";
import { USES } from "../../../xds-proxy/src/envelope/types.ts";
import { InstrumentedTestable } from "../instrumented.ts";
import { mutateJson } from "../json-mutation.ts";
import { codeName, codeOf } from "../refusals.ts";
import { agree } from "../target.ts";
import type { Runner, Target } from "../target.ts";
import { CLAIM_TOKENS } from "../tokens.ts";
import { claimTexts } from "../vectors.ts";

/** Claims of a statement: the same code for the use that the text itself names, and for another. */
export const CLAIMS: Target = {
  name: "claims",
  seeds: claimTexts,
  dictionary: CLAIM_TOKENS,
  maxBytes: 700,
  memoryGrowthMaxPages: 16,
  mutate: mutateJson,
  start,
};

function start(): Runner {
  const module = new InstrumentedTestable();
  const parse = module.fn("parseClaimsText");
  return {
    coverage: module.coverage,
    memory: () => module.memory,
    run: (input) => {
      module.begin();
      const ptr = module.put(input);
      const named = /"use":"([a-z]+)"/.exec(Buffer.from(input).toString("latin1"))?.[1];
      const own = USES.findIndex((use) => use === named);
      for (const i of own < 0 ? [1] : [own, input.length % USES.length]) {
        const code = codeName(parse(ptr, input.length, i + 1));
        agree(
          `claims of ${USES[i]!}`,
          code,
          codeOf(() => parseClaims(input, USES[i]!)),
        );
      }
    },
  };
}
