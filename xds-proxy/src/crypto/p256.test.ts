import { createECDH, createPublicKey, generateKeyPairSync, hkdfSync, randomBytes } from "node:crypto";
import { p256 } from "@noble/curves/nist.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ParseError } from "../errors.ts";
import { ExchangeKey } from "./ecdh-p256.ts";
import { importPublicKey, SigningKey } from "./ecdsa-p256.ts";
import { hkdfExpand, hkdfExtract } from "./hkdf.ts";
import { isValidPublicKey, spkiOf } from "./p256.ts";

const message = new TextEncoder().encode("message");

describe("keys", () => {
  const valid = SigningKey.generate().publicKey;

  /** OpenSSL validates when it imports: no key passes here that it refuses. */
  const opensslTakes = (bytes: Uint8Array): boolean => {
    try {
      createPublicKey({ key: spkiOf(bytes), format: "der", type: "spki" });
      return true;
    } catch {
      return false;
    }
  };

  test("a valid point passes, and so it does in OpenSSL", () => {
    expect([isValidPublicKey(valid), opensslTakes(valid)]).toEqual([true, true]);
  });

  test("no other value of any byte passes", () => {
    fc.assert(
      fc.property(fc.nat({ max: 64 }), fc.integer({ min: 1, max: 255 }), (at, difference) => {
        const changed = valid.map((byte, i) => (i === at ? byte ^ difference : byte));
        expect(isValidPublicKey(changed)).toBe(false);
      }),
    );
  });

  test.each([0, 1, 33, 64, 66])("a key of %i bytes does not pass", (length) => {
    expect(isValidPublicKey(Uint8Array.of(4, ...new Uint8Array(65)).subarray(0, length))).toBe(false);
  });

  test("a coordinate that is not below p does not pass", () => {
    const p = p256.Point.Fp.ORDER;
    const point = [5n, 6n, 8n, 9n]
      .map((x) => `02${x.toString(16).padStart(64, "0")}`)
      .flatMap((hex) => {
        try {
          return [p256.Point.fromHex(hex).toAffine()];
        } catch {
          return [];
        }
      })[0]!;
    const raw = (x: bigint): Uint8Array =>
      Buffer.from(`04${x.toString(16).padStart(64, "0")}${point.y.toString(16).padStart(64, "0")}`, "hex");
    expect(isValidPublicKey(raw(point.x))).toBe(true);
    expect(isValidPublicKey(raw(point.x + p))).toBe(false);
  });

  test.each([
    ["zero", new Uint8Array(32)],
    ["the order", Buffer.from(p256.Point.Fn.ORDER.toString(16), "hex")],
    ["31 bytes", new Uint8Array(31).fill(1)],
    ["33 bytes", new Uint8Array(33).fill(1)],
  ])("a scalar that is %s is refused", (_, raw) => {
    expect(() => SigningKey.fromRaw(raw)).toThrow(ParseError);
    expect(() => ExchangeKey.fromRaw(raw)).toThrow(ParseError);
  });

  test("scalars keep their leading zeros", () => {
    const raw = Uint8Array.from({ length: 32 }, (_, i) => (i < 3 ? 0 : i));
    expect(Uint8Array.from(ExchangeKey.fromRaw(raw).exportRaw())).toEqual(raw);
    expect(SigningKey.fromRaw(raw).exportRaw()).toEqual(raw);
  });
});

describe("ECDSA beside another implementation", () => {
  test("each verifies what the other signs, whether s is high or low", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (text) => {
        const key = SigningKey.generate();
        const theirs = p256.sign(text, key.exportRaw(), { lowS: false });
        const high = Uint8Array.of(...theirs.subarray(0, 32), ...negated(theirs.subarray(32)));
        expect(p256.verify(key.sign(text), text, key.publicKey, { lowS: false })).toBe(true);
        expect(importPublicKey(key.publicKey).verify(text, theirs)).toBe(true);
        expect(importPublicKey(key.publicKey).verify(text, high)).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  const negated = (s: Uint8Array): Uint8Array => {
    const value = p256.Point.Fn.ORDER - BigInt(`0x${Buffer.from(s).toString("hex")}`);
    return Buffer.from(value.toString(16).padStart(64, "0"), "hex");
  };

  test("importing more keys than are remembered keeps the answers right", () => {
    const keys = Array.from({ length: 300 }, () => SigningKey.generate());
    const signatures = keys.map((key) => key.sign(message));
    for (const round of [0, 1]) {
      const verdicts = keys.map(({ publicKey }, i) =>
        importPublicKey(publicKey).verify(message, signatures[(i + round) % 300]!),
      );
      expect(new Set(verdicts)).toEqual(new Set([round === 0]));
    }
  });

  test("a key that was imported does not change with the caller's bytes", () => {
    const key = SigningKey.generate();
    const bytes = Uint8Array.from(key.publicKey);
    const imported = importPublicKey(bytes);
    bytes.fill(0);
    expect(imported.bytes).toEqual(key.publicKey);
  });
});

describe("ECDH", () => {
  test("both sides agree, and so does another implementation", () => {
    const [ours, theirs] = [ExchangeKey.generate(), createECDH("prime256v1")];
    theirs.generateKeys();
    const secret = ours.sharedSecret(theirs.getPublicKey());
    expect(secret).toEqual(theirs.computeSecret(ours.publicKey));
    const noble = p256.getSharedSecret(ours.exportRaw(), theirs.getPublicKey(), true).subarray(1);
    expect(Uint8Array.from(secret)).toEqual(Uint8Array.from(noble));
  });

  test("a point that is not valid is refused", () => {
    const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-65);
    raw[64] = (raw[64] ?? 0) ^ 1;
    expect(() => ExchangeKey.generate().sharedSecret(raw)).toThrow(ParseError);
  });
});

test("HKDF is that of the runtime", () => {
  for (const length of [1, 12, 16, 31, 32]) {
    const [salt, ikm, info] = [randomBytes(16), randomBytes(32), randomBytes(20)];
    const expected = Buffer.from(hkdfSync("sha256", ikm, salt, info, length));
    expect(hkdfExpand(hkdfExtract(salt, ikm), info, length)).toEqual(expected);
  }
});
