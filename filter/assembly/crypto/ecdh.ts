/** ECDH over P-256 (SP 800-56A rev. 3 §5.7.1.2), cofactor 1. Timing: constant in the private key; its validity and all
 *  of the public key are public. Allocates nothing; scratch that depends on the private key is wiped. */
import { wipe } from "../bytes/wipe";
import { multiplySecret } from "./p256-secret-multiply";
import { GENERATOR, affineFromBytes } from "./p256-point";
import { SCALAR_BYTES, scalarFromBytes } from "./p256-scalar";

const PEER: usize = memory.data(72);
const PRIVATE: usize = memory.data(36);

/** Writes the x-coordinate of privateKey · publicKey to the 32 bytes at `sharedX`. False, and nothing written, unless
 *  the private key (32 bytes) is in 1..n-1 and the public key (65 bytes) is valid. */
export function ecdh(privateKey: usize, publicKey: usize, sharedX: usize): bool {
  if (!isValidPrivateKey(privateKey) || !affineFromBytes(PEER, publicKey)) return false;
  multiplySecret(sharedX, 0, privateKey, PEER);
  return true;
}

/** Writes the public key of a private key, 65 bytes. False, and nothing written, unless it is in 1..n-1. */
export function derivePublicKey(privateKey: usize, publicKey: usize): bool {
  if (!isValidPrivateKey(privateKey)) return false;
  multiplySecret(publicKey + 1, publicKey + 33, privateKey, GENERATOR);
  store<u8>(publicKey, 4);
  return true;
}

function isValidPrivateKey(privateKey: usize): bool {
  const valid = scalarFromBytes(PRIVATE, privateKey);
  wipe(PRIVATE, <i32>SCALAR_BYTES);
  return valid;
}
