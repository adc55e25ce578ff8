import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ParseError } from "../errors.ts";
import { isJsonArray, parseStrictJson } from "./json.ts";
import type { JsonObject, JsonValue } from "./json.ts";
import { utf8 } from "./octets.ts";

const parse = (text: string, allowNegative = true): JsonValue => parseStrictJson(utf8(text), { allowNegative });

/** Maps to objects, for comparison; `__proto__` included. */
function plain(value: JsonValue): unknown {
  if (value instanceof Map) {
    const members: JsonObject = value;
    return Object.fromEntries([...members].map(([name, member]) => [name, plain(member)]));
  }
  return isJsonArray(value) ? value.map(plain) : value;
}

const integers = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(null, true, false),
    fc.maxSafeInteger().map((value) => value + 0),
    fc.string({ unit: "binary" }).filter((text) => !/\p{Surrogate}/u.test(text)),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.string({ maxLength: 4 }), tie("value"), { maxKeys: 4 }),
  ),
})).value;

describe("strict JSON", () => {
  test("reads what the runtime writes, indented or not", () => {
    fc.assert(
      fc.property(integers, fc.nat({ max: 2 }), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(plain(parse(text))).toEqual(JSON.parse(text));
      }),
    );
  });

  test("accepts nothing that the runtime does not accept, and throws nothing else", () => {
    const unit = fc.constantFrom(
      ...Array.from('{}[]:,"\\ \n\t0123456789.eE+-truefalsn'),
      "\\u0041",
      "\\ud800",
      "\u0001",
      "é",
      '"a":',
    );
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 24 }), (text) => {
        let value: JsonValue;
        try {
          value = parse(text);
        } catch (error) {
          expect(error).toBeInstanceOf(ParseError);
          return;
        }
        expect(plain(value)).toEqual(JSON.parse(text));
      }),
      { numRuns: 5000 },
    );
  });

  test.each([
    "-0",
    "01",
    "1.0",
    "1e0",
    "+1",
    "9007199254740992",
    "-9007199254740992",
    "NaN",
    "Infinity",
    "- 1",
    "1 ",
    "",
    " ",
  ])("%j is no number of ours", (text) => {
    expect(() => parse(text)).toThrow(ParseError);
  });

  test.each([
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":1}',
    '{"a":1,}',
    "[1,]",
    "{1:1}",
    "{}{}",
    "\ufeff{}",
    '"\\ud800"',
    "'a'",
    "nul",
  ])("%j is refused", (text) => {
    expect(() => parse(text)).toThrow(ParseError);
  });

  test("negative integers only where they are allowed", () => {
    expect(parse("-1")).toBe(-1);
    expect(() => parse("-1", false)).toThrow(ParseError);
  });

  test("depth is bounded, the outermost container counting one", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(plain(parse(nested(16)))).toEqual(JSON.parse(nested(16)));
    expect(() => parse(nested(17))).toThrow(ParseError);
    expect(() => parse("[".repeat(1_000_000))).toThrow(ParseError);
  });

  test("a member named __proto__ is a member like any other", () => {
    const value = parse('{"__proto__":{"a":1},"constructor":2}');
    expect(value).toEqual(
      new Map<string, unknown>([
        ["__proto__", new Map([["a", 1]])],
        ["constructor", 2],
      ]),
    );
  });

  test.each([[[0xff]], [[0xc0, 0xaf]], [[0xed, 0xa0, 0x80]], [[0xf4, 0x90, 0x80, 0x80]], [[0xe2, 0x82]]])(
    "bytes %j are no UTF-8",
    (bytes) => {
      const text = Uint8Array.of(0x22, ...bytes, 0x22);
      expect(() => parseStrictJson(text, { allowNegative: false })).toThrow(ParseError);
    },
  );
});
