/** The filter's code, compiled as testable.wasm. */
import { createHash } from "node:crypto";
import { testable } from "../filter/testable.ts";
import type { CallMemory, Testable } from "../filter/testable.ts";
import { ACCEPTED, REFUSED } from "./cases.ts";
import type { AesGcm, Ecdh, Ecdsa, Hkdf, Hmac, Operation, Verdict } from "./cases.ts";
import type { EnvelopeCase, EnvelopeVerdict } from "./envelope-case.ts";
import type { Implementation } from "./implementation.ts";
import { list, members, text } from "./json.ts";

const PUBLIC_KEY_BYTES = 65;
const SIGNATURE_BYTES = 64;
const TAG_BYTES = 16;
const DIGEST_BYTES = 32;

export const wasm: Implementation = {
  judge: (operations) =>
    operations.map((operation) => testable().call((memory) => judge(testable(), memory, operation))),
  verify,
};

function judge(module: Testable, memory: CallMemory, operation: Operation): Verdict {
  switch (operation.kind) {
    case "ecdsa":
      return ecdsa(module, memory, operation);
    case "ecdh":
      return ecdh(module, memory, operation);
    case "aes-gcm":
      return openGcm(module, memory, operation);
    case "hkdf":
      return hkdf(module, memory, operation);
    case "hmac":
      return hmac(module, memory, operation);
  }
}

function ecdsa({ fn }: Testable, memory: CallMemory, operation: Ecdsa): Verdict {
  const { encoding, publicKey, message, signature } = operation;
  if (publicKey.length !== PUBLIC_KEY_BYTES) return REFUSED;
  if (encoding === "p1363" && signature.length !== SIGNATURE_BYTES) return REFUSED;
  const key = memory.put(publicKey);
  const digest = memory.put(createHash("sha256").update(message).digest());
  const sig = memory.put(signature);
  const good =
    encoding === "der" ? fn("verifyDer")(key, digest, sig, signature.length) : fn("verifyP1363")(key, digest, sig);
  return good === 1 ? ACCEPTED : REFUSED;
}

function ecdh({ fn }: Testable, memory: CallMemory, { privateKey, publicKey }: Ecdh): Verdict {
  if (publicKey.length !== PUBLIC_KEY_BYTES) return REFUSED;
  const shared = memory.reserve(DIGEST_BYTES);
  if (fn("ecdh")(memory.put(privateKey), memory.put(publicKey), shared) !== 1) return REFUSED;
  return { accepted: true, output: memory.take(shared, DIGEST_BYTES) };
}

function openGcm({ fn }: Testable, memory: CallMemory, { key, nonce, aad, sealed }: AesGcm): Verdict {
  const textBytes = sealed.length - TAG_BYTES;
  const out = memory.reserve(textBytes);
  const [k, n, a, s] = [memory.put(key), memory.put(nonce), memory.put(aad), memory.put(sealed)];
  if (fn("aes128GcmOpen")(k, n, a, aad.length, s, sealed.length, out) !== 1) return REFUSED;
  return { accepted: true, output: memory.take(out, textBytes) };
}

function hkdf({ fn }: Testable, memory: CallMemory, { salt, ikm, info, sizeBytes }: Hkdf): Verdict {
  const out = memory.reserve(sizeBytes);
  const [s, k, i] = [memory.put(salt), memory.put(ikm), memory.put(info)];
  fn("hkdfSha256")(s, salt.length, k, ikm.length, i, info.length, out, sizeBytes);
  return { accepted: true, output: memory.take(out, sizeBytes) };
}

function hmac({ fn }: Testable, memory: CallMemory, { key, message, tag }: Hmac): Verdict {
  const out = memory.reserve(DIGEST_BYTES);
  fn("hmacSha256")(memory.put(key), key.length, memory.put(message), message.length, out);
  return Buffer.compare(memory.take(out, tag.length), tag) === 0 ? ACCEPTED : REFUSED;
}

function verify({ json }: EnvelopeCase): EnvelopeVerdict {
  const module = testable();
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
