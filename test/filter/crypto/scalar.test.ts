import { expect, test } from "vitest";
import { testable } from "../testable.ts";
import type { CallMemory } from "../testable.ts";
import { bytes32, edges, modulo, N, random32, SIZE } from "./numbers.ts";

const SCALAR_BYTES = 36;
const R = 2n ** 261n;
const module = testable();
const fn = (name: string): ReturnType<typeof module.fn> => module.fn(name);

function value(memory: CallMemory, ptr: number): bigint {
  const view = new DataView(memory.take(ptr, SCALAR_BYTES).buffer);
  return [0, 1, 2, 3, 4, 5, 6, 7, 8].reduce(
    (sum, i) => sum + (BigInt(view.getUint32(4 * i, true)) << BigInt(29 * i)),
    0n,
  );
}

function digest(memory: CallMemory, number: bigint): number {
  const ptr = memory.reserve(SCALAR_BYTES);
  fn("scalarFromDigest")(ptr, memory.put(bytes32(number)));
  return ptr;
}

test("only 1 to n-1 is a scalar", () => {
  const cases = [0n, 1n, 2n, N - 1n, N, N + 1n, SIZE - 1n];
  const taken = cases.map((number) =>
    module.call((memory) => fn("scalarFromBytes")(memory.reserve(SCALAR_BYTES), memory.put(bytes32(number)))),
  );
  expect(taken).toEqual([0, 1, 1, 1, 0, 0, 0]);
});

test("a digest is reduced", () => {
  for (const number of [...edges(SIZE), ...edges(N), N, N + 1n, ...Array.from({ length: 500 }, random32)])
    module.call((memory) => {
      expect(value(memory, digest(memory, number))).toBe(number % N);
    });
});

test("multiplication", () => {
  const inverseOfR = modpow(R % N, N - 2n);
  const values = [...edges(N), ...Array.from({ length: 20 }, () => random32() % N)];
  for (const a of values)
    for (const b of values)
      module.call((memory) => {
        const d = memory.reserve(SCALAR_BYTES);
        fn("scalarMul")(d, digest(memory, a), digest(memory, b));
        expect(value(memory, d)).toBe(modulo(a * b * inverseOfR, N));
      });
});

/** The numbers whose inverse, times R, is out of range or wrong. */
function wronglyInverted(numbers: readonly bigint[]): readonly bigint[] {
  return module.call((memory) => {
    const [bytes, a, d] = [memory.reserve(32), memory.reserve(SCALAR_BYTES), memory.reserve(SCALAR_BYTES)];
    return numbers.filter((number) => {
      new Uint8Array(module.memory.buffer, bytes, 32).set(bytes32(number));
      fn("scalarFromDigest")(a, bytes);
      fn("scalarInvertVartime")(d, a);
      const inverse = value(memory, d);
      return inverse >= N || (inverse * number - R) % N !== 0n;
    });
  });
}

test("inverses of edges, of few and of long runs of bits, and of random numbers", () => {
  const powers = Array.from({ length: 256 }, (_, bit) => 1n << BigInt(bit));
  const pairs = powers.flatMap((a, i) => powers.slice(0, i).flatMap((b) => [a + b, a - b, N - a + b]));
  const small = Array.from({ length: 3000 }, (_, i) => BigInt(i)).flatMap((k) => [k, N - k]);
  const numbers = [...edges(N), ...powers, ...pairs, ...small, ...Array.from({ length: 8000 }, random32)];
  const scalars = numbers.map((number) => number % N).filter((number) => number !== 0n);
  expect(scalars.length).toBeGreaterThan(100_000);
  expect(wronglyInverted(scalars)).toEqual([]);
});

test("an inverse divides, and its destination may be the number", () => {
  for (const number of [1n, 3n, N - 1n, random32() % N])
    module.call((memory) => {
      const d = digest(memory, number);
      fn("scalarInvertVartime")(d, d);
      fn("scalarMul")(d, digest(memory, 7n), d);
      expect(modulo(value(memory, d) * number, N)).toBe(7n);
    });
});

function modpow(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (; exponent > 0n; exponent >>= 1n, base = (base * base) % N) if (exponent & 1n) result = (result * base) % N;
  return result;
}
