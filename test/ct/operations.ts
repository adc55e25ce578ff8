/** What is measured of the shipped crypto, as testable.wasm exports it. The order is that of the run: short ones first. */
import { createCipheriv, createECDH, randomBytes, randomFillSync } from "node:crypto";
import type { Operation, Prepared } from "./measure.ts";
import type { WasmModule } from "./module.ts";
import type { Class } from "./welch.ts";

const GROUP_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const SCALAR_BYTES = 32;
const KEY_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Scalars that exceptional cases and digits without work are for. */
const SPECIAL_SCALARS: readonly Buffer[] = [
  1n,
  2n,
  16n,
  2n ** 128n,
  2n ** 255n,
  0x8000000000000000000000000000000000000000000000000000000000000001n,
  0x0101010101010101010101010101010101010101010101010101010101010101n,
  GROUP_ORDER - 1n,
  GROUP_ORDER - 2n,
  (GROUP_ORDER - 1n) / 2n,
  GROUP_ORDER >> 128n,
].map((scalar) => Buffer.from(scalar.toString(16).padStart(2 * SCALAR_BYTES, "0"), "hex"));

export const OPERATIONS: readonly Operation[] = [
  operation("tag", "GCM's tag wrong in its first byte, or in its last", (module) => {
    const input = new GcmInput({ text: 64 });
    return input.prepare(module, 0, (slot, inputClass) => {
      input.seal(slot, {});
      const at = slot.length - (inputClass === 0 ? TAG_BYTES : 1);
      slot.writeUInt8(slot.readUInt8(at) ^ (1 + (randomBytes(1).readUInt8() >> 1)), at);
    });
  }),
  operation("gcm-key", "AES-128-GCM open, key fixed or random: key schedule, hash key, key stream", (module) => {
    const input = new GcmInput({ text: 64 });
    const fixed = randomBytes(KEY_BYTES);
    return input.prepare(module, 1, (slot, inputClass) => {
      input.seal(slot, { key: inputClass === 0 ? fixed : randomBytes(KEY_BYTES) });
    });
  }),
  operation("gcm-text", "AES-128-GCM open, ciphertext fixed or random, one key", (module) => {
    const input = new GcmInput({ text: 64 });
    const fixed = randomBytes(64);
    return input.prepare(module, 1, (slot, inputClass) => {
      input.seal(slot, { text: inputClass === 0 ? fixed : randomBytes(64) });
    });
  }),
  operation("aes-block", "AES of the counter block, nonce zero or random, one key", (module) => {
    const input = new GcmInput({ text: 16 });
    const zero = Buffer.alloc(NONCE_BYTES);
    return input.prepare(module, 1, (slot, inputClass) => {
      input.seal(slot, { nonce: inputClass === 0 ? zero : randomBytes(NONCE_BYTES) });
    });
  }),
  operation("ghash", "GHASH of 256 bytes (additional data), zero or random, one key", (module) => {
    const input = new GcmInput({ text: 0, aad: 256 });
    const zero = Buffer.alloc(256);
    return input.prepare(module, 1, (slot, inputClass) => {
      input.seal(slot, { aad: inputClass === 0 ? zero : randomBytes(256) });
    });
  }),
  operation("hmac", "HMAC-SHA-256, key fixed or random", (module) => {
    const hmac = module.fn("hmacSha256");
    const [data, out] = [module.put(randomBytes(64)), module.reserve(32)];
    return fixedOrRandom(module, randomBytes(32), (key) => {
      hmac(key, 32, data, 64, out);
      return 0;
    });
  }),
  operation("hkdf", "HKDF-SHA-256, input keying material fixed or random", (module) => {
    const hkdf = module.fn("hkdfSha256");
    const [salt, info, out] = [module.put(randomBytes(16)), module.put(randomBytes(28)), module.reserve(16)];
    return fixedOrRandom(module, randomBytes(32), (ikm) => {
      hkdf(salt, 16, ikm, 32, info, 28, out, 16);
      return 0;
    });
  }),
  operation("base64url", "the text of a private key, fixed or random", (module) => {
    const decode = module.fn("wireDecodeBase64Url");
    const text = (): Buffer => Buffer.from(randomBytes(48).toString("base64url"));
    const fixed = text();
    const at = module.reserve(fixed.length);
    return {
      ...{ inputBytes: fixed.length, at, returns: 1, call: () => decode(at, fixed.length) },
      fill: (slot, inputClass) => {
        slot.set(inputClass === 0 ? fixed : text());
      },
    };
  }),
  operation("ecdh", "ECDH, private key fixed or random", (module) =>
    fixedOrRandom(module, randomScalar(), ecdhCall(module), randomScalar),
  ),
  operation(
    "ecdh-special",
    "ECDH, private key of a special form (1, 2, 2^255, n-1, few bits set …) or random",
    (module) => {
      const input = fixedOrRandom(module, randomScalar(), ecdhCall(module), randomScalar);
      return {
        ...input,
        fill: (slot, inputClass) => {
          slot.set(inputClass === 0 ? pick(SPECIAL_SCALARS) : randomScalar());
        },
      };
    },
  ),
  operation("public-key", "the public key of a private key, fixed or random", (module) => {
    const derive = module.fn("derivePublicKey");
    const out = module.reserve(65);
    return fixedOrRandom(module, randomScalar(), (privateKey) => derive(privateKey, out), randomScalar);
  }),
];

function operation(name: string, about: string, prepare: Operation["prepare"]): Operation {
  return { name, about, isControl: false, prepare };
}

/** Class 0 is one secret, class 1 a new one each time. */
export function fixedOrRandom(
  module: WasmModule,
  fixed: Buffer,
  call: (at: number) => number,
  random: () => Buffer = () => randomBytes(fixed.length),
): Prepared {
  const at = module.reserve(fixed.length);
  const once = (): number => call(at);
  module.bytes().set(fixed, at);
  return {
    ...{ inputBytes: fixed.length, at, call: once, returns: once() },
    fill: (slot, inputClass) => {
      slot.set(inputClass === 0 ? fixed : random());
    },
  };
}

function ecdhCall(module: WasmModule): (privateKey: number) => number {
  const ecdh = module.fn("ecdh");
  const [peer, shared] = [module.put(createECDH("prime256v1").generateKeys()), module.reserve(SCALAR_BYTES)];
  return (privateKey) => ecdh(privateKey, peer, shared);
}

/** In 1..n-1. */
export function randomScalar(): Buffer {
  const scalar = Buffer.alloc(SCALAR_BYTES);
  let value: bigint;
  do value = BigInt(`0x${randomFillSync(scalar).toString("hex")}`);
  while (value === 0n || value >= GROUP_ORDER);
  return scalar;
}

function pick<T>(items: readonly T[]): T {
  const item = items[randomBytes(4).readUInt32LE() % items.length];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}

interface GcmParts {
  readonly key?: Buffer;
  readonly nonce?: Buffer;
  readonly aad?: Buffer;
  readonly text?: Buffer;
}

/** key 16 | nonce 12, 4 unused | additional data | ciphertext | tag 16: what differs and what does not, copied alike. */
class GcmInput {
  readonly #parts: Required<GcmParts>;
  readonly #length: number;

  constructor({ text, aad = 0 }: { readonly text: number; readonly aad?: number }) {
    this.#parts = {
      ...{ key: randomBytes(KEY_BYTES), nonce: randomBytes(NONCE_BYTES) },
      ...{ aad: randomBytes(aad), text: randomBytes(text) },
    };
    this.#length = 32 + aad + text + TAG_BYTES;
  }

  /** Writes an input that opens, with these parts in place of the usual ones. */
  seal(slot: Buffer, parts: GcmParts): void {
    const { key, nonce, aad, text } = { ...this.#parts, ...parts };
    const cipher = createCipheriv("aes-128-gcm", key, nonce).setAAD(aad);
    slot.set(key, 0);
    slot.set(nonce, 16);
    slot.set(aad, 32);
    slot.set(cipher.update(text), 32 + aad.length);
    cipher.final();
    slot.set(cipher.getAuthTag(), 32 + aad.length + text.length);
  }

  prepare(module: WasmModule, returns: number, fill: (slot: Buffer, inputClass: Class) => void): Prepared {
    const { aad, text } = this.#parts;
    const open = module.fn("aes128GcmOpen");
    const [at, out] = [module.reserve(this.#length), module.reserve(text.length)];
    const [aadAt, textAt] = [at + 32, at + 32 + aad.length];
    const sealedBytes = text.length + TAG_BYTES;
    const call = (): number => open(at, at + 16, aadAt, aad.length, textAt, sealedBytes, out);
    return { inputBytes: this.#length, fill, at, call, returns };
  }
}
