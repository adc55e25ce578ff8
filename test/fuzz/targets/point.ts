import { createECDH } from "node:crypto";
import { ExchangeKey } from "../../../xds-proxy/src/crypto/ecdh-p256.ts";
import { N, P } from "../../filter/crypto/numbers.ts";
import { ArithmeticModule } from "../arithmetic-module.ts";
import type { ArithmeticTarget, Cases } from "../arithmetic.ts";
import { anyNumber, readNumber } from "../numbers.ts";
import { agree } from "../target.ts";
import type { Random } from "../random.ts";

const ELEMENT_BYTES = 36;
const AFFINE_BYTES = 72;
const JACOBIAN_BYTES = 108;
const TABLE_MAX_BYTES = 262_144;
const KEYS = 256;

/** Multiples of points: u1·G + u2·Q as signatures want it, and the constant-time ones of key agreement, against OpenSSL.
 *  Scalars are extreme, or chosen so that partial sums meet: u2·q is u1, its opposite, or near them. */
export const POINT: ArithmeticTarget = { name: "point", cases };

function cases(): Cases {
  const points = new Points();
  return (random) => points.combination(random) + points.agreement(random);
}

interface Key {
  readonly secret: bigint;
  /** 65 bytes. */
  readonly point: Uint8Array;
}

class Points {
  readonly #module = new ArithmeticModule();
  readonly #scalars = [this.#module.reserve(ELEMENT_BYTES), this.#module.reserve(ELEMENT_BYTES)] as const;
  readonly #q = this.#module.reserve(AFFINE_BYTES);
  readonly #sum = this.#module.reserve(JACOBIAN_BYTES);
  readonly #elements = [0, 1, 2].map(() => this.#module.reserve(ELEMENT_BYTES)) as [number, number, number];
  readonly #private = this.#module.reserve(32);
  readonly #public = this.#module.reserve(65);
  readonly #shared = this.#module.reserve(32);
  readonly #keys: Key[] = [];
  readonly #table = this.#module.reserve(TABLE_MAX_BYTES);
  #tableOf: Key | undefined;

  combination(random: Random): number {
    const key = this.#tableOf && random.chance(75) ? this.#tableOf : this.#anyKey(random);
    const u2 = anyNumber(random) % N;
    const related = ((key.secret * u2) % N) * random.pick([1n, -1n, 1n, 2n]) + BigInt(random.below(3) - 1);
    const u1 = random.chance(30) ? ((related % N) + N) % N : anyNumber(random) % N;
    const [left, right] = this.#scalars;
    this.#fn("scalarFromDigest")(left, this.#module.bytesOf(u1));
    this.#fn("scalarFromDigest")(right, this.#module.bytesOf(u2));
    this.#fn("fieldFromBytes")(this.#q, this.#module.bytesOf(coordinate(key, 1)));
    this.#fn("fieldFromBytes")(this.#q + ELEMENT_BYTES, this.#module.bytesOf(coordinate(key, 33)));
    this.#fn("doubleMultiply")(this.#sum, left, right, this.#q);
    const scalar = (u1 + u2 * key.secret) % N;
    const expected = scalar === 0n ? undefined : keyOf(scalar);
    const what = `${u1} G + ${u2} Q, Q = ${key.secret} G`;
    agree(what, this.#affine(), expected && text(expected));
    const { x, known } = this.#sumOfTables(key);
    if (known) agree(`${what}, from tables`, x, expected && coordinate(expected, 1));
    return known ? 2 : 1;
  }

  agreement(random: Random): number {
    const key = this.#anyKey(random);
    const scalar = anyNumber(random);
    const { view } = this.#module;
    const bytes = new Uint8Array(view.buffer);
    bytes.set(bytes32(scalar), this.#private);
    const isScalar = scalar > 0n && scalar < N;
    agree(`the public key of ${scalar}`, this.#fn("derivePublicKey")(this.#private, this.#public) === 1, isScalar);
    if (!isScalar) return 1;
    const own = new Uint8Array(this.#module.view.buffer).slice(this.#public, this.#public + 65);
    agree(`the public key of ${scalar}`, Buffer.compare(own, keyOf(scalar).point), 0);
    new Uint8Array(this.#module.view.buffer).set(key.point, this.#public);
    agree("a shared secret", this.#fn("ecdh")(this.#private, this.#public, this.#shared), 1);
    const shared = readNumber(this.#module.view, this.#shared);
    const expected = ExchangeKey.fromRaw(bytes32(scalar)).sharedSecret(key.point);
    agree(`${scalar} Q, Q = ${key.secret} G`, shared, BigInt(`0x${Buffer.from(expected).toString("hex")}`));
    return 3;
  }

  /** Of the scalars that are there; not known where summands met. */
  #sumOfTables(key: Key): { readonly x: bigint; readonly known: boolean } {
    const [x, zz, inverse] = this.#elements;
    if (this.#tableOf !== key) {
      new Uint8Array(this.#module.view.buffer).set(key.point, this.#public);
      this.#fn("fillKeyTable")(this.#table, this.#public);
      this.#tableOf = key;
    }
    if (this.#fn("tableSum")(x, zz, this.#table, ...this.#scalars) === 0) return { x: 0n, known: false };
    this.#fn("fieldInv")(inverse, zz);
    this.#fn("fieldMul")(x, x, inverse);
    return { x: this.#module.numberFrom((bytes) => this.#fn("fieldToBytes")(bytes, x)), known: true };
  }

  /** Of what was made before most of the time: making one is slow. */
  #anyKey(random: Random): Key {
    if (this.#keys.length > 0 && random.chance(80)) return random.pick(this.#keys);
    const secret = anyNumber(random) % N;
    const key = keyOf(secret === 0n ? 1n : secret);
    if (this.#keys.length >= KEYS) this.#keys.shift();
    this.#keys.push(key);
    return key;
  }

  /** Undefined: the point at infinity. */
  #affine(): string | undefined {
    const [inverse, square, out] = this.#elements;
    const z = this.#sum + 2 * ELEMENT_BYTES;
    const number = (ptr: number): bigint => this.#module.numberFrom((bytes) => this.#fn("fieldToBytes")(bytes, ptr));
    if (number(z) === 0n) return undefined;
    this.#fn("fieldInv")(inverse, z);
    this.#fn("fieldSqr")(square, inverse);
    this.#fn("fieldMul")(out, this.#sum, square);
    const x = number(out);
    this.#fn("fieldMul")(square, square, inverse);
    this.#fn("fieldMul")(out, this.#sum + ELEMENT_BYTES, square);
    return `${x} ${number(out)}`;
  }

  #fn(name: string): (...args: (number | bigint)[]) => number {
    return this.#module.fn(name);
  }
}

function keyOf(secret: bigint): Key {
  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(bytes32(secret));
  return { secret, point: ecdh.getPublicKey() };
}

function coordinate({ point }: Key, at: number): bigint {
  return BigInt(`0x${Buffer.from(point.subarray(at, at + 32)).toString("hex")}`) % P;
}

function text(key: Key): string {
  return `${coordinate(key, 1)} ${coordinate(key, 33)}`;
}

function bytes32(value: bigint): Uint8Array {
  return Buffer.from(value.toString(16).padStart(64, "0"), "hex");
}
