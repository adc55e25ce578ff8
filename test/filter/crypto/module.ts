/** The filter's cryptography as functions on byte arrays. */
import { testable } from "../testable.ts";
import type { Testable } from "../testable.ts";

export const PUBLIC_KEY_BYTES = 65;
export const SIGNATURE_BYTES = 64;
export const KEY_TABLE_BYTES = 170_496;
const DIGEST_BYTES = 32;
const TAG_BYTES = 16;
const DER_MAX_BYTES = 72;

export interface GcmInput {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
  readonly aad: Uint8Array;
  /** Ciphertext and tag. */
  readonly sealed: Uint8Array;
}

export interface HkdfInput {
  readonly salt: Uint8Array;
  readonly ikm: Uint8Array;
  readonly info: Uint8Array;
  readonly sizeBytes: number;
}

export interface SignatureInput {
  readonly publicKey: Uint8Array;
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
}

export class CryptoModule {
  readonly module: Testable;
  #table: { readonly key: string; readonly ptr: number; readonly valid: boolean } | undefined;

  constructor(module: Testable = testable()) {
    this.module = module;
  }

  sha256(data: Uint8Array): Uint8Array {
    return this.module.call(({ put, reserve, take }) => {
      const out = reserve(DIGEST_BYTES);
      this.module.fn("sha256")(put(data), data.length, out);
      return take(out, DIGEST_BYTES);
    });
  }

  hmacSha256(key: Uint8Array, data: Uint8Array): Uint8Array {
    return this.module.call(({ put, reserve, take }) => {
      const out = reserve(DIGEST_BYTES);
      this.module.fn("hmacSha256")(put(key), key.length, put(data), data.length, out);
      return take(out, DIGEST_BYTES);
    });
  }

  hkdfSha256({ salt, ikm, info, sizeBytes }: HkdfInput): Uint8Array {
    return this.module.call(({ put, reserve, take }) => {
      const out = reserve(sizeBytes);
      const inputs = [salt, ikm, info].flatMap((input) => [put(input), input.length]);
      this.module.fn("hkdfSha256")(...inputs, out, sizeBytes);
      return take(out, sizeBytes);
    });
  }

  /** Undefined: refused. Throws when something was written all the same. */
  aes128GcmOpen({ key, nonce, aad, sealed }: GcmInput): Uint8Array | undefined {
    return this.module.call(({ put, reserve, take }) => {
      const textBytes = Math.max(0, sealed.length - TAG_BYTES);
      const out = reserve(textBytes);
      const before = take(out, textBytes);
      const [k, n, a, s] = [put(key), put(nonce), put(aad), put(sealed)];
      const opened = this.module.fn("aes128GcmOpen")(k, n, a, aad.length, s, sealed.length, out) === 1;
      const text = take(out, textBytes);
      if (!opened && Buffer.compare(text, before) !== 0)
        throw new Error("plaintext of an unauthentic message was written");
      return opened ? text : undefined;
    });
  }

  verifyP1363({ publicKey, digest, signature }: SignatureInput): boolean {
    return this.module.call(
      ({ put }) => this.module.fn("verifyP1363")(put(publicKey), put(digest), put(signature)) === 1,
    );
  }

  /** Through the table of the key, which is filled where the last call had another key. False also for an invalid key. */
  verifyP1363WithTable({ publicKey, digest, signature }: SignatureInput): boolean {
    const table = this.tableOf(publicKey);
    const verify = this.module.fn("verifyP1363WithTable");
    return table !== undefined && this.module.call(({ put }) => verify(table, put(digest), put(signature)) === 1);
  }

  /** Where the table of a key is; undefined for an invalid key. It stays until another is asked for. */
  tableOf(publicKey: Uint8Array): number | undefined {
    const key = Buffer.from(publicKey).toString("hex");
    if (this.#table?.key !== key) {
      const ptr = this.#table?.ptr ?? this.module.fn("allocate")(KEY_TABLE_BYTES);
      const valid = this.module.call(({ put }) => this.module.fn("fillKeyTable")(ptr, put(publicKey)) === 1);
      this.#table = { key, ptr, valid };
    }
    return this.#table.valid ? this.#table.ptr : undefined;
  }

  verifyDer({ publicKey, digest, signature }: SignatureInput): boolean {
    const verify = this.module.fn("verifyDer");
    return this.module.call(({ put }) => verify(put(publicKey), put(digest), put(signature), signature.length) === 1);
  }

  derFromP1363(signature: Uint8Array): Uint8Array {
    return this.module.call(({ put, reserve, take }) => {
      const der = reserve(DER_MAX_BYTES);
      return take(der, this.module.fn("derFromP1363")(der, put(signature)));
    });
  }

  p1363FromDer(der: Uint8Array): Uint8Array | undefined {
    return this.module.call(({ put, reserve, take }) => {
      const signature = reserve(SIGNATURE_BYTES);
      const good = this.module.fn("p1363FromDer")(signature, put(der), der.length) === 1;
      return good ? take(signature, SIGNATURE_BYTES) : undefined;
    });
  }

  isValidPublicKey(publicKey: Uint8Array): boolean {
    return this.module.call(({ put }) => this.module.fn("isValidPublicKey")(put(publicKey)) === 1);
  }

  /** Undefined: one of the keys is not valid. */
  ecdh(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array | undefined {
    return this.module.call(({ put, reserve, take }) => {
      const shared = reserve(DIGEST_BYTES);
      const good = this.module.fn("ecdh")(put(privateKey), put(publicKey), shared) === 1;
      return good ? take(shared, DIGEST_BYTES) : undefined;
    });
  }

  derivePublicKey(privateKey: Uint8Array): Uint8Array | undefined {
    return this.module.call(({ put, reserve, take }) => {
      const publicKey = reserve(PUBLIC_KEY_BYTES);
      const good = this.module.fn("derivePublicKey")(put(privateKey), publicKey) === 1;
      return good ? take(publicKey, PUBLIC_KEY_BYTES) : undefined;
    });
  }
}
