import { isJsonArray, parseStrictJson } from "../../../xds-proxy/src/bytes/json.ts";
import type { JsonValue } from "../../../xds-proxy/src/bytes/json.ts";
import { InstrumentedTestable } from "../instrumented.ts";
import { mutateJson } from "../json-mutation.ts";
import { unlessMalformed } from "../refusals.ts";
import { agree, Disagreement } from "../target.ts";
import type { Runner, Target } from "../target.ts";
import { JSON_TOKENS } from "../tokens.ts";
import { claimTexts, documents } from "../vectors.ts";

/** Strict JSON: both accept the same and read the same value; whatever they accept, `JSON.parse` accepts with that value. */
export const JSON_TEXT: Target = {
  name: "json",
  seeds: () => [...documents(), ...claimTexts(), ...["{}", "[]", "-1", '"\\ud83d\\ude00"', "[1,{}]"].map(utf8)],
  dictionary: JSON_TOKENS,
  maxBytes: 512,
  memoryGrowthMaxPages: 16,
  mutate: mutateJson,
  start,
};

function start(): Runner {
  const module = new InstrumentedTestable();
  const parse = module.fn("wireParseJson");
  return {
    coverage: module.coverage,
    memory: () => module.memory,
    run: (input) => {
      module.begin();
      const ptr = module.put(input);
      const expected = unlessMalformed(() => parseStrictJson(input, { allowNegative: true }));
      agree("JSON is accepted", parse(ptr, input.length, 1) === 1, expected !== undefined);
      if (expected === undefined) return;
      const spelled = module.result().toString();
      const third: unknown = JSON.parse(Buffer.from(input).toString());
      assertSame(expected, third);
      agree("the value", spell(expected), respelled(spelled));
      const isPositive = unlessMalformed(() => parseStrictJson(input, { allowNegative: false })) !== undefined;
      agree("JSON without negative numbers is accepted", parse(ptr, input.length, 0) === 1, isPositive);
    },
  };
}

/** The filter writes control characters in one way, `JSON.stringify` some of them in another. */
function respelled(spelled: string): string {
  return spelled.replace(/\\u00(08|09|0a|0c|0d)/g, (escape) => JSON.stringify(JSON.parse(`"${escape}"`)).slice(1, -1));
}

function spell(value: JsonValue): string {
  if (isJsonArray(value)) return `[${value.map(spell).join(",")}]`;
  if (value instanceof Map) {
    const members = [...(value as ReadonlyMap<string, JsonValue>)];
    return `{${members.map(([name, item]) => `${JSON.stringify(name)}:${spell(item)}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

function assertSame(value: JsonValue, third: unknown): void {
  if (isJsonArray(value) && Array.isArray(third)) {
    agree("the number of items", value.length, third.length);
    value.forEach((item, i) => {
      assertSame(item, third[i]);
    });
  } else if (value instanceof Map) {
    const members = [...(value as ReadonlyMap<string, JsonValue>)];
    if (typeof third !== "object" || third === null) throw new Disagreement("an object is none for JSON.parse");
    agree("the number of members", members.length, Object.keys(third).length);
    for (const [name, item] of members) assertSame(item, Object.getOwnPropertyDescriptor(third, name)?.value);
  } else agree("a value", value, third);
}

function utf8(text: string): Uint8Array {
  return Buffer.from(text);
}
