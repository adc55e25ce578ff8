import { createCipheriv, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { freshTestable } from "../testable.ts";
import type { CallMemory, Testable } from "../testable.ts";
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
function leavesNothing(run: (module: Testable, memory: CallMemory) => void): boolean {
  const module = freshTestable();
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

function sealed(key: Uint8Array): Buffer {
  const cipher = createCipheriv("aes-128-gcm", key, NONCE);
  return Buffer.concat([cipher.update(randomBytes(100)), cipher.final(), cipher.getAuthTag()]);
}

test("ECDH", () => {
  expect(
    leavesNothing((module, { put, reserve }) => {
      expect(module.fn("ecdh")(put(secretScalar()), put(PUBLIC_KEY), reserve(32))).toBe(1);
    }),
  ).toBe(true);
});

test("ECDH with a private key that is refused", () => {
  expect(
    leavesNothing((module, { put, reserve }) => {
      const refused = Uint8Array.from([
        ...new Uint8Array(4).fill(0xff),
        ...new Uint8Array(4).fill(0xff),
        ...randomBytes(24),
      ]);
      expect(module.fn("ecdh")(put(refused), put(PUBLIC_KEY), reserve(32))).toBe(0);
    }),
  ).toBe(true);
});

test("the public key of a private key", () => {
  expect(
    leavesNothing((module, { put, reserve }) => {
      expect(module.fn("derivePublicKey")(put(secretScalar()), reserve(65))).toBe(1);
    }),
  ).toBe(true);
});

test("AES-128-GCM, right and wrong tag", () => {
  for (const flip of [0, 1])
    expect(
      leavesNothing((module, { put, reserve }) => {
        const key = randomBytes(16);
        const data = sealed(key);
        data[data.length - 1]! ^= flip;
        const aad = randomBytes(9);
        const { length } = data;
        const opened = module.fn("aes128GcmOpen")(
          put(key),
          put(NONCE),
          put(aad),
          0,
          put(data),
          length,
          reserve(length),
        );
        expect(opened).toBe(1 - flip);
      }),
    ).toBe(true);
});

test("HMAC and HKDF", () => {
  expect(
    leavesNothing((module, { put, reserve }) => {
      module.fn("hmacSha256")(put(randomBytes(80)), 80, put(randomBytes(100)), 100, reserve(32));
    }),
  ).toBe(true);
  expect(
    leavesNothing((module, { put, reserve }) => {
      const inputs = [randomBytes(16), randomBytes(32), randomBytes(20)].flatMap((input) => [put(input), input.length]);
      module.fn("hkdfSha256")(...inputs, reserve(70), 70);
    }),
  ).toBe(true);
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
