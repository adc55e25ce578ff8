/** Small pieces of what owners do: versions, pins. */
import { describe, expect, test } from "vitest";
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
