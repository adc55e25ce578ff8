import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isDnsName, isLabel } from "./names.ts";
import { encodeFresh, encodeRoot, encodeSet, parseFresh, parseRoot, parseSet } from "./documents.ts";
import type { RootDocument, SetEntry } from "./documents.ts";
import { encodeBase64Url } from "../bytes/base64url.ts";
import { utf8 } from "../bytes/octets.ts";
import { SigningKey } from "../crypto/ecdsa-p256.ts";
import { keyIdOf } from "../crypto/sha256.ts";
import { ParseError } from "../errors.ts";

const ROOT: RootDocument = {
  ...{ ns: "team-a", mesh: "mesh-1", trustDomain: "cluster.local", ep: 3, minEp: 2 },
  keys: [
    { publicKey: SigningKey.generate().publicKey, roles: ["root"] },
    { publicKey: SigningKey.generate().publicKey, roles: ["cfg", "fresh"] },
  ],
  thresholds: { root: 1, cfg: 1, fresh: 1, push: 8 },
  ...{ mode: "monitor", default: "istio", paths: "istio", onStale: "deny", maxFreshSec: 60 },
};

test("a root is written in one form and read back", () => {
  const text = Buffer.from(encodeRoot(ROOT)).toString();
  expect(parseRoot(utf8(text))).toEqual(ROOT);
  expect(text).toMatch(
    /^\{"kind":"Root","ns":"team-a","mesh":"mesh-1","trustDomain":"cluster.local","ep":3,"minEp":2,"keys":\[/,
  );
  expect(text).toMatch(/"mode":"monitor","default":"istio","paths":"istio","onStale":"deny","maxFreshSec":60\}$/);
});

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(encodeBase64Url);
const ver = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }).map(String);
const rcps = ["a", "b", "c"].map((name) => keyIdOf(utf8(name)));
const entries: fc.Arbitrary<SetEntry[]> = fc.uniqueArray(
  fc.record({
    ...{ rt: fc.string({ unit: "grapheme", maxLength: 3 }), name: fc.string({ unit: "grapheme", maxLength: 3 }), ver },
    cds: fc.oneof(
      digest.map((cd) => [{ cd }]),
      fc.tuple(digest, fc.subarray(rcps, { minLength: 1 })).map(([cd, list]) => list.map((rcp) => ({ cd, rcp }))),
    ),
  }),
  { selector: ({ rt, name }) => JSON.stringify([rt, name]), maxLength: 6 },
);

test("a set of any order is written sorted, and read back", () => {
  fc.assert(
    fc.property(entries, fc.shuffledSubarray(rcps, { minLength: 3 }), (list, shuffled) => {
      const written = encodeSet({ rcps: shuffled, entries: list });
      const read = parseSet(written);
      expect(read.rcps).toEqual([...rcps].sort());
      expect(new Set(read.entries.map((entry) => JSON.stringify([entry.rt, entry.name, entry.ver])))).toEqual(
        new Set(list.map((entry) => JSON.stringify([entry.rt, entry.name, entry.ver]))),
      );
      expect(encodeSet(read)).toEqual(written);
    }),
  );
});

test("a fresh is read back", () => {
  fc.assert(
    fc.property(ver, digest, (version, cd) => {
      expect(parseFresh(encodeFresh({ set: { ver: version, cd } }))).toEqual({ set: { ver: version, cd } });
    }),
  );
});

test("a fault says where it is", () => {
  const root = JSON.parse(Buffer.from(encodeRoot(ROOT)).toString()) as { keys: { roles: string[] }[] };
  root.keys[1]!.roles.push("admin");
  expect(() => parseRoot(utf8(JSON.stringify(root)))).toThrow("keys[1].roles[2]");
  expect(() => parseRoot(utf8("{}"))).toThrow(ParseError);
});

describe("names", () => {
  const long = "a".repeat(63);
  test.each(["a", "0", "a-b", "a--b", long])("%j is a label", (text) => {
    expect([isLabel(text), isDnsName(text)]).toEqual([true, true]);
  });
  test.each(["", "-", "-a", "a-", "A", "a_b", "a b", "a\n", "é", `${long}a`])("%j is no label and no name", (text) => {
    expect([isLabel(text), isDnsName(text)]).toEqual([false, false]);
  });
  test.each(["a.b", `${long}.${long}.${long}.${"a".repeat(61)}`])("%j is a name", (text) => {
    expect([isLabel(text), isDnsName(text)]).toEqual([false, true]);
  });
  test.each([".", "a.", ".a", "a..b", `${long}.${long}.${long}.${"a".repeat(62)}`])("%j is no name", (text) => {
    expect(isDnsName(text)).toBe(false);
  });
});
