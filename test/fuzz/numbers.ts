/** Numbers of 256 bits, the extreme ones far more often than chance would have them. */
import { P, N } from "../filter/crypto/numbers.ts";
import type { Random } from "./random.ts";

const BITS = 256n;
const SIZE = 1n << BITS;
const LIMB_BITS = 29n;
const LIMB = (1n << LIMB_BITS) - 1n;

/** 0 to 2^256-1. */
export function anyNumber(random: Random): bigint {
  switch (random.below(10)) {
    case 0:
      return wrapped(random.pick([0n, 1n, 2n, P, N, P - N, P >> 1n, N >> 1n, SIZE]) + near(random));
    case 1:
      return wrapped((1n << BigInt(random.below(257))) + near(random));
    case 2:
      return wrapped((1n << BigInt(random.below(257))) - (1n << BigInt(random.below(257))));
    case 3:
      return byLimbs(random);
    case 4:
      return wrapped(random.pick([P, N]) - (1n << BigInt(random.below(256))) + near(random));
    default:
      return uniform(random);
  }
}

function uniform(random: Random): bigint {
  let value = 0n;
  for (let i = 0; i < 8; i++) value = (value << 32n) | BigInt(random.u32());
  return value;
}

/** Limbs as the filter cuts numbers: all ones, all zeros, or one away from either. */
function byLimbs(random: Random): bigint {
  let value = 0n;
  for (let i = 0; i < 9; i++)
    value = (value << LIMB_BITS) | random.pick([0n, 0n, 1n, LIMB, LIMB, LIMB - 1n, BigInt(random.u32() >>> 3)]);
  return wrapped(value);
}

function near(random: Random): bigint {
  return BigInt(random.below(7) - 3);
}

function wrapped(value: bigint): bigint {
  return BigInt.asUintN(256, value);
}

/** Big-endian, 32 bytes. */
export function writeNumber(view: DataView, at: number, value: bigint): void {
  for (let i = 0; i < 4; i++) view.setBigUint64(at + 8 * i, BigInt.asUintN(64, value >> BigInt(192 - 64 * i)));
}

export function readNumber(view: DataView, at: number): bigint {
  let value = 0n;
  for (let i = 0; i < 4; i++) value = (value << 64n) | view.getBigUint64(at + 8 * i);
  return value;
}
