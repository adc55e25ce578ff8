import { expect, test } from "vitest";
import { timeText, versionText } from "./version-text.ts";

test.each([
  ["1893456000000", "1893456000000 (2030-01-01T00:00:00Z)"],
  ["1", "1"],
  ["18446744073709551615", "18446744073709551615"],
])("version %s", (ver, text) => {
  expect(versionText(ver)).toBe(text);
});

test("times that are none", () => {
  expect(timeText(1_893_456_000)).toBe("2030-01-01T00:00:00Z");
  expect(timeText(Number.MAX_SAFE_INTEGER)).toBe("9007199254740991 s");
});
