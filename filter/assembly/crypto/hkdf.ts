/** HKDF-SHA-256, extract and expand (RFC 5869). Timing: constant in all bytes, variable in the lengths.
 *  Allocates nothing; what is derived from `ikm` is wiped before returning. */
import { wipe } from "../bytes/wipe";
import { HMAC_STATE_BYTES, hmacFinal, hmacInit, hmacSha256, hmacUpdate } from "./hmac";

const HKDF_MAX_BYTES: i32 = 8160;
const DIGEST: i32 = 32;

const PRK: usize = memory.data(32);
const BLOCK: usize = memory.data(32);
const COUNTER: usize = memory.data(1);
const KEYED: usize = memory.data(208);
const STATE: usize = memory.data(208);

/** Writes `outLen` bytes, at most HKDF_MAX_BYTES (RFC 5869 §2.3), to `out`, which overlaps no input.
 *  A larger `outLen` is a bug of the caller and traps. */
export function hkdfSha256(
  salt: usize,
  saltLen: i32,
  ikm: usize,
  ikmLen: i32,
  info: usize,
  infoLen: i32,
  out: usize,
  outLen: i32,
): void {
  if (outLen < 0 || outLen > HKDF_MAX_BYTES) unreachable();
  hmacSha256(salt, saltLen, ikm, ikmLen, PRK);
  hmacInit(KEYED, PRK, DIGEST);
  let counter: u8 = 1;
  for (let done: i32 = 0; done < outLen; done += DIGEST, counter++) {
    memory.copy(STATE, KEYED, <usize>HMAC_STATE_BYTES);
    if (done > 0) hmacUpdate(STATE, BLOCK, DIGEST);
    hmacUpdate(STATE, info, infoLen);
    store<u8>(COUNTER, counter);
    hmacUpdate(STATE, COUNTER, 1);
    hmacFinal(STATE, BLOCK);
    memory.copy(out + <usize>done, BLOCK, <usize>min(DIGEST, outLen - done));
  }
  wipe(PRK, DIGEST);
  wipe(BLOCK, DIGEST);
  wipe(KEYED, HMAC_STATE_BYTES);
}
