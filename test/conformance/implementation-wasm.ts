/** The filter's code, compiled as testable.wasm, and as testable-scalar.wasm without SIMD. */
import { createHash } from "node:crypto";
import { CryptoModule, PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from "../filter/crypto/module.ts";
import { testable } from "../filter/testable.ts";
import type { Build } from "../filter/testable.ts";
import { ACCEPTED, REFUSED } from "./cases.ts";
import type { Ecdsa, Hmac, Operation, Verdict } from "./cases.ts";
import type { EnvelopeCase, EnvelopeVerdict } from "./envelope-case.ts";
import type { Implementation } from "./implementation.ts";
import { list, members, text } from "./json.ts";

export const wasm: Implementation = implementation("testable");
export const wasmScalar: Implementation = implementation("testable-scalar");

function implementation(build: Build): Implementation {
  return {
    judge: (operations) => {
      const module = new CryptoModule(testable(build));
      return operations.map((operation) => judge(module, operation));
    },
    verify: (one) => verify(build, one),
  };
}

function judge(module: CryptoModule, operation: Operation): Verdict {
  switch (operation.kind) {
    case "ecdsa":
      return ecdsa(module, operation) ? ACCEPTED : REFUSED;
    case "ecdh":
      if (operation.publicKey.length !== PUBLIC_KEY_BYTES) return REFUSED;
      return outcome(module.ecdh(operation.privateKey, operation.publicKey));
    case "aes-gcm":
      return outcome(module.aes128GcmOpen(operation));
    case "hkdf":
      return outcome(module.hkdfSha256(operation));
    case "hmac":
      return hmac(module, operation) ? ACCEPTED : REFUSED;
  }
}

function outcome(output: Uint8Array | undefined): Verdict {
  return output === undefined ? REFUSED : { accepted: true, output };
}

function ecdsa(module: CryptoModule, { encoding, publicKey, message, signature }: Ecdsa): boolean {
  if (publicKey.length !== PUBLIC_KEY_BYTES) return false;
  const digest = createHash("sha256").update(message).digest();
  if (encoding === "der") return module.verifyDer({ publicKey, digest, signature });
  return signature.length === SIGNATURE_BYTES && module.verifyP1363({ publicKey, digest, signature });
}

function hmac(module: CryptoModule, { key, message, tag }: Hmac): boolean {
  return Buffer.compare(module.hmacSha256(key, message).subarray(0, tag.length), tag) === 0;
}

function verify(build: Build, { json }: EnvelopeCase): EnvelopeVerdict {
  const module = testable(build);
  const answer = module.call((memory) => {
    const { ptr, length } = memory.putText(json);
    return memory.takeString(module.fn("verifyCase")(ptr, length));
  });
  const verdict = members(JSON.parse(answer), "the verdict");
  const result = text(verdict["result"], "result");
  if (result !== "ok") return { result };
  const payloads = list(verdict["payloads"], "payloads").map((digest) => text(digest, "a digest"));
  return { result, payloads, state: verdict["state"] };
}
