/** SHA-256 (FIPS 180-4 §6.2). Timing: constant in the bytes, linear in the length. Allocates nothing.
 *
 *  Streaming state, owned by the caller, SHA256_STATE_BYTES long:
 *    0..31 hash words · 32..95 bytes not yet hashed · 96..103 bytes seen, u64 */
import { storeBe32, storeBe64 } from "../bytes/endian";
import { wipe } from "../bytes/wipe";
import { compress } from "./sha256-compress";

const SHA256_STATE_BYTES: i32 = 104;
const BLOCK: usize = 64;
const BUFFER: usize = 32;
const SEEN: usize = 96;

const ONE_SHOT: usize = memory.data(104);

/** Hash of `length` bytes at `data`, written to the 32 bytes at `out`, which may overlap `data`. */
export function sha256(data: usize, length: i32, out: usize): void {
  sha256Init(ONE_SHOT);
  sha256Update(ONE_SHOT, data, length);
  sha256Final(ONE_SHOT, out);
}

export function sha256Init(state: usize): void {
  store<u32>(state, 0x6a09e667, 0);
  store<u32>(state, 0xbb67ae85, 4);
  store<u32>(state, 0x3c6ef372, 8);
  store<u32>(state, 0xa54ff53a, 12);
  store<u32>(state, 0x510e527f, 16);
  store<u32>(state, 0x9b05688c, 20);
  store<u32>(state, 0x1f83d9ab, 24);
  store<u32>(state, 0x5be0cd19, 28);
  store<u64>(state, 0, SEEN);
}

export function sha256Update(state: usize, data: usize, length: i32): void {
  const end = data + <usize>length;
  const buffered = <usize>load<u64>(state, SEEN) % BLOCK;
  store<u64>(state, load<u64>(state, SEEN) + <u64>length, SEEN);
  if (buffered != 0) {
    const missing = min(BLOCK - buffered, end - data);
    memory.copy(state + BUFFER + buffered, data, missing);
    data += missing;
    if (buffered + missing < BLOCK) return;
    compress(state, state + BUFFER, 1);
  }
  const blocks = (end - data) / BLOCK;
  compress(state, data, blocks);
  data += blocks * BLOCK;
  memory.copy(state + BUFFER, data, end - data);
}

/** Writes the hash to the 32 bytes at `out` and wipes the state. */
export function sha256Final(state: usize, out: usize): void {
  const seen = load<u64>(state, SEEN);
  let used = <usize>seen % BLOCK;
  store<u8>(state + BUFFER + used, 0x80);
  used++;
  memory.fill(state + BUFFER + used, 0, BLOCK - used);
  if (used > BLOCK - 8) {
    compress(state, state + BUFFER, 1);
    memory.fill(state + BUFFER, 0, BLOCK);
  }
  storeBe64(state + BUFFER + BLOCK - 8, seen << 3);
  compress(state, state + BUFFER, 1);
  for (let i: usize = 0; i < 32; i += 4) storeBe32(out + i, load<u32>(state + i));
  wipe(state, SHA256_STATE_BYTES);
}
