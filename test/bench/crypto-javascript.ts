/** Partners that are called from JavaScript: OpenSSL as Node brings it along, native, and noble. */
import { createDecipheriv, createECDH, createHash, createPublicKey, createSecretKey, verify } from "node:crypto";
import { gcm } from "@noble/ciphers/aes.js";
import { p256 } from "@noble/curves/nist.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { deciding, throwing } from "./crypto-partner.ts";
import type { CryptoInputs, CryptoPartner, Operations } from "./crypto-partner.ts";

export const OPENSSL: CryptoPartner = { name: "OpenSSL, native", load: loadOpenSsl };
export const NOBLE: CryptoPartner = { name: "noble", load: loadNoble };

/** SPKI of a P-256 key without its 65 bytes (RFC 5480 section 2). */
const SPKI_PREFIX = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d030107034200", "hex");

/** Keys are imported before: a public one for signatures costs as much again as two verifications. */
function loadOpenSsl(inputs: CryptoInputs): Operations {
  const { message, signature, publicKey, nonce, ciphertext, tag, hashed } = inputs;
  const spki = Buffer.concat([SPKI_PREFIX, inputs.signer]);
  const signer = {
    key: createPublicKey({ key: spki, type: "spki", format: "der" }),
    dsaEncoding: "ieee-p1363",
  } as const;
  const own = createECDH("prime256v1");
  own.setPrivateKey(inputs.privateKey);
  const key = createSecretKey(inputs.key);
  return {
    verify: deciding(() => verify("sha256", message, signer, signature)),
    ecdh: throwing(() => own.computeSecret(publicKey)),
    open: throwing(() => {
      const decipher = createDecipheriv("aes-128-gcm", key, nonce);
      decipher.setAuthTag(tag);
      const text = decipher.update(ciphertext);
      decipher.final();
      return text;
    }),
    sha256: throwing(() => createHash("sha256").update(hashed).digest()),
  };
}

function loadNoble(inputs: CryptoInputs): Operations {
  const { signer, message, signature, privateKey, publicKey, key, nonce, hashed } = inputs;
  const sealed = Buffer.concat([inputs.ciphertext, inputs.tag]);
  return {
    verify: deciding(() => p256.verify(signature, message, signer, { lowS: false })),
    ecdh: throwing(() => p256.getSharedSecret(privateKey, publicKey).subarray(1)),
    open: throwing(() => gcm(key, nonce).decrypt(sealed)),
    sha256: throwing(() => sha256(hashed)),
  };
}
