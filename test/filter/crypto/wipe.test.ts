import { createCipheriv, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { BUILDS, freshTestable } from "../testable.ts";
import type { Build, CallMemory, Testable } from "../testable.ts";
import { bytes32, G, N, pointBytes, random32 } from "./numbers.ts";

/** Memory of the module after a call, its arguments and results blanked. */
function residue(module: Testable, call: (memory: CallMemory) => void): Buffer {
  module.call((memory) => {
    const blocks: [ptr: number, length: number][] = [];
    const reserve = (length: number): number => {
      const ptr = memory.reserve(length);
      blocks.push([ptr, length]);
      return ptr;
    };
    const put = (bytes: Uint8Array): number => {
      const ptr = reserve(bytes.length);
      new Uint8Array(module.memory.buffer, ptr, bytes.length).set(bytes);
      return ptr;
    };
    call({ ...memory, put, reserve });
    for (const [ptr, length] of blocks) new Uint8Array(module.memory.buffer, ptr, length).fill(0);
  });
  return Buffer.from(module.memory.buffer.slice(0));
}

/** Two runs that differ in their secrets only must leave the same memory behind. */
function leavesNothing(run: (module: Testable, memory: CallMemory) => void, build: Build = "testable"): boolean {
  const module = freshTestable(build);
  const once = (): Buffer =>
    residue(module, (memory) => {
      run(module, memory);
    });
  once();
  return once().equals(once());
}

const PUBLIC_KEY = pointBytes(G.multiply(1234567n));
const NONCE = randomBytes(12);
const secretScalar = (): Uint8Array => bytes32(random32() % N);

function sealed(key: Uint8Array, aad: Uint8Array, textBytes: number): Buffer {
  const cipher = createCipheriv("aes-128-gcm", key, NONCE);
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(randomBytes(textBytes)), cipher.final(), cipher.getAuthTag()]);
}

test.each(BUILDS)("ECDH, %s", (build) => {
  expect(
    leavesNothing((module, { put, reserve }) => {
      expect(module.fn("ecdh")(put(secretScalar()), put(PUBLIC_KEY), reserve(32))).toBe(1);
    }, build),
  ).toBe(true);
});

test.each(BUILDS)("ECDH with a private key that is refused, %s", (build) => {
  expect(
    leavesNothing((module, { put, reserve }) => {
      const refused = Uint8Array.from([
        ...new Uint8Array(4).fill(0xff),
        ...new Uint8Array(4).fill(0xff),
        ...randomBytes(24),
      ]);
      expect(module.fn("ecdh")(put(refused), put(PUBLIC_KEY), reserve(32))).toBe(0);
    }, build),
  ).toBe(true);
});

test.each(BUILDS)("the public key of a private key, %s", (build) => {
  expect(
    leavesNothing((module, { put, reserve }) => {
      expect(module.fn("derivePublicKey")(put(secretScalar()), reserve(65))).toBe(1);
    }, build),
  ).toBe(true);
});

describe.each(BUILDS)("%s", (build) => {
  // In one batch and in one group of blocks, in several, and with a part of both.
  test.each([0, 40, 100, 600, 4096])("AES-128-GCM of %i bytes, right and wrong tag", (textBytes) => {
    for (const flip of [0, 1])
      expect(
        leavesNothing((module, { put, reserve }) => {
          const [key, aad] = [randomBytes(16), randomBytes(9)];
          const data = sealed(key, aad, textBytes);
          data[data.length - 1]! ^= flip;
          const out = reserve(textBytes);
          const [k, n, a, d] = [put(key), put(NONCE), put(aad), put(data)];
          expect(module.fn("aes128GcmOpen")(k, n, a, aad.length, d, data.length, out)).toBe(1 - flip);
        }, build),
      ).toBe(true);
  });

  test("HMAC and HKDF", () => {
    expect(
      leavesNothing((module, { put, reserve }) => {
        module.fn("hmacSha256")(put(randomBytes(80)), 80, put(randomBytes(100)), 100, reserve(32));
      }, build),
    ).toBe(true);
    expect(
      leavesNothing((module, { put, reserve }) => {
        const inputs = [randomBytes(16), randomBytes(32), randomBytes(20)].flatMap((bytes) => [
          put(bytes),
          bytes.length,
        ]);
        module.fn("hkdfSha256")(...inputs, reserve(70), 70);
      }, build),
    ).toBe(true);
  });

  test("HMAC of long data", () => {
    expect(
      leavesNothing((module, { put, reserve }) => {
        module.fn("hmacSha256")(put(randomBytes(300)), 300, put(randomBytes(1000)), 1000, reserve(32));
      }, build),
    ).toBe(true);
  });
});

test("the same look at memory does see what is left", () => {
  // Verification keeps its scratch: everything in it is public.
  expect(
    leavesNothing((module, { put }) => {
      module.fn("verifyP1363")(put(PUBLIC_KEY), put(randomBytes(32)), put(bytes64()));
    }),
  ).toBe(false);
});

function bytes64(): Uint8Array {
  return Uint8Array.from([...secretScalar(), ...secretScalar()]);
}
