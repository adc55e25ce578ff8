import fc from "fast-check";
import { expect, test } from "vitest";
import { compareU64, isU64Text } from "./decimal.ts";

const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });

test("every u64 has one text", () => {
  fc.assert(
    fc.property(u64, (value) => {
      expect(isU64Text(value.toString())).toBe(true);
      expect(isU64Text(`0${value.toString()}`)).toBe(false);
    }),
  );
});

test.each(["", "-1", "+1", "1.0", "1e3", " 1", "1\n", "0x1", "18446744073709551616", "99999999999999999999", "١"])(
  "%j is no u64",
  (text) => {
    expect(isU64Text(text)).toBe(false);
  },
);

test("order is that of the numbers", () => {
  fc.assert(
    fc.property(u64, u64, (a, b) => {
      expect(Math.sign(compareU64(a.toString(), b.toString()))).toBe(a < b ? -1 : a > b ? 1 : 0);
    }),
  );
});
