import { expect, test } from "vitest";
import { badInputs, goodInputs, provenOperations } from "./crypto-partner.ts";
import type { CryptoPartner, OperationName } from "./crypto-partner.ts";
import { assertCompiledAsShipped, FILTER } from "./crypto-filter.ts";
import { NOBLE, OPENSSL } from "./crypto-javascript.ts";
import { measureInterleaved, median, ratioOf, rounded } from "./bench.ts";
import type { Measured } from "./bench.ts";

test("the median is that of the middle", () => {
  expect([median([5]), median([9, 1, 5]), median([4, 1, 3, 2])]).toEqual([5, 5, 2.5]);
  expect(() => median([])).toThrow();
});

test("a ratio is the median of the rounds' ratios", () => {
  const of = (...perSec: readonly number[]): Measured => ({ perSec, medianPerSec: 0, minPerSec: 0, maxPerSec: 0 });
  expect(ratioOf(of(10, 2, 30), of(5, 1, 3))).toBe(2);
});

test("results keep three digits", () => {
  expect([rounded(1234.5), rounded(0.98765)]).toEqual([1230, 0.988]);
});

test("every contender runs in every round, in turn", async () => {
  const order: string[] = [];
  const contender = (name: string) => ({
    name,
    units: 10,
    operation: async () => {
      if (order.at(-1) !== name) order.push(name);
      await Promise.resolve();
    },
  });
  const measured = await measureInterleaved(
    [contender("a"), contender("b")],
    { rounds: 2, roundMs: 3 },
    () => undefined,
  );
  expect(order).toEqual(["a", "b", "a", "b", "a", "b"]);
  for (const { minPerSec, medianPerSec, maxPerSec } of measured.values()) {
    expect(minPerSec).toBeGreaterThan(0);
    expect(minPerSec).toBeLessThanOrEqual(medianPerSec);
    expect(medianPerSec).toBeLessThanOrEqual(maxPerSec);
  }
});

test("the module that is measured is compiled as the shipped one", assertCompiledAsShipped);

test("partners that need no compiler prove that they do their work", () => {
  const { inputs, expected } = goodInputs();
  for (const partner of [OPENSSL, NOBLE, FILTER]) {
    const operations = provenOperations(partner, inputs, expected);
    expect(operations.pinned !== undefined).toBe(partner === FILTER);
  }
});

test.each([
  ["verify", "accepts a wrong signature"],
  ["ecdh", "accepts a key that is not on the curve"],
  ["open", "opens with a wrong tag"],
  ["sha256", "hashes something else"],
] as const)("a partner whose %s does nothing is found out", (name, fault) => {
  const { inputs, expected } = goodInputs();
  expect(() => provenOperations(idle(name, expected[name]), inputs, expected)).toThrow(fault);
});

/** Answers with the right result whatever it is given. */
function idle(name: OperationName, output: Uint8Array): CryptoPartner {
  const load: CryptoPartner["load"] = (given) => ({
    ...OPENSSL.load(given),
    [name]: { run: () => true, output: () => output },
  });
  return { name: "idle", load };
}

test("bad inputs differ from good ones in what must be noticed", () => {
  const { inputs } = goodInputs();
  const bad = badInputs(inputs);
  const changed = Object.entries(inputs).filter(([name, good]) => bad[name as keyof typeof bad] !== good);
  expect(changed.map(([name]) => name)).toEqual(["signature", "publicKey", "tag", "hashed"]);
});
