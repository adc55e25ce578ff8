import fc from "fast-check";
import { expect, test } from "vitest";
import { diffLines } from "./line-diff.ts";

const shown = (before: string, after: string): string =>
  diffLines(Array.from(before), Array.from(after))
    .map(({ mark, text }) => `${mark}${text}`)
    .join(",");

test.each([
  ["", "", ""],
  ["abc", "abc", " a, b, c"],
  ["", "ab", "+a,+b"],
  ["ab", "", "-a,-b"],
  ["abcd", "axcd", " a,-b,+x, c, d"],
  ["aab", "ab", " a,-a, b"],
  ["ab", "aab", " a,+a, b"],
  ["abcdef", "acdxf", " a,-b, c, d,-e,+x, f"],
])("from %j to %j", (before, after, expected) => {
  expect(shown(before, after)).toBe(expected);
});

test("both sides can be read back, and nothing is longer than it must be", () => {
  const lines = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 12 });
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const diff = diffLines(before, after);
      expect(diff.filter(({ mark }) => mark !== "+").map(({ text }) => text)).toEqual(before);
      expect(diff.filter(({ mark }) => mark !== "-").map(({ text }) => text)).toEqual(after);
      expect(diff.filter(({ mark }) => mark === " ")).toHaveLength(longestCommon(before, after));
    }),
  );
});

/** By the definition. */
function longestCommon(before: readonly string[], after: readonly string[]): number {
  const [a, ...restBefore] = before;
  const [b, ...restAfter] = after;
  if (a === undefined || b === undefined) return 0;
  if (a === b) return 1 + longestCommon(restBefore, restAfter);
  return Math.max(longestCommon(restBefore, after), longestCommon(before, restAfter));
}

test("what is very long is shown as replaced, in the time that it takes to show it", () => {
  const long = (prefix: string): string[] => Array.from({ length: 50_000 }, (_, index) => `${prefix}${index}`);
  const diff = diffLines(["first", ...long("a"), "last"], ["first", ...long("b"), "last"]);
  expect(diff).toHaveLength(100_002);
  expect([diff[0], diff.at(-1)]).toEqual([
    { mark: " ", text: "first" },
    { mark: " ", text: "last" },
  ]);
});
