import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isU64, isUtf8, utf8 } from "./codec.ts";

describe("UTF-8", () => {
  const platform = (bytes: Uint8Array): boolean => {
    try {
      new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
      return true;
    } catch {
      return false;
    }
  };

  it("agrees with the platform on every sequence of two bytes", () => {
    for (let first = 0; first < 256; first++) {
      for (let second = 0; second < 256; second++) {
        const bytes = Uint8Array.of(first, second);
        if (isUtf8(bytes) !== platform(bytes)) expect.fail(`disagrees on ${String(first)} ${String(second)}`);
      }
    }
  });

  it("agrees with the platform on bytes near the edges of the ranges", () => {
    const edge = fc.constantFrom(0, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff); // prettier-ignore
    fc.assert(
      fc.property(fc.array(edge, { maxLength: 12 }), (bytes) => {
        expect(isUtf8(Uint8Array.from(bytes))).toBe(platform(Uint8Array.from(bytes)));
      }),
      { numRuns: 3_000 },
    );
  });

  it("agrees with the platform around the ends of eight-byte steps", () => {
    for (let length = 1; length < 40; length++) {
      for (let at = 0; at < length; at++) {
        const bytes = new Uint8Array(length).fill(0x61);
        bytes[at] = 0xc3;
        expect(isUtf8(bytes)).toBe(false);
        if (at + 1 < length) {
          bytes[at + 1] = 0xa9;
          expect(isUtf8(bytes)).toBe(true);
        }
      }
    }
  });
});

describe("u64 text", () => {
  it.each(["0", "1", "9", "10", "18446744073709551615", "9999999999999999999"])("accepts %s", (text) => {
    expect(isU64(utf8(text))).toBe(true);
  });

  it.each([
    "",
    "00",
    "01",
    "-1",
    "+1",
    " 1",
    "1 ",
    "1.0",
    "0x1",
    "a",
    "1a",
    "18446744073709551616",
    "18446744073709551625",
    "19000000000000000000",
    "99999999999999999999",
    "100000000000000000000",
    "١",
  ])("refuses %j", (text) => {
    expect(isU64(utf8(text))).toBe(false);
  });

  it("agrees with BigInt", () => {
    const digits = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 21 }).map((all) => all.join(""));
    fc.assert(
      fc.property(digits, (text) => {
        const value = BigInt(text);
        expect(isU64(utf8(text))).toBe(value < 2n ** 64n && value.toString() === text);
      }),
    );
  });
});
