/** Counter mode for GCM (NIST SP 800-38D §6.5), four blocks at a time. Timing: constant in key, nonce and text, linear in the
 *  length. Allocates nothing; the caller wipes. */
import { AES_BATCH_BYTES, AES_ROUND_KEYS_BYTES, aes128EncryptBatch, aes128ExpandKey } from "./aes";

/** Round keys, then the batch in work. */
export const CTR_SCALAR_BYTES: i32 = AES_ROUND_KEYS_BYTES + AES_BATCH_BYTES;
const BATCH: usize = <usize>AES_ROUND_KEYS_BYTES;
const BATCH_BYTES: usize = <usize>AES_BATCH_BYTES;

/** E(0) and E(nonce ‖ 1) in one batch; the rest of it is not used. */
export function ctrStartScalar(state: usize, key: usize, nonce: usize): usize {
  const batch = state + BATCH;
  aes128ExpandKey(key, state, batch);
  counterBlocks(batch, nonce, 0);
  memory.fill(batch, 0, 16);
  aes128EncryptBatch(batch, state);
  return batch;
}

export function ctrApplyScalar(state: usize, nonce: usize, text: usize, textLen: i32, out: usize): void {
  const batch = state + BATCH;
  let left = <usize>textLen;
  for (let counter: u32 = 2; left != 0; counter += 4) {
    counterBlocks(batch, nonce, counter);
    aes128EncryptBatch(batch, state);
    const n = min(BATCH_BYTES, left);
    xorKeyStream(text, batch, out, n);
    text += n;
    out += n;
    left -= n;
  }
}

function xorKeyStream(text: usize, keyStream: usize, out: usize, length: usize): void {
  let i: usize = 0;
  for (; i + 8 <= length; i += 8) store<u64>(out + i, load<u64>(text + i) ^ load<u64>(keyStream + i));
  for (; i < length; i++) store<u8>(out + i, load<u8>(text + i) ^ load<u8>(keyStream + i));
}

/** The four blocks nonce ‖ counter, `counter` and the three that follow it, as a batch. */
function counterBlocks(batch: usize, nonce: usize, counter: u32): void {
  for (let block = batch; block < batch + BATCH_BYTES; block += 16, counter++) {
    store<u64>(block, load<u64>(nonce));
    store<u32>(block, load<u32>(nonce, 8), 8);
    store<u32>(block, bswap(counter), 12);
  }
}
