import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  encodeBase64Url as twinEncode,
  tryDecodeBase64Url as twinDecode,
} from "../../../xds-proxy/src/bytes/base64url.ts";
import { decodeBase64Url, encodeBase64Url, utf8 } from "./codec.ts";

const hex = (text: string): string | undefined => {
  const decoded = decodeBase64Url(utf8(text));
  return decoded && Buffer.from(decoded).toString("hex");
};

describe("base64url", () => {
  it.each([
    ["", ""],
    ["AA", "00"],
    ["_w", "ff"],
    ["AAA", "0000"],
    ["__8", "ffff"],
    ["AAAA", "000000"],
    ["-_-_", "fbffbf"],
    ["Zm9vYmE", "666f6f6261"],
  ])("decodes %j", (text, bytes) => {
    expect(hex(text)).toBe(bytes);
    expect(encodeBase64Url(Buffer.from(bytes, "hex"))).toBe(text);
  });

  it.each([
    "A",
    "AAAAA",
    "AA=",
    "AA==",
    "AAA=",
    "A A",
    " AA",
    "AA\n",
    "AA\0",
    "AB",
    "A_",
    "AAB",
    "AA_",
    "A+AA",
    "A/AA",
    "A.AA",
    "AAAA=",
    "AAéA",
    "é",
  ])("refuses %j", (text) => {
    expect(hex(text)).toBeUndefined();
  });

  it("knows every byte: 64 in the alphabet, 192 outside, at each place of a group", () => {
    for (const place of [0, 1, 2, 3]) {
      const accepted = Array.from({ length: 256 }, (_, byte) => {
        const text = utf8("AAAA");
        text[place] = byte;
        return decodeBase64Url(text) ? String.fromCharCode(byte) : "";
      });
      expect(accepted.join("")).toBe("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz");
    }
  });

  it("accepts one spelling of two characters in sixteen, and of three in four", () => {
    const letters = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
    expect(letters.filter((letter) => hex(`A${letter}`) !== undefined).join("")).toBe("AQgw");
    expect(letters.filter((letter) => hex(`AA${letter}`) !== undefined).join("")).toBe("AEIMQUYcgkosw048");
  });

  it("round-trips, as the TypeScript twin spells it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = encodeBase64Url(bytes);
        expect(text).toBe(twinEncode(bytes));
        expect(decodeBase64Url(utf8(text))).toEqual(bytes);
      }),
      { numRuns: 500 },
    );
  });

  it("agrees with the TypeScript twin on arbitrary text", () => {
    const unit = fc.constantFrom(...Array.from("ABQgwxyz01289-_"), "+", "/", "=", " ", "é");
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 9 }), (units) => {
        const text = units.join("");
        expect(hex(text)).toBe(decodedByTwin(text));
      }),
      { numRuns: 2_000 },
    );
  });
});

function decodedByTwin(text: string): string | undefined {
  const decoded = twinDecode(text);
  return decoded && Buffer.from(decoded).toString("hex");
}
