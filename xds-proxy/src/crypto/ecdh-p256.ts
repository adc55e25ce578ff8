/**
 * ECDH on P-256 (SP 800-56A section 5.7.1.2) over node:crypto; the shared secret is the 32-byte x-coordinate.
 * Timing: OpenSSL's, constant time in the private key.
 */
import { createECDH } from "node:crypto";
import type { ECDH } from "node:crypto";
import { concat } from "../bytes/octets.ts";
import { ParseError } from "../errors.ts";
import { derivePublicKey, hasPublicKeyForm, PRIVATE_KEY_BYTES } from "./p256.ts";

/** A private key that agrees on secrets and never signs (RFC 8292 section 3.2). */
export class ExchangeKey {
  /** 65 bytes. */
  readonly publicKey: Uint8Array;
  // Several times cheaper than KeyObjects: those cost an import of the peer's key for every secret.
  private readonly ecdh: ECDH;

  private constructor(ecdh: ECDH, publicKey: Uint8Array) {
    this.ecdh = ecdh;
    this.publicKey = publicKey;
  }

  static generate(): ExchangeKey {
    const ecdh = createECDH("prime256v1");
    return new ExchangeKey(ecdh, ecdh.generateKeys());
  }

  /** @throws ParseError KEY unless 1 \<= scalar \< n, 32 bytes. */
  static fromRaw(privateKey: Uint8Array): ExchangeKey {
    const publicKey = derivePublicKey(privateKey);
    const ecdh = createECDH("prime256v1");
    ecdh.setPrivateKey(privateKey);
    return new ExchangeKey(ecdh, publicKey);
  }

  /** 32 bytes.
   *  @throws ParseError KEY unless `publicKey` is a valid uncompressed point of 65 bytes. */
  sharedSecret(publicKey: Uint8Array): Uint8Array {
    return computeSecret(this.ecdh, publicKey);
  }

  /** The scalar, 32 bytes; for writing the key to a file. */
  exportRaw(): Uint8Array {
    const scalar = this.ecdh.getPrivateKey();
    return concat(new Uint8Array(PRIVATE_KEY_BYTES - scalar.length), scalar);
  }
}

export interface EphemeralSecret {
  /** Of the key pair that was made for this secret, 65 bytes. */
  readonly publicKey: Uint8Array;
  /** 32 bytes. */
  readonly sharedSecret: Uint8Array;
}

/** Makes key pairs that are used once. Each takes the place of the one before it; making the object costs as much as the keys. */
const ephemeral = createECDH("prime256v1");

/** Agrees on a secret with a key pair that is forgotten: nobody can open the message with it later, the sender included.
 *  @throws ParseError KEY unless `peer` is a valid uncompressed point of 65 bytes. */
export function agreeOnce(peer: Uint8Array): EphemeralSecret {
  const publicKey = ephemeral.generateKeys();
  return { publicKey, sharedSecret: computeSecret(ephemeral, peer) };
}

function computeSecret(ecdh: ECDH, peer: Uint8Array): Uint8Array {
  if (!hasPublicKeyForm(peer)) throw new ParseError("KEY", "not an uncompressed P-256 point");
  try {
    // OpenSSL refuses coordinates that are not below p and points that are not on the curve.
    return ecdh.computeSecret(peer);
  } catch (cause) {
    throw new ParseError("KEY", "not a point on P-256", { cause });
  }
}
