import { P } from "../../filter/crypto/numbers.ts";
import { ArithmeticModule } from "../arithmetic-module.ts";
import type { ArithmeticTarget, Cases } from "../arithmetic.ts";
import { anyNumber } from "../numbers.ts";
import type { Random } from "../random.ts";
import { agree } from "../target.ts";

const ELEMENT_BYTES = 36;
const PAIR_BYTES = 72;
/** One in so many: an inversion costs as much as all the rest. */
const INVERSIONS = 64;

/** The field of P-256, one element at a time and two at once, against big integers. */
export const FIELD: ArithmeticTarget = { name: "field", cases };

function cases(): Cases {
  const field = new Field();
  return (random) => {
    const [a, b, c, d] = [0, 1, 2, 3].map(() => field.element(anyNumber(random)));
    const count = field.single(a!, b!, random) + field.loose(a!, b!, c!, d!) + field.pairs([a!, c!], [b!, d!], random);
    return count + (random.below(INVERSIONS) === 0 ? field.inverse(a!) : 0);
  };
}

interface Element {
  readonly value: bigint;
  readonly ptr: number;
}

const modulo = (value: bigint): bigint => ((value % P) + P) % P;

class Field {
  readonly #module = new ArithmeticModule();
  readonly #elements = Array.from({ length: 4 }, () => this.#module.reserve(ELEMENT_BYTES));
  readonly #out = this.#module.reserve(ELEMENT_BYTES);
  readonly #left = this.#module.reserve(ELEMENT_BYTES);
  readonly #right = this.#module.reserve(ELEMENT_BYTES);
  readonly #pairs = Array.from({ length: 4 }, () => this.#module.reserve(PAIR_BYTES));
  #next = 0;
  readonly #fn = Object.fromEntries(
    [
      ...["fieldAdd", "fieldSub", "fieldMul", "fieldSqr", "fieldCombine", "fieldInv", "fieldFromBytes", "fieldToBytes"],
      ...["pairAdd", "pairSub", "pairMul", "pairSqr", "pairCombine", "pairTighten", "pairInterleave", "pairSplit"],
      ...["pairMulSub", "pairSqrSub"],
    ].map((name) => [name, this.#module.fn(name)]),
  );

  /** The number, or what is left of it where it is no element. */
  element(number: bigint): Element {
    const ptr = this.#elements[this.#next++ % this.#elements.length]!;
    const accepted = this.#call("fieldFromBytes", ptr, this.#module.bytesOf(number)) === 1;
    agree(`fieldFromBytes of ${number}`, accepted, number < P);
    if (!accepted) this.#call("fieldFromBytes", ptr, this.#module.bytesOf(number - P));
    return { ptr, value: accepted ? number : number - P };
  }

  single(a: Element, b: Element, random: Random): number {
    const out = this.#out;
    const [x, y] = [random.below(33) - 16, random.below(33) - 16];
    this.#call("fieldMul", out, a.ptr, b.ptr);
    this.#expect("fieldMul", out, a.value * b.value);
    this.#call("fieldSqr", out, a.ptr);
    this.#expect("fieldSqr", out, a.value * a.value);
    this.#call("fieldCombine", out, a.ptr, BigInt(x), b.ptr, BigInt(y));
    this.#expect("fieldCombine", out, BigInt(x) * a.value + BigInt(y) * b.value);
    this.#call("fieldAdd", out, a.ptr, b.ptr);
    this.#expect("fieldAdd", out, a.value + b.value);
    this.#call("fieldSub", out, a.ptr, b.ptr);
    this.#expect("fieldSub", out, a.value - b.value);
    return 5;
  }

  /** Operands as loose as they may be: of one, the sum of three. */
  loose(a: Element, b: Element, c: Element, d: Element): number {
    const [out, left, right] = [this.#out, this.#left, this.#right];
    this.#call("fieldSub", left, a.ptr, b.ptr);
    this.#call("fieldMul", out, left, c.ptr);
    this.#expect("fieldMul of a difference", out, (a.value - b.value) * c.value);
    this.#call("fieldSqr", out, left);
    this.#expect("fieldSqr of a difference", out, (a.value - b.value) ** 2n);
    this.#call("fieldAdd", right, c.ptr, d.ptr);
    this.#call("fieldSub", left, left, d.ptr);
    this.#call("fieldMul", out, left, c.ptr);
    this.#expect("fieldMul of three", out, (a.value - b.value - d.value) * c.value);
    this.#call("fieldCombine", out, right, 9n, left, -16n);
    this.#expect("fieldCombine of loose", out, 9n * (c.value + d.value) - 16n * (a.value - b.value - d.value));
    return 4;
  }

  /** Each lane with other numbers. */
  pairs(a: readonly [Element, Element], b: readonly [Element, Element], random: Random): number {
    const [left, right, out, loose] = this.#pairs as [number, number, number, number];
    const [x, y] = [random.below(33) - 16, random.below(33) - 16];
    this.#call("pairInterleave", left, a[0].ptr, a[1].ptr);
    this.#call("pairInterleave", right, b[0].ptr, b[1].ptr);
    const each = (name: string, law: (p: bigint, q: bigint) => bigint, ...rest: number[]): void => {
      this.#call(name, out, ...rest);
      this.#call("pairSplit", this.#left, this.#right, out);
      this.#expect(`${name}, first`, this.#left, law(a[0].value, b[0].value));
      this.#expect(`${name}, second`, this.#right, law(a[1].value, b[1].value));
    };
    each("pairMul", (p, q) => p * q, left, right);
    each("pairSqr", (p) => p * p, left);
    each("pairAdd", (p, q) => p + q, left, right);
    this.#call("pairSub", loose, left, right);
    each("pairMul", (p, q) => (p - q) * q, loose, right);
    each("pairSqr", (p, q) => (p - q) ** 2n, loose);
    each("pairTighten", (p, q) => p - q, loose);
    each("pairCombine", (p, q) => BigInt(x) * (p - q) + BigInt(y) * q, loose, x, right, y);
    each("pairMulSub", (p, q) => p * q - (p - q) * q, left, right, loose, right);
    each("pairSqrSub", (p, q) => (p - q) ** 2n - p - 2n * q, loose, left, right);
    return 18;
  }

  inverse(a: Element): number {
    const inverse = this.#out;
    this.#call("fieldInv", inverse, a.ptr);
    this.#call("fieldMul", this.#left, inverse, a.ptr);
    this.#expect("fieldInv", this.#left, a.value === 0n ? 0n : 1n);
    return 1;
  }

  #call(name: string, ...args: (number | bigint)[]): number {
    return this.#fn[name]!(...args);
  }

  #expect(what: string, ptr: number, value: bigint): void {
    const written = this.#module.numberFrom((bytes) => this.#call("fieldToBytes", bytes, ptr));
    if (written !== modulo(value)) agree(what, written, modulo(value));
  }
}
