import { N } from "../../filter/crypto/numbers.ts";
import { ArithmeticModule } from "../arithmetic-module.ts";
import type { ArithmeticTarget, Cases } from "../arithmetic.ts";
import { anyNumber } from "../numbers.ts";
import { agree } from "../target.ts";

const SCALAR_BYTES = 36;
/** Of Montgomery form. */
const R = (1n << 261n) % N;
const LIMBS = [0, 1, 2, 3, 4, 5, 6, 7, 8] as const;

/** Integers modulo the order of P-256, against big integers. */
export const SCALAR: ArithmeticTarget = { name: "scalar", cases };

function cases(): Cases {
  const module = new ArithmeticModule();
  const [left, right, out] = [0, 1, 2].map(() => module.reserve(SCALAR_BYTES)) as [number, number, number];
  const names = ["scalarFromDigest", "scalarFromBytes", "scalarMul", "scalarInvertVartime"];
  const [fromDigest, fromBytes, multiply, invert] = names.map((name) => module.fn(name));
  const read = (ptr: number): bigint => {
    const { view } = module;
    return LIMBS.reduceRight((sum, i) => (sum << 29n) + BigInt(view.getUint32(ptr + 4 * i, true)), 0n);
  };
  return (random) => {
    const [a, b] = [anyNumber(random), anyNumber(random)];
    fromDigest!(left, module.bytesOf(a));
    agree("scalarFromDigest", read(left), a % N);
    fromDigest!(right, module.bytesOf(b));
    agree("scalarFromDigest", read(right), b % N);
    multiply!(out, left, right);
    const product = read(out);
    if (product >= N || (product * R - a * b) % N !== 0n) agree(`scalarMul of ${a} and ${b}`, product, "another");
    agree(`scalarFromBytes of ${a}`, fromBytes!(out, module.bytesOf(a)) === 1, a > 0n && a < N);
    if (a % N === 0n) return 4;
    invert!(out, left);
    const inverse = read(out);
    if (inverse >= N || (inverse * a - R) % N !== 0n) agree(`the inverse of ${a}`, inverse, "another");
    return 5;
  };
}
