/** AES-128 in counter mode as GCM has it (NIST SP 800-38D §6.5): the choice between eight blocks at a time with SIMD and
 *  four without. Timing: constant in key, nonce and text, linear in the length. Allocates nothing; the caller wipes. */
import { CTR_SCALAR_BYTES, ctrApplyScalar, ctrStartScalar } from "./aes-ctr-scalar";
import { CTR_SIMD_BYTES, ctrApplySimd, ctrStartSimd } from "./aes-ctr-simd";

/** The state, which belongs to the caller. */
export const AES_CTR_BYTES: i32 = ASC_FEATURE_SIMD ? CTR_SIMD_BYTES : CTR_SCALAR_BYTES;

/** Prepares `state` for the 16 bytes at `key` and the 12 at `nonce`. Returns where E(0), which is the key of GHASH, and
 *  after it E(nonce ‖ 1), which masks the tag, lie in the state until aesCtrApply (§7.2 steps 2, 3 and 7). */
export function aesCtrStart(state: usize, key: usize, nonce: usize): usize {
  if (ASC_FEATURE_SIMD) return ctrStartSimd(state, key, nonce);
  return ctrStartScalar(state, key, nonce);
}

/** Adds the key stream, from counter 2 on, to `textLen` bytes at `text`, into `out`, which is `text` itself or does not
 *  overlap it. Once for a state. */
export function aesCtrApply(state: usize, nonce: usize, text: usize, textLen: i32, out: usize): void {
  if (ASC_FEATURE_SIMD) ctrApplySimd(state, nonce, text, textLen, out);
  else ctrApplyScalar(state, nonce, text, textLen, out);
}
