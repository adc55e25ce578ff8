import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeBase64Url, encodeBase64Url, tryDecodeBase64Url } from "./base64url.ts";
import { ParseError } from "../errors.ts";

test("what is encoded decodes to itself", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      expect([...decodeBase64Url(encodeBase64Url(bytes))]).toEqual([...bytes]);
    }),
  );
});

test("what decodes is what would be encoded", () => {
  const char = fc.constantFrom(...Array.from("ABQgwz09-_+/= \n\té"));
  fc.assert(
    fc.property(fc.string({ unit: char, maxLength: 12 }), (text) => {
      const bytes = tryDecodeBase64Url(text);
      const strict = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/.test(text) && !text.includes("é");
      expect(bytes !== undefined).toBe(strict);
    }),
    { numRuns: 2000 },
  );
});

test.each(["=", "AA==", "A", "AAAAA", "AB", "A A", "AA\n", "A+", "A/", "é"])("%j is refused", (text) => {
  expect(() => decodeBase64Url(text)).toThrow(ParseError);
});
