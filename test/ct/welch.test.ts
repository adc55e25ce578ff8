import { expect, test } from "vitest";
import { Comparison, Moments, verdictOf, welchT } from "./welch.ts";
import type { Finding } from "./welch.ts";

const BATCH = 5_000;

/** The same numbers in every run (xorshift32), in 0..1. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** Times with a tail a hundred times as long as what differs, as those of a busy machine. */
function compare(differenceNs: number, batches: number): Finding {
  const random = numbers(8_292);
  const comparison = new Comparison();
  for (let batch = 0; batch <= batches; batch++) {
    const classes = new Uint8Array(BATCH).map(() => (random() < 0.5 ? 0 : 1));
    const times = Float64Array.from(classes, (one) => {
      const interruption = random() < 0.02 ? 20_000 * random() : 0;
      return 1_000 + 100 * (random() + random() + random()) + one * differenceNs + interruption;
    });
    comparison.add(classes, times);
  }
  return comparison.finding();
}

test("the same times are clean", () => {
  const finding = compare(0, 40);
  expect(finding).toMatchObject({ verdict: "clean", measurements: 40 * BATCH });
  expect(finding.maxT).toBeGreaterThan(0);
});

test("a difference of a fiftieth of the spread is found below the tail, with its sign and size", () => {
  const finding = compare(5, 40);
  expect(finding.verdict).toBe("leaks");
  expect(finding.percentile).toBeLessThan(100);
  expect(finding.differenceNs).toBeLessThan(-1);
  expect(finding.differenceNs).toBeGreaterThan(-10);
  expect(finding.medianNs).toBeGreaterThan(1_100);
});

test("the first batch only says where the tail begins", () => {
  expect(compare(1_000, 0)).toMatchObject({ measurements: 0, maxT: 0, verdict: "clean" });
});

test("Welch's t of two samples is that of the formula", () => {
  const [a, b] = [new Moments(), new Moments()];
  for (let i = 0; i < 1_000; i++) {
    a.add(i % 2);
    b.add(3 + (i % 5));
  }
  // Means 0.5 and 5, sample variances 250/999 and 2000/999.
  expect(welchT(a, b)).toBeCloseTo(-4.5 / Math.sqrt((250 / 999 + 2_000 / 999) / 1_000), 9);
  expect(welchT(a, new Moments())).toBe(0);
});

test("verdicts", () => {
  expect([4.5, 4.51, 10, 10.01].map(verdictOf)).toEqual(["clean", "suspect", "suspect", "leaks"]);
});
