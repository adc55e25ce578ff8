import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JsonValue, parseStrictJson } from "../../../xds-proxy/src/bytes/json.ts";
import { respellJson, respellJsonWithoutNegatives, utf8 } from "./codec.ts";

const respell = (text: string): string | undefined => {
  const spelled = respellJson(utf8(text));
  return spelled && new TextDecoder().decode(spelled);
};
const bytes = (...parts: (string | number[])[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...utf8(part)] : part)));

describe("strict JSON", () => {
  it.each([
    ["null", "null"],
    ["true", "true"],
    ["false", "false"],
    [' \t\r\n{ "a" : [ 1 , {} , [ ] ] }', '{"a":[1,{},[]]}'],
    ["0", "0"],
    ["-1", "-1"],
    ["9007199254740991", "9007199254740991"],
    ["-9007199254740991", "-9007199254740991"],
    ['""', '""'],
    [String.raw`"\"\\\/\b\f\n\r\t"`, String.raw`"\"\\/\u0008\u000c\u000a\u000d\u0009"`],
    [String.raw`"\u0041\u00e9\u20ac\ud83d\ude00\uD83D\uDE00"`, '"Aé€😀😀"'],
    [String.raw`"\u0000\u007f"`, '"\\u0000\u007f"'],
    ['"\u{10ffff}\ufeff"', '"\u{10ffff}\ufeff"'],
    [String.raw`{"a":1,"\u0062":2,"c":3}`, '{"a":1,"b":2,"c":3}'],
  ])("reads %s", (text, spelled) => {
    expect(respell(text)).toBe(spelled);
  });

  it.each([
    "",
    " ",
    "nul",
    "nulll",
    "True",
    "\ufeff1",
    "1 ",
    "1\n",
    "{} ",
    "[]x",
    "1 2",
    "-",
    "-0",
    "+1",
    "01",
    "-01",
    "00",
    "1.0",
    "1e1",
    "1E1",
    ".5",
    "0x1",
    "9007199254740992",
    "-9007199254740992",
    "99999999999999999999",
    "18446744073709551617",
    "[",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1 2]",
    "]",
    "{",
    "{}}",
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    "{a:1}",
    "{1:1}",
    '{"a":1 "b":2}',
    '{"a":1,"a":1}',
    String.raw`{"a":1,"\u0061":1}`,
    '[{"x":{"b":1,"c":2,"b":3}}]',
    '"',
    '"a',
    String.raw`"\"`,
    String.raw`"\x"`,
    String.raw`"\u12"`,
    String.raw`"\u12g4"`,
    String.raw`"\U0041"`,
    '"\n"',
    '"\u0000"',
    '"\u001f"',
    "'a'",
    String.raw`"\ud800"`,
    String.raw`"\udc00"`,
    String.raw`"\ud800x"`,
    String.raw`"\ud800\u0041"`,
    String.raw`"\ud800\ud800"`,
    String.raw`"\udc00\ud800"`,
    "/**/1",
    "[1]//",
  ])("refuses %j", (text) => {
    expect(respell(text)).toBeUndefined();
  });

  it.each([
    ["overlong", bytes('"', [0xc0, 0xaf], '"')],
    ["surrogate", bytes('"', [0xed, 0xa0, 0x80], '"')],
    ["above U+10FFFF", bytes('"', [0xf4, 0x90, 0x80, 0x80], '"')],
    ["lone continuation", bytes('"', [0x80], '"')],
    ["cut off", bytes('"', [0xe2, 0x82], '"')],
    ["in a member name", bytes('{"', [0xff], '":1}')],
    ["behind a backslash", bytes('"\\', [0xc3, 0xa9], '"')],
  ])("refuses ill-formed UTF-8: %s", (_, text) => {
    expect(respellJson(text)).toBeUndefined();
  });

  it("takes negative numbers only where they are allowed", () => {
    expect(respellJsonWithoutNegatives(utf8("[-1]"))).toBeUndefined();
    expect(respellJsonWithoutNegatives(utf8("[1]"))).toEqual(utf8("[1]"));
  });

  it.each(["[]", "{}", "1"])("nests 16 deep around %s and no deeper", (core) => {
    const isContainer = core !== "1";
    const around = (depth: number): string => "[".repeat(depth) + core + "]".repeat(depth);
    expect(respell(around(isContainer ? 15 : 16))).toBeDefined();
    expect(respell(around(isContainer ? 16 : 17))).toBeUndefined();
    expect(respell('{"a":'.repeat(isContainer ? 15 : 16) + core + "}".repeat(isContainer ? 15 : 16))).toBeDefined();
    expect(respell('{"a":'.repeat(isContainer ? 16 : 17) + core + "}".repeat(isContainer ? 16 : 17))).toBeUndefined();
  });

  it("survives hopeless nesting", () => {
    expect(respell("[".repeat(1_000_000))).toBeUndefined();
    expect(respell('{"":'.repeat(200_000))).toBeUndefined();
  });

  it("finds a duplicate among very many names without comparing every pair", () => {
    const names = Array.from({ length: 60_000 }, (_, i) => `"${"x".repeat(8)}${String(i)}":0`);
    const startMs = performance.now();
    expect(respell(`{${names.join(",")}}`)).toBeDefined();
    expect(respell(`{${[...names, names[31_337]!].join(",")}}`)).toBeUndefined();
    expect(performance.now() - startMs).toBeLessThan(5_000);
  });

  it("refuses every proper prefix of a document", () => {
    const text = String.raw`{"a":[1,-2,true,null,"\u00e9\ud83d\ude00é"],"b":{}}`;
    expect(respell(text)).toBeDefined();
    for (let end = 0; end < text.length; end++) expect(respell(text.slice(0, end))).toBeUndefined();
  });
});

describe("strict JSON, beside the TypeScript twin", () => {
  const twin = (text: Uint8Array, allowNegative: boolean): JsonValue | undefined => {
    try {
      return parseStrictJson(text, { allowNegative });
    } catch {
      return undefined;
    }
  };
  const agree = (text: Uint8Array): boolean => {
    const expected = twin(text, true);
    const spelled = respellJson(text);
    expect(spelled && twin(spelled, true)).toEqual(expected);
    expect(respellJsonWithoutNegatives(text) !== undefined).toBe(twin(text, false) !== undefined);
    return expected !== undefined;
  };
  const integer = fc.maxSafeInteger();
  const text = fc.string({ unit: "grapheme" });
  const value = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.constant(null),
      fc.boolean(),
      integer,
      text,
      fc.array(tie("value")),
      fc.dictionary(text, tie("value")),
    ),
  })).value;

  it("reads what JSON.stringify writes", () => {
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 1, "\t"), (document, space) => {
        agree(utf8(JSON.stringify(document, undefined, space)));
      }),
      { numRuns: 300 },
    );
  });

  it("agrees on documents with a few bytes changed", () => {
    const edit = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      drop: fc.integer({ min: 0, max: 3 }),
      put: fc.oneof(
        fc.uint8Array({ maxLength: 2 }),
        fc.constantFrom(...['"', "\\", "\\u", "\\ud83d", "-", "0", ",", "[", "}", " ", "\u00e9"].map(utf8)),
      ),
    });
    fc.assert(
      fc.property(value, fc.array(edit, { minLength: 1, maxLength: 3 }), (document, edits) => {
        let bytes = [...utf8(JSON.stringify(document))];
        for (const { at, drop, put } of edits) bytes = bytes.toSpliced(Math.floor(at * bytes.length), drop, ...put);
        agree(Uint8Array.from(bytes));
      }),
      { numRuns: 1_500 },
    );
  });

  it("agrees on soups of tokens", () => {
    const token = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      '"a"',
      '"b"',
      "\\",
      "\\u0061",
      "\\ud800",
      "\\udc00",
      "true",
      "null",
      "0",
      "1",
      "-",
      "-0",
      "12",
      ".",
      "e",
      " ",
      "\n",
      "\u0001",
      "é",
    );
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), (tokens) => {
        if (agree(utf8(tokens.join("")))) accepted++;
      }),
      { numRuns: 3_000 },
    );
    expect(accepted).toBeGreaterThan(0);
  });

  it("agrees on random bytes in a string", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), (content) => {
        agree(bytes('"', [...content], '"'));
      }),
      { numRuns: 1_500 },
    );
  });
});
