import { createCipheriv, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { BUILDS, testable } from "../testable.ts";
import { CryptoModule } from "./module.ts";
import type { GcmInput } from "./module.ts";

function seal(text: Uint8Array, aad: Uint8Array): GcmInput {
  const [key, nonce] = [randomBytes(16), randomBytes(12)];
  const cipher = createCipheriv("aes-128-gcm", key, nonce);
  cipher.setAAD(aad);
  const sealed = Buffer.concat([cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  return { key, nonce, aad, sealed };
}

const count = (length: number): number[] => Array.from({ length }, (_, i) => i);

describe.each(BUILDS)("%s", (build) => {
  const module = new CryptoModule(testable(build));

  test("messages of node:crypto open, whatever their length", () => {
    const lengths = [...count(601), ...count(40).map((i) => 4076 + i), 65_535, 65_536, 65_541];
    for (const length of lengths) {
      const text = Uint8Array.from(randomBytes(length));
      expect(module.aes128GcmOpen(seal(text, randomBytes(length % 35)))).toEqual(text);
    }
  });

  test("additional data of every length around the groups of blocks, with as many blocks of text", () => {
    for (const length of [...count(290), 511, 512, 513, 5000])
      for (const textBytes of [0, 1, 240, 256]) {
        const text = Uint8Array.from(randomBytes(textBytes));
        expect(module.aes128GcmOpen(seal(text, randomBytes(length)))).toEqual(text);
      }
  });

  test("bytes that are all ones or all zeros", () => {
    for (const byte of [0x00, 0xff])
      for (const length of [15, 16, 17, 256, 1000]) {
        const text = new Uint8Array(length).fill(byte);
        expect(module.aes128GcmOpen(seal(text, new Uint8Array(length).fill(byte)))).toEqual(text);
      }
  });

  test("one wrong bit anywhere refuses, and nothing is written", () => {
    const input = seal(randomBytes(300), randomBytes(21));
    for (const name of ["key", "nonce", "aad", "sealed"] as const)
      for (let bit = 0; bit < 8 * input[name].length; bit++) {
        const changed = Uint8Array.from(input[name]);
        changed[bit >> 3]! ^= 1 << (bit & 7);
        expect(module.aes128GcmOpen({ ...input, [name]: changed })).toBe(undefined);
      }
  });

  test("two blocks of ciphertext in each other's place are refused", () => {
    const input = seal(randomBytes(640), new Uint8Array());
    for (const other of count(40).slice(1)) {
      const changed = Uint8Array.from(input.sealed);
      changed.set(input.sealed.subarray(16 * other, 16 * other + 16), 0);
      changed.set(input.sealed.subarray(0, 16), 16 * other);
      expect(module.aes128GcmOpen({ ...input, sealed: changed })).toBe(undefined);
    }
  });

  test("a truncated message is refused", () => {
    const input = seal(randomBytes(20), new Uint8Array());
    for (let length = 0; length < input.sealed.length; length++)
      expect(module.aes128GcmOpen({ ...input, sealed: input.sealed.subarray(0, length) })).toBe(undefined);
  });

  test("opens in place and elsewhere, at every alignment", () => {
    const text = Uint8Array.from(randomBytes(777));
    const { key, nonce, aad, sealed } = seal(text, randomBytes(33));
    const at = (offset: number, bytes: Uint8Array): Uint8Array =>
      Uint8Array.from([...new Uint8Array(offset), ...bytes]);
    for (const offset of count(16)) {
      const opened = testable(build).call((memory) => {
        const [k, n, a] = [key, nonce, aad].map((bytes) => memory.put(at(offset, bytes)) + offset);
        const [data, out] = [memory.put(at(offset, sealed)) + offset, memory.reserve(text.length + 16) + 15 - offset];
        const open = (to: number): number =>
          testable(build).fn("aes128GcmOpen")(k!, n!, a!, aad.length, data, sealed.length, to);
        expect([open(out), open(data)]).toEqual([1, 1]);
        return [memory.take(out, text.length), memory.take(data, text.length)];
      });
      expect(opened).toEqual([text, text]);
    }
  });
});
