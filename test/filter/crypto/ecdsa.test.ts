import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { p256 } from "@noble/curves/nist.js";
import { expect, test } from "vitest";
import { BUILDS, testable } from "../testable.ts";
import { CryptoModule } from "./module.ts";
import type { SignatureInput } from "./module.ts";
import { bytes32, edges, G, modulo, N, number, P, pointBytes, random32, SIZE } from "./numbers.ts";

const module = new CryptoModule();
const builds = BUILDS.map((build) => new CryptoModule(testable(build)));

/** The verdict of every build. */
function verifyP1363(input: SignatureInput): boolean {
  const verdicts = new Set(builds.map((build) => build.verifyP1363(input)));
  expect(verdicts.size).toBe(1);
  return verdicts.has(true);
}

function noble({ publicKey, digest, signature }: SignatureInput): boolean {
  try {
    return p256.verify(signature, digest, publicKey, { prehash: false, lowS: false });
  } catch {
    return false;
  }
}

const join = (r: bigint, s: bigint): Uint8Array => Uint8Array.from([...bytes32(r), ...bytes32(s)]);

/** The signature of `e` under `key` with nonce `k`, r possibly of a chosen kind. */
function signatureOf(key: bigint, k: bigint, e: bigint): Uint8Array {
  const r = G.multiply(k).toAffine().x % N;
  return join(r, modulo(p256.Point.Fn.inv(k) * (e + r * key), N));
}

test("signatures of node:crypto verify, and no damaged one", () => {
  for (let i = 0; i < 300; i++) {
    const { privateKey, publicKey: key } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { x, y } = key.export({ format: "jwk" });
    const publicKey = Uint8Array.from(
      Buffer.concat([Buffer.of(4), ...[x!, y!].map((c) => Buffer.from(c, "base64url"))]),
    );
    const message = randomBytes(i);
    const digest = module.sha256(message);
    const signature = Uint8Array.from(sign("sha256", message, { key: privateKey, dsaEncoding: "ieee-p1363" }));
    expect(verifyP1363({ publicKey, digest, signature })).toBe(true);
    expect(module.verifyDer({ publicKey, digest, signature: module.derFromP1363(signature) })).toBe(true);
    signature[i % 64]! ^= 1 << (i % 8);
    expect(verifyP1363({ publicKey, digest, signature })).toBe(false);
    signature[i % 64]! ^= 1 << (i % 8);
    digest[i % 32]! ^= 1 << (i % 8);
    expect(verifyP1363({ publicKey, digest, signature })).toBe(false);
  }
});

test("edge-valued keys, nonces and digests give noble's verdict", () => {
  const small = [1n, 2n, 3n, 15n, 16n, 17n, 127n, 128n, 129n, 255n];
  const scalars = [...small, ...small.map((k) => N - k), (N + 1n) / 2n, 1n << 128n, random32() % N];
  const digests = [0n, 1n, N - 1n, N, N + 1n, SIZE - 1n, random32()];
  let valid = 0;
  for (const key of scalars)
    for (const k of scalars) {
      const e = digests[(Number(key % 1000n) + Number(k % 1000n)) % digests.length]!;
      const input = { publicKey: pointBytes(G.multiply(key)), digest: bytes32(e), signature: signatureOf(key, k, e) };
      const expected = noble(input);
      if (expected) valid++;
      expect(verifyP1363(input)).toBe(expected);
    }
  expect(valid).toBeGreaterThan(500);
});

test("sums that double, cancel or start at infinity", () => {
  const publicKey = pointBytes(G);
  // Under the key G, u1·G + u2·Q = (u1 + u2)·G: equal summands for e = r, cancelling ones for e = -r, none of G for e = 0.
  for (const k of [1n, 2n, 5n, 128n, random32() % N]) {
    const r = G.multiply(k).toAffine().x % N;
    for (const e of [r, modulo(-r, N), 0n, N]) {
      const s = modulo(p256.Point.Fn.inv(k) * (e + r), N);
      const input = { publicKey, digest: bytes32(e), signature: join(r, s) };
      expect(verifyP1363(input)).toBe(s !== 0n);
      expect(noble(input)).toBe(s !== 0n);
    }
    const cancelling = { publicKey, digest: bytes32(modulo(-r, N)), signature: join(r, 1n) };
    expect(verifyP1363(cancelling)).toBe(false);
  }
});

test("the x-coordinate may be r + n", () => {
  // Below p - n there are two candidates; points with x in n..p-1 are found by lifting x.
  let found = 0;
  for (let x = N; x < N + 40n; x++) {
    const point = lift(x);
    if (point === undefined) continue;
    found++;
    // Q = r^-1 (s·R - e·G) makes (r, s) valid for the nonce point R.
    const [r, s, e] = [x - N, 12345n, 678n];
    if (r === 0n) continue;
    const q = point.multiply(s).add(G.multiply(e).negate()).multiply(p256.Point.Fn.inv(r));
    const input = { publicKey: pointBytes(q), digest: bytes32(e), signature: join(r, s) };
    expect(verifyP1363(input)).toBe(true);
    expect(verifyP1363({ ...input, signature: join(r + 1n, s) })).toBe(false);
  }
  expect(found).toBeGreaterThan(5);
});

function lift(x: bigint): typeof G | undefined {
  try {
    return p256.Point.fromBytes(Uint8Array.from([2, ...bytes32(x)]));
  } catch {
    return undefined;
  }
}

test("r and s are in 1 to n-1", () => {
  const key = 7n;
  const publicKey = pointBytes(G.multiply(key));
  const signature = signatureOf(key, 9n, 5n);
  const [r, s] = [number(signature.subarray(0, 32)), number(signature.subarray(32))];
  const digest = bytes32(5n);
  expect(verifyP1363({ publicKey, digest, signature })).toBe(true);
  expect(verifyP1363({ publicKey, digest, signature: join(r, N - s) })).toBe(true);
  const wrong = [0n, N, N + 1n, SIZE - 1n];
  for (const bad of [
    ...wrong.map((v) => join(v, s)),
    ...wrong.map((v) => join(r, v)),
    join(r + N < SIZE ? r + N : N, s),
  ])
    expect(verifyP1363({ publicKey, digest, signature: bad })).toBe(false);
});

test("a public key is uncompressed, below p and on the curve", () => {
  const good = pointBytes(G.multiply(31n));
  const valid = (change: (key: Uint8Array) => void): boolean => {
    const key = Uint8Array.from(good);
    change(key);
    expect(verifyP1363({ publicKey: key, digest: bytes32(1n), signature: signatureOf(31n, 3n, 1n) })).toBe(
      module.isValidPublicKey(key),
    );
    return module.isValidPublicKey(key);
  };
  expect(valid(() => undefined)).toBe(true);
  for (const prefix of [0, 2, 3, 5, 6, 7, 255]) expect(valid((key) => (key[0] = prefix))).toBe(false);
  for (let i = 1; i < 65; i += 7) expect(valid((key) => (key[i]! ^= 0x10))).toBe(false);
  expect(valid((key) => key.fill(0, 1))).toBe(false);
  expect(valid((key) => key.fill(0xff, 1))).toBe(false);
});

test("coordinates from p on are refused even where their residue is on the curve", () => {
  let found = 0;
  for (let x = 0n; x < 60n && found < 10; x++) {
    const y = lift(x)?.toAffine().y;
    if (y === undefined) continue;
    found++;
    expect(module.isValidPublicKey(Uint8Array.from([4, ...bytes32(x), ...bytes32(y)]))).toBe(true);
    expect(module.isValidPublicKey(Uint8Array.from([4, ...bytes32(x + P), ...bytes32(y)]))).toBe(false);
  }
  expect(found).toBe(10);
  for (const x of edges(P)) {
    const point = lift(x);
    expect(module.isValidPublicKey(Uint8Array.from([4, ...bytes32(x), ...bytes32(point?.toAffine().y ?? 1n)]))).toBe(
      point !== undefined,
    );
  }
});
