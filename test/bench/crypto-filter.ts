/** The filter's own cryptography as a partner: testable.wasm, which the compiler makes with the options of the shipped module. */
import { readFileSync } from "node:fs";
import { freshTestable } from "../filter/testable.ts";
import { KEY_TABLE_BYTES } from "../filter/crypto/module.ts";
import { deciding } from "./crypto-partner.ts";
import type { CryptoInputs, CryptoPartner, Operation, Operations } from "./crypto-partner.ts";

export const FILTER: CryptoPartner = { name: "wpgate", load };

const DIGEST_BYTES = 32;
/** What makes code quick or slow. The runtime is not among it: cryptography allocates nothing that it manages. */
const COMPILER_OPTIONS = ["optimizeLevel", "shrinkLevel", "converge", "enable"] as const;

/** Throws unless the shipped module is compiled as the measured one is. */
export function assertCompiledAsShipped(): void {
  const file = new URL("../../asconfig.json", import.meta.url);
  const { targets } = JSON.parse(readFileSync(file, "utf8")) as {
    targets: Record<"release" | "testable", Record<string, unknown>>;
  };
  for (const option of COMPILER_OPTIONS) {
    const [shipped, measured] = [targets.release, targets.testable].map((target) => JSON.stringify(target[option]));
    if (shipped !== measured) throw new Error(`asconfig.json: ${option} of the shipped module is not that of testable`);
  }
}

function load(inputs: CryptoInputs): Operations {
  const { fn, memory } = freshTestable();
  const allocate = fn("allocate");
  const put = (bytes: Uint8Array): number => {
    const ptr = allocate(bytes.length) >>> 0;
    new Uint8Array(memory.buffer).set(bytes, ptr);
    return ptr;
  };
  const [signer, message, signature] = [put(inputs.signer), put(inputs.message), put(inputs.signature)];
  const [privateKey, publicKey] = [put(inputs.privateKey), put(inputs.publicKey)];
  const [key, nonce, hashed] = [put(inputs.key), put(inputs.nonce), put(inputs.hashed)];
  const sealedBytes = inputs.ciphertext.length + inputs.tag.length;
  const sealed = put(Buffer.concat([inputs.ciphertext, inputs.tag]));
  const [out, text] = [allocate(DIGEST_BYTES), allocate(inputs.ciphertext.length)];
  const table = allocate(KEY_TABLE_BYTES);
  if (fn("fillKeyTable")(table, signer) !== 1) throw new Error("the signer's key is not valid");
  const [sha256, verify, verifyPinned] = [fn("sha256"), fn("verifyP1363"), fn("verifyP1363WithTable")];
  const [ecdh, open] = [fn("ecdh"), fn("aes128GcmOpen")];
  const { message: messageText, ciphertext } = inputs;
  const writing = (ptr: number, lengthBytes: number, run: () => boolean): Operation => ({
    run,
    output: () => new Uint8Array(memory.buffer, ptr, lengthBytes).slice(),
  });
  return {
    verify: deciding(() => {
      sha256(message, messageText.length, out);
      return verify(signer, out, signature) === 1;
    }),
    pinned: deciding(() => {
      sha256(message, messageText.length, out);
      return verifyPinned(table, out, signature) === 1;
    }),
    ecdh: writing(out, DIGEST_BYTES, () => ecdh(privateKey, publicKey, out) === 1),
    open: writing(text, ciphertext.length, () => open(key, nonce, 0, 0, sealed, sealedBytes, text) === 1),
    sha256: writing(out, DIGEST_BYTES, () => {
      sha256(hashed, inputs.hashed.length, out);
      return true;
    }),
  };
}
