import { createECDH } from "node:crypto";
import { describe, expect, test } from "vitest";
import { BUILDS, testable } from "../testable.ts";
import { CryptoModule } from "./module.ts";
import { bytes32, edges, G, N, pointBytes, random32, SIZE } from "./numbers.ts";

const SCALARS = [
  ...[1n, 2n, 3n, 4n, 15n, 16n, 17n, 31n, 255n, 256n, 0x10000000000000000n],
  ...[1n, 2n, 3n, 4n, 15n, 16n, 17n, 255n].map((k) => N - k),
  ...[(N - 1n) / 2n, (N + 1n) / 2n, BigInt(`0x0${"f".repeat(63)}`), BigInt(`0x${"1".repeat(64)}`)],
  ...edges(N).filter((k) => k > 0n),
];

function node(scalar: bigint): ReturnType<typeof createECDH> {
  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(bytes32(scalar));
  return ecdh;
}

describe.each(BUILDS)("%s", (build) => {
  const module = new CryptoModule(testable(build));

  test("edge-valued and random scalars on edge-valued and random points", () => {
    const points = [1n, 2n, 3n, 16n, N - 1n, N - 2n, ...Array.from({ length: 6 }, () => random32() % N)];
    const scalars = [...SCALARS, ...Array.from({ length: 40 }, () => random32() % N)];
    for (const scalar of scalars) {
      const ecdh = node(scalar);
      for (const point of points) {
        const publicKey = pointBytes(G.multiply(point));
        expect(module.ecdh(bytes32(scalar), publicKey)).toEqual(Uint8Array.from(ecdh.computeSecret(publicKey)));
      }
    }
  });

  test("powers of two, runs of ones, windows of ones and of zeros, and the least and greatest scalars", () => {
    const bits = Array.from({ length: 256 }, (_, bit) => 1n << BigInt(bit));
    const windows = Array.from({ length: 51 }, (_, i) => 31n << BigInt(5 * i + 1));
    const ones = (1n << 256n) - 1n;
    const ends = Array.from({ length: 100 }, (_, i) => BigInt(i)).flatMap((k) => [k, N - k]);
    const numbers = [
      ...bits.flatMap((bit) => [bit, bit - 1n, N - bit]),
      ...windows.flatMap((window) => [window, window + 1n, (ones ^ window) >> 1n, N - window]),
      ...ends,
    ];
    const publicKey = pointBytes(G.multiply(random32() % N));
    for (const scalar of numbers.filter((number) => number > 0n && number < N)) {
      const ecdh = node(scalar);
      expect(module.ecdh(bytes32(scalar), publicKey)).toEqual(Uint8Array.from(ecdh.computeSecret(publicKey)));
      expect(module.derivePublicKey(bytes32(scalar))).toEqual(Uint8Array.from(ecdh.getPublicKey()));
    }
  });

  test("public keys", () => {
    for (const scalar of [...SCALARS, ...Array.from({ length: 300 }, () => random32() % N)])
      expect(module.derivePublicKey(bytes32(scalar))).toEqual(Uint8Array.from(node(scalar).getPublicKey()));
  });

  test("private keys outside 1 to n-1 and invalid points are refused", () => {
    const point = pointBytes(G.multiply(5n));
    for (const scalar of [0n, N, N + 1n, SIZE - 1n]) {
      expect(module.ecdh(bytes32(scalar), point)).toBe(undefined);
      expect(module.derivePublicKey(bytes32(scalar))).toBe(undefined);
    }
    const off = Uint8Array.from(point);
    off[64]! ^= 1;
    expect(module.ecdh(bytes32(5n), off)).toBe(undefined);
    expect(module.ecdh(bytes32(5n), Uint8Array.from([6, ...point.subarray(1)]))).toBe(undefined);
  });
});
