/** Small pieces of what owners do: versions, line differences, pins. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { diffLines } from "../../xds-proxy/src/owner/line-diff.ts";
import { encodePin, mergePins, parsePin } from "../../xds-proxy/src/owner/pin.ts";
import { nextVersion } from "../../xds-proxy/src/owner/version.ts";

describe("nextVersion", () => {
  test.each([
    [undefined, 1000.9, "1000"],
    ["999", 1000, "1000"],
    ["1000", 1000, "1001"],
    ["18446744073709551614", 1000, "18446744073709551615"],
  ])("after %s at %f is %s", (previous, nowMs, expected) => {
    expect(nextVersion(previous, nowMs)).toBe(expected);
  });

  test("ends at 2^64-1 and says what helps", () => {
    expect(() => nextVersion("18446744073709551615", 1000)).toThrow("rotate the root with --revoke");
  });
});

test("line differences lead from one text to the other, and keep as much as they can", () => {
  const lines = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 12 });
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const diff = diffLines(before, after);
      expect(diff.filter(({ mark }) => mark !== "+").map(({ text }) => text)).toEqual(before);
      expect(diff.filter(({ mark }) => mark !== "-").map(({ text }) => text)).toEqual(after);
      expect(diff.filter(({ mark }) => mark === " ")).toHaveLength(commonLength(before, after));
    }),
  );
});

/** The longest common subsequence by its definition. */
function commonLength(
  a: readonly string[],
  b: readonly string[],
  i = 0,
  j = 0,
  memo = new Map<string, number>(),
): number {
  const key = `${i} ${j}`;
  const known = memo.get(key);
  if (known !== undefined || i === a.length || j === b.length) return known ?? 0;
  const skip = Math.max(commonLength(a, b, i + 1, j, memo), commonLength(a, b, i, j + 1, memo));
  const length = a[i] === b[j] ? Math.max(skip, 1 + commonLength(a, b, i + 1, j + 1, memo)) : skip;
  memo.set(key, length);
  return length;
}

test("a pin is read back as it was written, its namespaces in order", () => {
  const digest = "A".repeat(43);
  const pin = {
    ...{ role: "policy" as const, mesh: "m", trustDomain: "t.local", rootNamespace: "" },
    roots: { b: digest, a: digest },
  };
  expect(parsePin(encodePin(pin), "x")).toEqual(pin);
  expect(encodePin(pin)).toBe(
    `{"role":"policy","mesh":"m","trustDomain":"t.local","rootNamespace":"","roots":{"a":"${digest}","b":"${digest}"}}`,
  );
});

describe("aliases of the trust domain in a pin", () => {
  const PIN = { role: "policy" as const, mesh: "m", trustDomain: "t.local", rootNamespace: "", roots: {} };

  test("come after the trust domain, and not at all when there are none", () => {
    const pin = { ...PIN, trustDomainAliases: ["b.example", "a"] };
    expect(encodePin(pin)).toBe(
      '{"role":"policy","mesh":"m","trustDomain":"t.local","trustDomainAliases":["b.example","a"],"rootNamespace":"","roots":{}}',
    );
    expect(parsePin(encodePin(pin), "x")).toEqual(pin);
    expect(encodePin({ ...PIN, trustDomainAliases: [] })).toBe(encodePin(PIN));
    expect(parsePin(encodePin(PIN), "x")).not.toHaveProperty("trustDomainAliases");
  });

  test("are the same in all pins that are joined, in whatever order", () => {
    const pin = { ...PIN, trustDomainAliases: ["a", "b"] };
    expect(mergePins([pin, { ...PIN, trustDomainAliases: ["b", "a"] }])).toEqual(pin);
    expect(() => mergePins([pin, PIN])).toThrow("trustDomainAliases: is a, b here and none there");
    expect(() => mergePins([PIN, { ...PIN, trustDomainAliases: ["c"] }])).toThrow("is none here and c there");
  });
});
