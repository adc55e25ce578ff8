import { describe, expect, test } from "vitest";
import { BUILDS, testable } from "../testable.ts";
import type { CallMemory, Testable } from "../testable.ts";
import { edges, modulo, P, random32 } from "./numbers.ts";

const PAIR_BYTES = 72;
const R = 2n ** 261n;
const ONE = 2 ** 29 - 1;
type Lanes = readonly [bigint, bigint];
type Limbs = readonly number[];

/** Nine limbs each, limb i of both at byte 8·i. */
function pairOf(first: Limbs, second: Limbs): Uint8Array {
  const bytes = new Uint8Array(PAIR_BYTES);
  const view = new DataView(bytes.buffer);
  [first, second].forEach((limbs, lane) => {
    limbs.forEach((limb, i) => {
      view.setInt32(8 * i + 4 * lane, limb, true);
    });
  });
  return bytes;
}

/** Limbs below 2^29, the top one with the rest and the sign. */
function limbsOf(value: bigint): Limbs {
  const low = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => Number((value >> BigInt(29 * i)) & 0x1fffffffn));
  return [...low, Number(value >> 232n)];
}

const pair = ([first, second]: Lanes): Uint8Array => pairOf(limbsOf(first), limbsOf(second));

function valuesOf(bytes: Uint8Array): Lanes {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const lane = (at: number): bigint =>
    [0, 1, 2, 3, 4, 5, 6, 7, 8].reduce(
      (sum, i) => sum + (BigInt(view.getInt32(8 * i + at, true)) << BigInt(29 * i)),
      0n,
    );
  return [lane(0), lane(4)];
}

/** What a function of the module writes over its destination. */
function result(module: Testable, name: string, ...operands: Uint8Array[]): Uint8Array {
  return module.call(({ put, reserve, take }: CallMemory) => {
    const d = reserve(PAIR_BYTES);
    module.fn(name)(d, ...operands.map(put));
    return take(d, PAIR_BYTES);
  });
}

function limbsAreTight(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const limbs = Array.from({ length: 16 }, (_, i) => view.getInt32(4 * i, true));
  return limbs.every((limb) => limb >= 0 && limb <= ONE);
}

function isTight(bytes: Uint8Array): boolean {
  return limbsAreTight(bytes) && valuesOf(bytes).every((sum) => sum > -(2n ** 256n) && sum < 2n ** 257n);
}

/** Every pair of edges in the first lane, others beside them, so that a lane that leaks into the other is seen. */
function operands(): (readonly [Lanes, Lanes])[] {
  const values = edges(P);
  const random = (): Lanes => [random32() % P, random32() % P];
  return [
    ...values.flatMap((a, i) =>
      values.map((b, j) => [[a, b] as Lanes, [b, values[(i * j) % values.length] ?? 0n] as Lanes] as const),
    ),
    ...Array.from({ length: 500 }, () => [random(), random()] as const),
  ];
}

describe.each(BUILDS)("%s", (build) => {
  const module = testable(build);

  const normal = (product: Uint8Array): bigint[] => valuesOf(product).map((value) => modulo(value * R, P));

  test("products and squares agree with integers on edges and random numbers", () => {
    for (const [a, b] of operands()) {
      const product = result(module, "pairMul", pair(a), pair(b));
      expect(isTight(product)).toBe(true);
      const square = result(module, "pairSqr", pair(a));
      expect(isTight(square)).toBe(true);
      expect(normal(product)).toEqual([(a[0] * b[0]) % P, (a[1] * b[1]) % P]);
      expect(normal(square)).toEqual([(a[0] * a[0]) % P, (a[1] * a[1]) % P]);
    }
  });

  test("sums and differences agree with integers, limb by limb", () => {
    for (const [a, b] of operands()) {
      expect(valuesOf(result(module, "pairAdd", pair(a), pair(b)))).toEqual([a[0] + b[0], a[1] + b[1]]);
      expect(valuesOf(result(module, "pairSub", pair(a), pair(b)))).toEqual([a[0] - b[0], a[1] - b[1]]);
    }
  });

  // The product of the values is at most 2^517: the top limb is small, as it is in sums of elements.
  const inRange = (limbs: Limbs): Limbs => limbs.map((limb, i) => (i === 8 ? limb >> 4 : limb));
  const extremes = [
    [Array<number>(9).fill(ONE), 1],
    [Array<number>(9).fill(-ONE), 1],
    [Array<number>(9).fill(2 * ONE), 2],
    [Array<number>(9).fill(-2 * ONE), 2],
    [Array.from({ length: 9 }, (_, i) => (i % 2 === 0 ? ONE : -ONE)), 1],
    [Array.from({ length: 9 }, (_, i) => (i % 3 === 0 ? ONE : -ONE)), 1],
    [Array<number>(9).fill(0), 1],
  ] as const;

  test("multiplication and squaring take the loosest operands that they promise to take", () => {
    for (const [a, looseA] of extremes)
      for (const [b, looseB] of extremes.filter(([, loose]) => loose * looseA <= 3)) {
        const [left, right] = [pairOf(inRange(a), inRange(b)), pairOf(inRange(b), inRange(a))];
        const product = result(module, "pairMul", left, right);
        const expected = modulo(valuesOf(left)[0] * valuesOf(right)[0], P);
        expect(valuesOf(product).map((value) => modulo(value * R, P))).toEqual([expected, expected]);
        expect(isTight(product)).toBe(true);
        if (looseA + looseB > 2) continue;
        const square = result(module, "pairSqr", left);
        expect(valuesOf(square).map((value) => modulo(value * R, P))).toEqual(
          valuesOf(left).map((value) => modulo(value * value, P)),
        );
      }
  });

  test("differences of products, and squares less others, are those of integers", () => {
    const limit = extremes.filter(([, loose]) => loose === 1).map(([limbs]) => pairOf(inRange(limbs), inRange(limbs)));
    const random = (): Uint8Array => pair([random32() % P, random32() % P]);
    const edge = edges(P).map((value, i, all) => pair([value, all[all.length - 1 - i] ?? 0n]));
    const operandsOfAll = [...limit, ...edge, ...Array.from({ length: 200 }, random)];
    for (const [i, a] of operandsOfAll.entries())
      for (const step of [0, 1, 5, 7]) {
        const [b, c, e] = [1, 2, 3].map((k) => operandsOfAll[(i + k * step) % operandsOfAll.length] ?? a);
        const difference = result(module, "pairMulSub", a, b ?? a, c ?? a, e ?? a);
        const [av, bv, cv, ev] = [a, b ?? a, c ?? a, e ?? a].map(valuesOf);
        const of = (lanes: Lanes | undefined, lane: 0 | 1): bigint => lanes?.[lane] ?? 0n;
        const expected = ([0, 1] as const).map((k) => modulo(of(av, k) * of(bv, k) - of(cv, k) * of(ev, k), P));
        expect(normal(difference)).toEqual(expected);
        expect(isTight(difference)).toBe(true);
        // Here the operands to subtract are tight.
        const [tight, other] = [difference, result(module, "pairSqr", a)];
        const square = result(module, "pairSqrSub", a, tight, other);
        const left = ([0, 1] as const).map((k) =>
          modulo(of(av, k) ** 2n - (of(valuesOf(tight), k) + 2n * of(valuesOf(other), k)) * R, P),
        );
        expect(normal(square)).toEqual(left);
        expect(limbsAreTight(square)).toBe(true);
      }
  });

  test("combinations are tight, whatever the operands and factors", () => {
    const wild = [2 ** 31 - 1, -(2 ** 31)].map((limb) => Array<number>(9).fill(limb));
    const loose: Limbs[] = [...extremes.map(([limbs]) => limbs), ...wild];
    for (const a of loose)
      for (const b of loose)
        for (const [x, y] of [
          [1, -1],
          [9, -8],
          [16, 16],
          [-16, -16],
          [16, -16],
          [3, 0],
          [0, 1],
        ] as const) {
          const [left, right] = [pairOf(a, b), pairOf(b, a)];
          const combined = module.call(({ put, reserve, take }) => {
            const d = reserve(PAIR_BYTES);
            module.fn("pairCombine")(d, put(left), x, put(right), y);
            return take(d, PAIR_BYTES);
          });
          expect(isTight(combined)).toBe(true);
          const lane = (at: 0 | 1): bigint => BigInt(x) * valuesOf(left)[at] + BigInt(y) * valuesOf(right)[at];
          expect(valuesOf(combined).map((value) => modulo(value, P))).toEqual([modulo(lane(0), P), modulo(lane(1), P)]);
        }
  });

  test("loose elements become tight", () => {
    const limit = 7 * 2 ** 28;
    const loose: Limbs[] = [
      ...extremes.map(([limbs]) => limbs),
      Array<number>(9).fill(limit),
      Array<number>(9).fill(-limit),
      Array.from({ length: 9 }, (_, i) => (i % 2 === 0 ? limit : -limit)),
      ...Array.from({ length: 200 }, () =>
        Array.from({ length: 9 }, () => Math.round((2 * Math.random() - 1) * limit)),
      ),
    ];
    for (const a of loose)
      for (const b of loose.slice(0, 12)) {
        const operand = pairOf(a, b);
        const tight = result(module, "pairTighten", operand);
        expect(isTight(tight)).toBe(true);
        expect(valuesOf(tight).map((value) => modulo(value, P))).toEqual(
          valuesOf(operand).map((value) => modulo(value, P)),
        );
      }
  });

  test("the destination may be an operand", () => {
    const [a, b] = [pair([random32() % P, 1n]), pair([2n, random32() % P])];
    for (const name of ["pairMul", "pairAdd", "pairSub"])
      module.call(({ put, take }) => {
        const [first, second] = [put(a), put(b)];
        const expected = result(module, name, a, b);
        module.fn(name)(first, first, second);
        expect(take(first, PAIR_BYTES)).toEqual(expected);
        module.fn(name)(second, put(a), second);
        expect(take(second, PAIR_BYTES)).toEqual(expected);
      });
    module.call(({ put, take }) => {
      const operandsOfAll = [a, b, b, a].map(put);
      module.fn("pairMulSub")(operandsOfAll[2] ?? 0, ...operandsOfAll);
      expect(take(operandsOfAll[2] ?? 0, PAIR_BYTES)).toEqual(result(module, "pairMulSub", a, b, b, a));
      const [square, ...subtrahends] = [a, b, a].map(put);
      module.fn("pairSqrSub")(subtrahends[0] ?? 0, square ?? 0, ...subtrahends);
      expect(take(subtrahends[0] ?? 0, PAIR_BYTES)).toEqual(result(module, "pairSqrSub", a, b, a));
    });
    for (const name of ["pairSqr", "pairTighten"])
      module.call(({ put, take }) => {
        const first = put(a);
        module.fn(name)(first, first);
        expect(take(first, PAIR_BYTES)).toEqual(result(module, name, a));
      });
    module.call(({ put, reserve, take }) => {
      const [d, first, second] = [reserve(PAIR_BYTES), put(a), put(b)];
      module.fn("pairCombine")(d, first, 9, second, -8);
      module.fn("pairCombine")(second, first, 9, second, -8);
      expect(take(second, PAIR_BYTES)).toEqual(take(d, PAIR_BYTES));
    });
  });

  test("a pair is made of two elements and gives them back", () => {
    module.call(({ put, reserve, take }) => {
      const [a, b] = [pair([random32(), 0n]), pair([random32(), 0n])].map((bytes) => bytes.slice(0, 36));
      const [d, x, y] = [reserve(PAIR_BYTES), reserve(36), reserve(36)];
      module.fn("pairInterleave")(d, put(a ?? new Uint8Array()), put(b ?? new Uint8Array()));
      module.fn("pairSplit")(x, y, d);
      expect([take(x, 36), take(y, 36)]).toEqual([a, b]);
      const limb = (bytes: Uint8Array, i: number): Uint8Array => bytes.slice(4 * i, 4 * i + 4);
      expect(limb(take(d, PAIR_BYTES), 7)).toEqual(limb(b ?? new Uint8Array(), 3));
    });
  });
});
