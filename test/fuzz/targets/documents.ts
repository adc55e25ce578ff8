import { parseFresh, parseRoot, parseSet } from "../../../xds-proxy/src/envelope/documents.ts";
import { InstrumentedTestable } from "../instrumented.ts";
import { mutateJson } from "../json-mutation.ts";
import { unlessMalformed } from "../refusals.ts";
import { agree } from "../target.ts";
import type { Runner, Target } from "../target.ts";
import { DOCUMENT_TOKENS } from "../tokens.ts";
import { documents } from "../vectors.ts";

/** Numbers of uses in the filter. */
const DOCUMENTS = [
  { kind: "Root", use: 1, parse: parseRoot },
  { kind: "Set", use: 3, parse: parseSet },
  { kind: "Fresh", use: 4, parse: parseFresh },
] as const;

/** The payloads of roots, sets and fresh statements: the same are well-formed, whatever one is read as. */
function documentTarget(name: string, kind: string): Target {
  return {
    name,
    seeds: () => documents().filter((document) => Buffer.from(document).includes(`"${kind}"`)),
    dictionary: DOCUMENT_TOKENS,
    maxBytes: 2048,
    memoryGrowthMaxPages: 16,
    mutate: mutateJson,
    start: () => start(kind),
  };
}

export const ROOT_DOCUMENT: Target = documentTarget("root-document", "Root");
export const SET_DOCUMENT: Target = documentTarget("set-document", "Set");
export const FRESH_DOCUMENT: Target = documentTarget("fresh-document", "Fresh");

function start(kind: string): Runner {
  const module = new InstrumentedTestable();
  const parse = module.fn("parseDocument");
  const [row] = DOCUMENTS.filter((document) => document.kind === kind);
  return {
    coverage: module.coverage,
    memory: () => module.memory,
    run: (input) => {
      module.begin();
      const accepted = parse(module.put(input), input.length, row!.use) === 1;
      agree(`a ${kind} is accepted`, accepted, unlessMalformed<unknown>(() => row!.parse(input)) !== undefined);
    },
  };
}
