import { parseStrictJson } from "../../../xds-proxy/src/bytes/json.ts";
import { readConfiguration } from "../../../xds-proxy/src/owner/bundle.ts";
import type { NamespaceBundle } from "../../../xds-proxy/src/owner/bundle.ts";
import { ConfigError } from "../../../xds-proxy/src/errors.ts";
import { InstrumentedTestable } from "../instrumented.ts";
import { mutateJson } from "../json-mutation.ts";
import { unlessMalformed } from "../refusals.ts";
import { agree } from "../target.ts";
import type { Runner, Target } from "../target.ts";
import { JSON_TOKENS } from "../tokens.ts";
import { cases } from "../vectors.ts";

const TOKENS = [
  ...JSON_TOKENS,
  '"wpgate":1',
  '"sets":[',
  '"roots":[',
  '"fresh":{',
  '"set":',
  '"envelopes":[',
  '"team-a":',
];

/** The plugin configuration, and which of two fresh statements counts: what the filter takes, the command line takes too, with
 *  the same statements; the filter takes only strict JSON with exactly the members that there are. */
export const CONFIGURATION: Target = configurationTarget("configuration", () => configurations(false));
/** The same with statements inside and beside the set. */
export const FRESH_LIST: Target = configurationTarget("fresh-list", () => configurations(true));

function configurationTarget(name: string, texts: () => readonly string[]): Target {
  return {
    name,
    seeds: () => texts().map((text) => Buffer.from(text)),
    dictionary: TOKENS,
    maxBytes: 8192,
    memoryGrowthMaxPages: 32,
    mutate: mutateJson,
    start,
  };
}

function configurations(withOuterFresh: boolean): readonly string[] {
  const wanted = cases().filter(({ fresh }) => fresh !== undefined);
  return wanted.map(({ roots, set, fresh, envelopes }, i) => {
    const [last] = roots.slice(-1);
    const own = { roots: last === undefined ? [] : [last], set, fresh, envelopes: withOuterFresh ? [] : envelopes };
    const outer = wanted[(i * 7 + 1) % wanted.length]?.fresh;
    return JSON.stringify({ wpgate: 1, sets: [own], ...(withOuterFresh && { fresh: { "team-a": outer } }) });
  });
}

function start(): Runner {
  const module = new InstrumentedTestable();
  const parse = module.fn("parseConfigurationText");
  return {
    coverage: module.coverage,
    memory: () => module.memory,
    run: (input) => {
      module.begin();
      const accepted = parse(module.put(input), input.length) === 1;
      const expected = setsOf(input);
      agree("a configuration is accepted", accepted, expected !== undefined);
      if (expected === undefined) return;
      const taken = JSON.parse(module.result().toString()) as readonly NamespaceBundle[];
      agree("its sets", spell(taken), spell(expected));
    },
  };
}

const spell = (sets: readonly NamespaceBundle[]): string =>
  JSON.stringify(sets.map(({ roots, fresh, set, envelopes }) => [roots, fresh ?? null, set ?? null, envelopes]));

/** Undefined where the filter is stricter than the command line, which also reads what people write, or both refuse. */
function setsOf(input: Uint8Array): readonly NamespaceBundle[] | undefined {
  if (unlessMalformed(() => parseStrictJson(input, { allowNegative: false })) === undefined) return undefined;
  const value: unknown = JSON.parse(Buffer.from(input).toString());
  if (!hasOnly(value, ["wpgate", "sets", "fresh"])) return undefined;
  try {
    const { sets } = readConfiguration(value, "it");
    const given = value["sets"] as readonly unknown[];
    const exact = given.every((set) => hasOnly(set, ["roots", "fresh", "set", "envelopes"]));
    return exact ? sets : undefined;
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

function hasOnly(value: unknown, names: readonly string[]): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && Object.keys(value).every((name) => names.includes(name));
}
