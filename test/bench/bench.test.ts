import { expect, test } from "vitest";
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
