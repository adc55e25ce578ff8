import { createCipheriv, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { testable } from "../testable.ts";
import { CryptoModule } from "./module.ts";
import type { GcmInput } from "./module.ts";

const module = new CryptoModule();

function seal(text: Uint8Array, aad: Uint8Array): GcmInput {
  const [key, nonce] = [randomBytes(16), randomBytes(12)];
  const cipher = createCipheriv("aes-128-gcm", key, nonce);
  cipher.setAAD(aad);
  const sealed = Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  return { key, nonce, aad, sealed };
}

test("messages of node:crypto open, for every length around the batches of blocks", () => {
  const lengths = [...Array.from({ length: 140 }, (_, i) => i), 4096, 4097, 65_541];
  for (const length of lengths) {
    const text = Uint8Array.from(randomBytes(length));
    expect(module.aes128GcmOpen(seal(text, randomBytes(length % 35)))).toEqual(text);
  }
});

test("one wrong bit anywhere refuses, and nothing is written", () => {
  const input = seal(randomBytes(70), randomBytes(21));
  for (const name of ["key", "nonce", "aad", "sealed"] as const)
    for (let bit = 0; bit < 8 * input[name].length; bit++) {
      const changed = Uint8Array.from(input[name]);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(module.aes128GcmOpen({ ...input, [name]: changed })).toBe(undefined);
    }
});

test("a truncated message is refused", () => {
  const input = seal(randomBytes(20), new Uint8Array());
  for (let length = 0; length < input.sealed.length; length++)
    expect(module.aes128GcmOpen({ ...input, sealed: input.sealed.subarray(0, length) })).toBe(undefined);
});

test("opens in place", () => {
  const text = Uint8Array.from(randomBytes(333));
  const { key, nonce, aad, sealed } = seal(text, randomBytes(3));
  const opened = testable().call((memory) => {
    const [k, n, a, data] = [memory.put(key), memory.put(nonce), memory.put(aad), memory.put(sealed)];
    expect(testable().fn("aes128GcmOpen")(k, n, a, aad.length, data, sealed.length, data)).toBe(1);
    return memory.take(data, text.length);
  });
  expect(opened).toEqual(text);
});
