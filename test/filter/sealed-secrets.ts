/** What must not stay in memory after a sealed statement was read: computed with node:crypto alone from what travelled. */
import { createDecipheriv, createECDH, createHmac, hkdfSync } from "node:crypto";

const RECORD_AT = 86;
const KEY_ID_AT = 21;
const TAG_BYTES = 16;
const NEEDLE_BYTES = 16;

export interface ReaderKeys {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly auth: Uint8Array;
}

export interface SealedSecrets {
  /** By name: shared secret, both PRKs, IKM, CEK, nonce. */
  readonly keys: ReadonlyMap<string, Buffer>;
  /** The last bytes of the payload, whether or not the tag is right; undefined when there are too few. */
  readonly plaintextEnd: Buffer | undefined;
}

/** Undefined when the body has no record or no key that one can agree with. */
export function sealedSecrets(
  body: Uint8Array,
  { privateKey, publicKey, auth }: ReaderKeys,
): SealedSecrets | undefined {
  const sender = body.subarray(KEY_ID_AT, RECORD_AT);
  const sharedSecret = agree(privateKey, sender);
  if (sharedSecret === undefined || body.length < RECORD_AT + TAG_BYTES) return undefined;
  const salt = body.subarray(0, 16);
  const info = Buffer.concat([Buffer.from("WebPush: info\0"), publicKey, sender]);
  const ikm = Buffer.from(hkdfSync("sha256", sharedSecret, auth, info, 32));
  const expand = (label: string, length: number): Buffer =>
    Buffer.from(hkdfSync("sha256", ikm, salt, `Content-Encoding: ${label}\0`, length));
  const [cek, nonce] = [expand("aes128gcm", 16), expand("nonce", 12)];
  const plaintext = createDecipheriv("aes-128-gcm", cek, nonce).update(body.subarray(RECORD_AT, -TAG_BYTES));
  const end = plaintext.lastIndexOf(2);
  // A preamble repeats the claims, which are public.
  const isPreambleOnly = plaintext.indexOf(0x0a) === end - 1;
  return {
    keys: new Map([
      ["shared secret", sharedSecret],
      ["PRK of the shared secret", extract(auth, sharedSecret)],
      ["IKM", ikm],
      ["PRK of the IKM", extract(salt, ikm)],
      ["CEK", cek],
      ["nonce", nonce],
    ]),
    plaintextEnd: end < NEEDLE_BYTES || isPreambleOnly ? undefined : plaintext.subarray(end - NEEDLE_BYTES, end),
  };
}

function agree(privateKey: Uint8Array, sender: Uint8Array): Buffer | undefined {
  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(privateKey);
  try {
    return ecdh.computeSecret(sender);
  } catch {
    return undefined;
  }
}

function extract(salt: Uint8Array, ikm: Uint8Array): Buffer {
  return createHmac("sha256", salt).update(ikm).digest();
}

/** How often `needle` lies in the whole memory of a module. */
export function occurrences(memory: WebAssembly.Memory, needle: Uint8Array): number {
  const haystack = Buffer.from(memory.buffer);
  let count = 0;
  for (let at = haystack.indexOf(needle); at >= 0; at = haystack.indexOf(needle, at + 1)) count++;
  return count;
}
