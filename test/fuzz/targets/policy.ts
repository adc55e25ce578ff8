import fc from "fast-check";
import { parsePolicy } from "../../../xds-proxy/src/policy/parse.ts";
import { policyDocument } from "../../policy/arbitraries.ts";
import { InstrumentedTestable } from "../instrumented.ts";
import { mutateJson } from "../json-mutation.ts";
import { codeName } from "../refusals.ts";
import { agree } from "../target.ts";
import type { Runner, Target } from "../target.ts";
import { POLICY_TOKENS } from "../tokens.ts";
import { documents } from "../vectors.ts";

const SEED = 1;

/** AuthorizationPolicy payloads: the same code at the same place. */
export const POLICY: Target = {
  name: "policy",
  seeds: () => [
    ...documents().filter((document) => Buffer.from(document).includes("AuthorizationPolicy")),
    ...fc.sample(policyDocument, { numRuns: 100, seed: SEED }).map((document) => Buffer.from(JSON.stringify(document))),
  ],
  dictionary: POLICY_TOKENS,
  maxBytes: 2048,
  memoryGrowthMaxPages: 64,
  mutate: mutateJson,
  start,
};

function start(): Runner {
  const module = new InstrumentedTestable();
  const [reset, add, where] = ["policyReset", "policyAdd", "policyWhere"].map((name) => module.fn(name));
  return {
    coverage: module.coverage,
    memory: () => module.memory,
    run: (input) => {
      module.begin();
      reset!();
      const code = codeName(add!(module.put(input), input.length));
      const [first] = parsePolicy(input).faults;
      agree("a policy", `${code} ${module.text(where!())}`, `${first?.code ?? "OK"} ${first?.where ?? ""}`);
    },
  };
}
