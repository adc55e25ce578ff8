import { createHash, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { BUILDS, testable } from "../testable.ts";
import { CryptoModule } from "./module.ts";

const STATE_BYTES = 104;
const sha256 = (data: Uint8Array): Uint8Array => Uint8Array.from(createHash("sha256").update(data).digest());

describe.each(BUILDS)("%s", (build) => {
  const module = new CryptoModule(testable(build));

  test("SHA-256 of every length around the blocks", () => {
    for (const length of [...Array.from({ length: 601 }, (_, i) => i), 4095, 4096, 65_535, 65_536, 100_003]) {
      const data = randomBytes(length);
      expect(module.sha256(data)).toEqual(sha256(data));
    }
  });

  test("SHA-256 does not depend on how the bytes are cut", () => {
    const data = Uint8Array.from(randomBytes(1000));
    const { call, fn } = testable(build);
    for (const step of [1, 3, 55, 56, 63, 64, 65, 127, 128, 129, 255, 256, 257, 299, 999])
      call((memory) => {
        const [state, bytes, out] = [memory.reserve(STATE_BYTES), memory.put(data), memory.reserve(32)];
        fn("sha256Init")(state);
        for (let at = 0; at < data.length; at += step)
          fn("sha256Update")(state, bytes + at, Math.min(step, data.length - at));
        fn("sha256Final")(state, out);
        expect(memory.take(out, 32)).toEqual(sha256(data));
        expect(memory.take(state, STATE_BYTES)).toEqual(new Uint8Array(STATE_BYTES));
      });
  });

  test("SHA-256 at every alignment, into what it has read as well", () => {
    const data = Uint8Array.from(randomBytes(1000));
    for (let offset = 0; offset < 16; offset++) {
      const hash = testable(build).call((memory) => {
        const at = memory.put(Uint8Array.from([...new Uint8Array(offset), ...data])) + offset;
        testable(build).fn("sha256")(at, data.length, at + 3);
        return memory.take(at + 3, 32);
      });
      expect(hash).toEqual(sha256(data));
    }
  });

  test("SHA-256 of bytes that are all ones or all zeros", () => {
    for (const byte of [0x00, 0xff])
      for (const length of [64, 256, 1024]) {
        const data = new Uint8Array(length).fill(byte);
        expect(module.sha256(data)).toEqual(sha256(data));
      }
  });

  test("HMAC with keys of every length around the block", () => {
    for (const keyLength of [0, 1, 16, 31, 32, 33, 63, 64, 65, 100, 128, 129, 256, 300]) {
      const [key, data] = [randomBytes(keyLength), randomBytes(keyLength * 3)];
      expect(module.hmacSha256(key, data)).toEqual(Uint8Array.from(createHmac("sha256", key).update(data).digest()));
    }
  });

  test("HKDF of every output length up to three blocks, and the longest", () => {
    for (const sizeBytes of [...Array.from({ length: 97 }, (_, i) => i + 1), 8159, 8160]) {
      const [salt, ikm, info] = [randomBytes(sizeBytes % 70), randomBytes(32), randomBytes(sizeBytes % 40)];
      const expected = new Uint8Array(hkdfSync("sha256", ikm, salt, info, sizeBytes));
      expect(module.hkdfSha256({ salt, ikm, info, sizeBytes })).toEqual(expected);
    }
    const nothing = new Uint8Array();
    expect(module.hkdfSha256({ salt: nothing, ikm: nothing, info: nothing, sizeBytes: 0 })).toEqual(nothing);
  });
});
