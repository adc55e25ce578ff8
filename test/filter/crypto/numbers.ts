/** Numbers of P-256 for the tests. */
import { randomBytes } from "node:crypto";
import { p256 } from "@noble/curves/nist.js";

export const P: bigint = p256.Point.Fp.ORDER;
export const N: bigint = p256.Point.Fn.ORDER;
export const G: typeof p256.Point.BASE = p256.Point.BASE;
export const SIZE: bigint = 2n ** 256n;

export function bytes32(value: bigint): Uint8Array {
  return Uint8Array.from(Buffer.from(value.toString(16).padStart(64, "0"), "hex"));
}

export function number(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

export function random32(): bigint {
  return number(randomBytes(32));
}

export function modulo(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}

/** Where carries, borrows and limbs of 29 bits go wrong. */
export function edges(modulus: bigint): readonly bigint[] {
  const powers = [28n, 29n, 30n, 58n, 87n, 95n, 96n, 97n, 191n, 192n, 223n, 224n, 232n, 255n].map((bit) => 1n << bit);
  const near = [0n, modulus, modulus >> 1n, ...powers].flatMap((value) => [value - 2n, value - 1n, value, value + 1n]);
  const ones = Array.from({ length: 9 }, (_, limb) => 0x1fffffffn << BigInt(29 * limb));
  return [...new Set([...near, ...ones, (1n << 255n) / 3n].map((value) => modulo(value, modulus)))];
}

/** SEC 1 uncompressed. */
export function pointBytes(point: typeof G): Uint8Array {
  return point.toBytes(false);
}
