import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { normalizeZ } from "@noble/curves/abstract/curve.js";
import { p256 } from "@noble/curves/nist.js";
import { describe, expect, test } from "vitest";
import { BUILDS, testable } from "../testable.ts";
import { CryptoModule, KEY_TABLE_BYTES } from "./module.ts";
import { bytes32, edges, G, modulo, N, number, P, pointBytes, random32, SIZE } from "./numbers.ts";

const ROWS = 37;
const ENTRIES = 64;
const ENTRY_BYTES = 72;
const { Point } = p256;
type Point = typeof G;

const join = (r: bigint, s: bigint): Uint8Array => Uint8Array.from([...bytes32(r), ...bytes32(s)]);
const times = (scalar: bigint, point: Point): Point => (scalar === 0n ? Point.ZERO : point.multiply(scalar));

/** Twice the last digit of some scalar, less n: its last addition would be of a point to itself. */
const LAST_IS_EQUAL = 30n * 2n ** 252n - N;
const KEYS = [1n, 2n, 127n, 1n << 252n].flatMap((d) => [d, N - d]);
const SCALARS = [0n, 1n, 2n, 126n, 127n, 128n, 129n, 255n, 256n, 1n << 252n, 15n << 252n, LAST_IS_EQUAL]
  .flatMap((u) => [u, modulo(-u, N)])
  .concat((N + 1n) / 2n, (1n << 255n) / 3n);

interface Signed {
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
  readonly valid: boolean;
}

/** The signature whose verification computes u1·G + u2·Q; not valid where that is infinity. */
function signatureBackwards(sum: Point, u1: bigint, u2: bigint): Signed {
  const valid = !sum.is0();
  const r = valid ? sum.toAffine().x % N : 1n;
  const s = modulo(r * Point.Fn.inv(u2), N);
  return { digest: bytes32(modulo(u1 * s, N)), signature: join(r, s), valid };
}

describe.each(BUILDS)("%s", (build) => {
  const crypto = new CryptoModule(testable(build));
  const { module } = crypto;

  test("the entries of a table are the odd multiples of powers of 2^7 times the key", () => {
    for (const d of [1n, N - 1n, random32() % N]) {
      const key = G.multiply(d);
      const table = crypto.tableOf(pointBytes(key)) ?? 0;
      const bytes = new Uint8Array(module.memory.buffer).slice(table, table + KEY_TABLE_BYTES);
      let base = key;
      for (let row = 0; row < ROWS; row++) {
        const twice = base.double();
        const points = [base];
        while (points.length < ENTRIES) points.push((points.at(-1) ?? base).add(twice));
        const at = ENTRY_BYTES * ENTRIES * row;
        const entries = bytes.subarray(at, at + ENTRY_BYTES * ENTRIES);
        expect(affinePoints(entries)).toEqual(normalizeZ(Point, points).map((p) => p.toAffine()));
        for (let i = 0; i < 7; i++) base = base.double();
      }
    }
    expect(ROWS * ENTRIES * ENTRY_BYTES).toBe(KEY_TABLE_BYTES);
  });

  function affinePoints(entries: Uint8Array): { x: bigint; y: bigint }[] {
    return module.call(({ put, reserve, take }) => {
      const [ptr, out] = [put(entries), reserve(32)];
      const coordinate = (at: number): bigint => {
        module.fn("fieldToBytes")(out, ptr + at);
        return number(take(out, 32));
      };
      const offsets = Array.from({ length: ENTRIES }, (_, i) => i * ENTRY_BYTES);
      return offsets.map((at) => ({ x: coordinate(at), y: coordinate(at + 36) }));
    });
  }

  test("an invalid key has no table", () => {
    const good = pointBytes(G.multiply(31n));
    expect(crypto.tableOf(good)).toBeDefined();
    for (const [at, mask] of [
      [0, 4],
      [0, 6],
      [1, 1],
      [33, 0x80],
      [64, 1],
    ] as const) {
      const bad = good.map((byte, i) => (i === at ? byte ^ mask : byte));
      expect(crypto.isValidPublicKey(bad)).toBe(false);
      expect(crypto.tableOf(bad)).toBeUndefined();
    }
    const { x, y } = lift(5n)?.toAffine() ?? G.toAffine();
    expect(x).toBe(5n);
    expect(crypto.tableOf(Uint8Array.from([4, ...bytes32(x), ...bytes32(y)]))).toBeDefined();
    expect(crypto.tableOf(Uint8Array.from([4, ...bytes32(x + P), ...bytes32(y)]))).toBeUndefined();
  });

  test("signatures of node:crypto verify, and no damaged one", () => {
    for (let i = 0; i < 40; i++) {
      const { privateKey, publicKey: key } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const publicKey = Uint8Array.from(key.export({ format: "der", type: "spki" }).subarray(-65));
      for (let j = 0; j < 8; j++) {
        const message = randomBytes(8 * i + j);
        const digest = crypto.sha256(message);
        const signature = Uint8Array.from(sign("sha256", message, { key: privateKey, dsaEncoding: "ieee-p1363" }));
        expect(crypto.verifyP1363WithTable({ publicKey, digest, signature })).toBe(true);
        const at = (8 * i + j) % 64;
        const damaged = signature.map((byte, k) => (k === at ? byte ^ (1 << j) : byte));
        expect(crypto.verifyP1363WithTable({ publicKey, digest, signature: damaged })).toBe(false);
        digest[at % 32] = (digest[at % 32] ?? 0) ^ (1 << j);
        expect(crypto.verifyP1363WithTable({ publicKey, digest, signature })).toBe(false);
      }
    }
  });

  test("crafted keys and scalars get the verdict that they get without a table", () => {
    const counts = { valid: 0, invalid: 0 };
    const multiplesOfG = SCALARS.map((u1) => times(u1, G));
    for (const d of [...KEYS, random32() % N]) {
      const key = G.multiply(d);
      const publicKey = pointBytes(key);
      for (const u2 of [...SCALARS, random32() % N].filter((u) => u !== 0n)) {
        const multipleOfKey = times(u2, key);
        // Also the scalars that make u1·G equal or opposite to u2·Q.
        const met = [u2 * d, -u2 * d].map((u) => modulo(u, N));
        const sums = SCALARS.map((u1, i) => [u1, multiplesOfG[i] ?? G] as const);
        sums.push(...met.map((u1) => [u1, times(u1, G)] as const));
        for (const [u1, multipleOfG] of sums) {
          const { valid, ...signed } = signatureBackwards(multipleOfG.add(multipleOfKey), u1, u2);
          counts[valid ? "valid" : "invalid"]++;
          if (crypto.verifyP1363WithTable({ publicKey, ...signed }) !== valid)
            expect.fail(
              `key ${d.toString()}, u1 ${u1.toString()}, u2 ${u2.toString()}: not ${valid ? "valid" : "refused"}`,
            );
        }
        const { signature } = signatureBackwards(multipleOfKey, 0n, u2);
        const input = { publicKey, digest: bytes32(1n), signature };
        expect(crypto.verifyP1363WithTable(input)).toBe(crypto.verifyP1363(input));
      }
    }
    expect(counts.valid).toBeGreaterThan(4000);
    expect(counts.invalid).toBeGreaterThan(100);
  });

  /** Whether the sum is found by tables; then it is checked. */
  function foundByTables(key: Point, u1: bigint, u2: bigint): boolean {
    const table = crypto.tableOf(pointBytes(key)) ?? 0;
    return module.call(({ put, reserve, take }) => {
      const scalar = (u: bigint): number => {
        const ptr = reserve(36);
        module.fn("scalarFromDigest")(ptr, put(bytes32(u)));
        return ptr;
      };
      const [x, zz, out] = [reserve(36), reserve(36), reserve(32)];
      if (module.fn("tableSum")(x, zz, table, scalar(u1), scalar(u2)) === 0) return false;
      const [numerator, denominator] = [x, zz].map((ptr) => {
        module.fn("fieldToBytes")(out, ptr);
        return number(take(out, 32));
      });
      const expected = times(u1, G).add(times(u2, key)).toAffine().x;
      expect(numerator).toBe(modulo(expected * (denominator ?? 0n), P));
      return true;
    });
  }

  test("exceptional additions are noticed, and there are no others", () => {
    const key = G.multiply(random32() % N);
    const ordinary = SCALARS.filter((u) => ![0n, LAST_IS_EQUAL, N - LAST_IS_EQUAL].includes(u));
    for (const u of [...ordinary, ...edges(N).filter((edge) => edge !== 0n), random32() % N]) {
      expect(foundByTables(key, u, 12345n)).toBe(true);
      expect(foundByTables(key, 12345n, u)).toBe(true);
    }
    for (const u of [0n, LAST_IS_EQUAL, N - LAST_IS_EQUAL]) {
      expect(foundByTables(key, u, 12345n)).toBe(false);
      if (u !== 0n) expect(foundByTables(key, 12345n, u)).toBe(false);
    }
    for (const [d, u1, u2] of [
      [1n, 5n, 5n],
      [1n, 5n, N - 5n],
      [2n, 10n, 5n],
      [N - 1n, 7n, 7n],
    ] as const)
      expect(foundByTables(G.multiply(d), u1, u2)).toBe(false);
  });

  test("the x-coordinate may be r + n", () => {
    let found = 0;
    for (let x = N + 1n; x < N + 20n; x++) {
      const point = lift(x);
      if (point === undefined) continue;
      found++;
      // Q = r^-1 (s·R - e·G) makes (r, s) valid for the nonce point R.
      const [r, s, e] = [x - N, 12345n, 678n];
      const key = point.multiply(s).add(G.multiply(e).negate()).multiply(Point.Fn.inv(r));
      const input = { publicKey: pointBytes(key), digest: bytes32(e), signature: join(r, s) };
      expect(crypto.verifyP1363WithTable(input)).toBe(true);
      expect(crypto.verifyP1363WithTable({ ...input, signature: join(r + 1n, s) })).toBe(false);
    }
    expect(found).toBeGreaterThan(3);
  });

  test("r and s are in 1 to n-1", () => {
    const { digest, signature } = signatureBackwards(times(12n, G), 5n, 1n);
    const publicKey = pointBytes(G.multiply(7n));
    const [r, s] = [number(signature.subarray(0, 32)), number(signature.subarray(32))];
    expect(crypto.verifyP1363WithTable({ publicKey, digest, signature })).toBe(true);
    expect(crypto.verifyP1363WithTable({ publicKey, digest, signature: join(r, N - s) })).toBe(true);
    for (const bad of [0n, N, N + 1n, SIZE - 1n])
      for (const wrong of [join(bad, s), join(r, bad)])
        expect(crypto.verifyP1363WithTable({ publicKey, digest, signature: wrong })).toBe(false);
  });
});

function lift(x: bigint): Point | undefined {
  try {
    return Point.fromBytes(Uint8Array.from([2, ...bytes32(x)]));
  } catch {
    return undefined;
  }
}
