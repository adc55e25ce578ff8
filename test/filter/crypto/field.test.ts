import { expect, test } from "vitest";
import { testable } from "../testable.ts";
import type { CallMemory } from "../testable.ts";
import { bytes32, edges, modulo, number, P, random32, SIZE } from "./numbers.ts";

const ELEMENT_BYTES = 36;
const R = 2n ** 261n;
const module = testable();
const fn = (name: string): ReturnType<typeof module.fn> => module.fn(name);

function element(memory: CallMemory, value: bigint): number {
  const ptr = memory.reserve(ELEMENT_BYTES);
  expect(fn("fieldFromBytes")(ptr, memory.put(bytes32(value)))).toBe(1);
  return ptr;
}

function value(memory: CallMemory, ptr: number): bigint {
  const out = memory.reserve(32);
  fn("fieldToBytes")(out, ptr);
  return number(memory.take(out, 32));
}

/** Nine limbs as they lie in memory. */
function limbs(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(ELEMENT_BYTES);
  values.forEach((limb, i) => {
    new DataView(bytes.buffer).setInt32(4 * i, limb, true);
  });
  return bytes;
}

function sumOfLimbs(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return [0, 1, 2, 3, 4, 5, 6, 7, 8].reduce(
    (sum, i) => sum + (BigInt(view.getInt32(4 * i, true)) << BigInt(29 * i)),
    0n,
  );
}

const inverse = (a: bigint, exponent = P - 2n): bigint => {
  let result = 1n;
  for (let base = a; exponent > 0n; exponent >>= 1n, base = (base * base) % P)
    if (exponent & 1n) result = (result * base) % P;
  return result;
};

const BINARY = {
  fieldAdd: (a: bigint, b: bigint) => a + b,
  fieldSub: (a: bigint, b: bigint) => a - b,
  fieldMul: (a: bigint, b: bigint) => a * b,
};

test.each(Object.entries(BINARY))("%s agrees with integers on edges and random numbers", (name, reference) => {
  const values = edges(P);
  const pairs = [
    ...values.flatMap((a) => values.map((b) => [a, b] as const)),
    ...Array.from({ length: 2000 }, () => [random32() % P, random32() % P] as const),
  ];
  for (const [a, b] of pairs)
    module.call((memory) => {
      const [x, y, d] = [element(memory, a), element(memory, b), memory.reserve(ELEMENT_BYTES)];
      fn(name)(d, x, y);
      expect(value(memory, d)).toBe(modulo(reference(a, b), P));
      fn(name)(x, x, y);
      expect(value(memory, x)).toBe(modulo(reference(a, b), P));
    });
});

test("squares and inverses", () => {
  for (const a of [...edges(P), ...Array.from({ length: 200 }, () => random32() % P)])
    module.call((memory) => {
      const [x, d] = [element(memory, a), memory.reserve(ELEMENT_BYTES)];
      fn("fieldSqr")(d, x);
      expect(value(memory, d)).toBe((a * a) % P);
      fn("fieldInv")(d, x);
      expect(value(memory, d)).toBe(inverse(a));
    });
});

test("combinations of loose operands are tight", () => {
  for (const a of edges(P))
    module.call((memory) => {
      const b = random32() % P;
      const [x, y, d] = [element(memory, a), element(memory, b), memory.reserve(ELEMENT_BYTES)];
      fn("fieldSub")(d, x, y);
      fn("fieldSub")(d, d, y);
      fn("fieldCombine")(d, d, 9n, y, -16n);
      expect(value(memory, d)).toBe(modulo(9n * (a - 2n * b) - 16n * b, P));
      const tight = memory.take(d, ELEMENT_BYTES);
      const view = new DataView(tight.buffer);
      for (let i = 0; i < 32; i += 4) expect(view.getInt32(i, true)).toSatisfy((limb) => limb >= 0 && limb < 2 ** 29);
      expect(sumOfLimbs(tight)).toSatisfy((sum) => sum > -(2n ** 240n) && sum < 2n ** 256n + 2n ** 240n);
    });
});

test("multiplication takes the loosest operands that it promises to take", () => {
  const one = 2 ** 29 - 1;
  const extremes = [
    [Array<number>(9).fill(one), 1],
    [Array<number>(9).fill(-one), 1],
    [Array<number>(9).fill(2 * one), 2],
    [Array<number>(9).fill(-2 * one), 2],
    [Array<number>(9).fill(3 * one), 3],
    [Array.from({ length: 9 }, (_, i) => (i % 2 === 0 ? one : -one)), 1],
  ] as const;
  // The product of the values is at most 2^517: the top limb is small, as it is in sums of elements.
  const inRange = (values: readonly number[]): readonly number[] =>
    values.map((limb, i) => (i === 8 ? limb >> 4 : limb));
  for (const [a, looseA] of extremes)
    for (const [b, looseB] of extremes.filter(([, loose]) => loose * looseA <= 3))
      module.call((memory) => {
        const [left, right] = [limbs(inRange(a)), limbs(inRange(b))];
        const d = memory.reserve(ELEMENT_BYTES);
        fn("fieldMul")(d, memory.put(left), memory.put(right));
        expect(looseA * looseB).toBeLessThanOrEqual(3);
        expect(modulo(sumOfLimbs(memory.take(d, ELEMENT_BYTES)) * R, P)).toBe(
          modulo(sumOfLimbs(left) * sumOfLimbs(right), P),
        );
      });
});

test("numbers from p on are refused, and zero is known in every form", () => {
  for (const over of [P, P + 1n, SIZE - 1n])
    module.call((memory) => {
      expect(fn("fieldFromBytes")(memory.reserve(ELEMENT_BYTES), memory.put(bytes32(over)))).toBe(0);
    });
  const spell = (multiple: bigint): Uint8Array => {
    const digits = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => Number((multiple >> BigInt(29 * i)) & 0x1fffffffn));
    return limbs([...digits, Number(multiple >> 232n)]);
  };
  for (let k = -8n; k <= 8n; k++)
    for (const offset of [0n, 1n, -1n, 2n ** 29n, 2n ** 232n])
      module.call((memory) => {
        expect(fn("fieldIsZeroVartime")(memory.put(spell(k * P + offset)))).toBe(offset === 0n ? 1 : 0);
      });
});
