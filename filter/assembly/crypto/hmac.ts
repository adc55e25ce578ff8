/** HMAC-SHA-256 (RFC 2104, FIPS 198-1). Timing: constant in key and data, variable in their lengths. Allocates nothing.
 *
 *  Streaming state, owned by the caller, HMAC_STATE_BYTES long: inner SHA-256 state, then outer SHA-256 state. */
import { wipe } from "../bytes/wipe";
import { sha256, sha256Final, sha256Init, sha256Update } from "./sha256";

export const HMAC_STATE_BYTES: i32 = 208;
const OUTER: usize = 104;
const BLOCK: i32 = 64;
const DIGEST: i32 = 32;
const INNER_PAD: u8 = 0x36;
const OUTER_PAD: u8 = 0x5c;

const ONE_SHOT: usize = memory.data(208);
const PAD: usize = memory.data(64);

/** Tag of `dataLen` bytes at `data` under a key of any length, written to the 32 bytes at `out`. */
export function hmacSha256(key: usize, keyLen: i32, data: usize, dataLen: i32, out: usize): void {
  hmacInit(ONE_SHOT, key, keyLen);
  hmacUpdate(ONE_SHOT, data, dataLen);
  hmacFinal(ONE_SHOT, out);
}

export function hmacInit(state: usize, key: usize, keyLen: i32): void {
  wipe(PAD, BLOCK);
  if (keyLen > BLOCK) sha256(key, keyLen, PAD);
  else memory.copy(PAD, key, <usize>keyLen);
  absorbPad(state, INNER_PAD);
  absorbPad(state + OUTER, INNER_PAD ^ OUTER_PAD);
  wipe(PAD, BLOCK);
}

export function hmacUpdate(state: usize, data: usize, length: i32): void {
  sha256Update(state, data, length);
}

/** Writes the tag to the 32 bytes at `out` and wipes the state. */
export function hmacFinal(state: usize, out: usize): void {
  sha256Final(state, PAD);
  sha256Update(state + OUTER, PAD, DIGEST);
  sha256Final(state + OUTER, out);
  wipe(PAD, DIGEST);
}

/** Starts a hash with the padded key xor `byte`; PAD keeps that xor. */
function absorbPad(state: usize, byte: u8): void {
  for (let i: usize = 0; i < <usize>BLOCK; i++) store<u8>(PAD + i, load<u8>(PAD + i) ^ byte);
  sha256Init(state);
  sha256Update(state, PAD, BLOCK);
}
