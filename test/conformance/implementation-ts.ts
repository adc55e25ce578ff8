/** The TypeScript library. Its profile is narrower in two places, because nothing in it needs more: AES-GCM without
 *  additional data, HKDF of one block. */
import { createHash } from "node:crypto";
import { equals } from "../../xds-proxy/src/bytes/octets.ts";
import * as aesGcm from "../../xds-proxy/src/crypto/aes-gcm.ts";
import { ExchangeKey } from "../../xds-proxy/src/crypto/ecdh-p256.ts";
import { PublicKey } from "../../xds-proxy/src/crypto/ecdsa-p256.ts";
import { hkdfExpand, hkdfExtract } from "../../xds-proxy/src/crypto/hkdf.ts";
import type { Payload, Recipient, Refusal } from "../../xds-proxy/src/envelope/types.ts";
import { verifyNamespace, verifyRoots, verifyStatements } from "../../xds-proxy/src/envelope/verify.ts";
import { ParseError } from "../../xds-proxy/src/errors.ts";
import { ACCEPTED, OUT_OF_PROFILE, REFUSED } from "./cases.ts";
import type { AesGcm, Ecdh, Ecdsa, Hkdf, Hmac, Operation, Verdict } from "./cases.ts";
import { signatureFromDer } from "./der.ts";
import type { EnvelopeCase, EnvelopeVerdict, RecipientBytes } from "./envelope-case.ts";
import type { Implementation } from "./implementation.ts";

const HKDF_BLOCK_BYTES = 32;

export const typescript: Implementation = { judge: (operations) => operations.map(judge), verify: verifyCase };

function judge(operation: Operation): Verdict {
  switch (operation.kind) {
    case "ecdsa":
      return unlessMalformed(() => ecdsa(operation));
    case "ecdh":
      return unlessMalformed(() => ecdh(operation));
    case "aes-gcm":
      return openGcm(operation);
    case "hkdf":
      return hkdf(operation);
    case "hmac":
      return hmac(operation);
  }
}

function unlessMalformed(decide: () => Verdict): Verdict {
  try {
    return decide();
  } catch (error) {
    if (error instanceof ParseError) return REFUSED;
    throw error;
  }
}

function ecdsa({ encoding, publicKey, message, signature }: Ecdsa): Verdict {
  const raw = encoding === "der" ? signatureFromDer(signature) : signature;
  return raw !== undefined && PublicKey.import(publicKey).verify(message, raw) ? ACCEPTED : REFUSED;
}

function ecdh({ privateKey, publicKey }: Ecdh): Verdict {
  return { accepted: true, output: ExchangeKey.fromRaw(privateKey).sharedSecret(publicKey) };
}

function openGcm({ key, nonce, aad, sealed }: AesGcm): Verdict {
  if (aad.length > 0) return OUT_OF_PROFILE;
  const output = aesGcm.open(key, nonce, sealed);
  return output === undefined ? REFUSED : { accepted: true, output };
}

function hkdf({ salt, ikm, info, sizeBytes }: Hkdf): Verdict {
  if (sizeBytes > HKDF_BLOCK_BYTES) return OUT_OF_PROFILE;
  return { accepted: true, output: hkdfExpand(hkdfExtract(salt, ikm), info, sizeBytes) };
}

/** Extract is HMAC with the salt as its key (RFC 5869 section 2.2). */
function hmac({ key, message, tag }: Hmac): Verdict {
  return equals(hkdfExtract(key, message).subarray(0, tag.length), tag) ? ACCEPTED : REFUSED;
}

export function verifyCase(envelopeCase: EnvelopeCase): EnvelopeVerdict {
  const { fresh, set, want } = envelopeCase;
  const input = { ...envelopeCase, recipient: recipientOf(envelopeCase.recipient) };
  if (want.use === "root") {
    const verdict = verifyRoots(envelopeCase);
    return verdict.result === "ok" ? { result: "ok", payloads: [] } : refusal(verdict);
  }
  if (fresh === undefined && set === undefined) {
    const verdict = verifyStatements(input);
    return verdict.result === "ok" ? { result: "ok", payloads: digests(verdict.payloads) } : refusal(verdict);
  }
  const verdict = verifyNamespace(input);
  if (verdict.result !== "ok") return refusal(verdict);
  const { payloads, next, freshExpSec, expiresAtSec } = verdict;
  return { result: "ok", payloads: digests(payloads), state: next, freshExpSec, expiresAtSec };
}

function refusal({ result, where }: Refusal): EnvelopeVerdict {
  return { result, where };
}

function recipientOf(recipient: RecipientBytes | undefined): Recipient | undefined {
  return recipient && { key: ExchangeKey.fromRaw(recipient.privateKey), auth: recipient.auth };
}

function digests(payloads: readonly Payload[]): readonly string[] {
  return payloads.map(({ data }) => createHash("sha256").update(data).digest("hex"));
}
