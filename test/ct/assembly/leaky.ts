/** What constant-time code must not do, each once, for the timing test to find: were it not found, the test would say nothing
 *  about the code that it passes. Compiled for the tests only. */
import "../../../filter/assembly/abi/abort";

/** Comparison that ends at the first difference. */
export function compareEarlyExit(a: usize, b: usize, length: i32): bool {
  for (let i: usize = 0; i < <usize>length; i++) if (load<u8>(a + i) != load<u8>(b + i)) return false;
  return true;
}

const PRIME: u64 = 0xfffffffb;
const GENERATOR: u64 = 5;

/** Square and multiply, with a branch on each bit of the 32 bytes at `exponent`. */
export function powerBranching(exponent: usize): bool {
  let power: u64 = 1;
  for (let i: usize = 0; i < 256; i++) {
    power = (power * power) % PRIME;
    if ((load<u8>(exponent + (i >> 3)) >> (<u8>(7 - (i & 7)))) & 1) power = (power * GENERATOR) % PRIME;
  }
  return power != 0;
}

/** As GHASH with a table for each byte of a block has it (Shoup 1996): sixteen tables of 256 entries of 16 bytes, and the data
 *  says where to look. The entries are any numbers: what leaks is the way to them. */
const TABLES: usize = memory.data(65536);
const SUM: usize = memory.data(16);

export function fillTables(): void {
  let x: u64 = 0x9e3779b97f4a7c15;
  for (let at: usize = 0; at < 65536; at += 8) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    store<u64>(TABLES + at, x);
  }
}

/** Absorbs the `length` bytes, a multiple of 16, at `data`. */
export function hashByTables(data: usize, length: i32): bool {
  let low: u64 = 0;
  let high: u64 = 0;
  for (let block: usize = 0; block < <usize>length; block += 16) {
    store<u64>(SUM, low ^ load<u64>(data + block, 0), 0);
    store<u64>(SUM, high ^ load<u64>(data + block, 8), 8);
    low = 0;
    high = 0;
    for (let i: usize = 0; i < 16; i++) {
      const entry = TABLES + (i << 12) + ((<usize>load<u8>(SUM + i)) << 4);
      low ^= load<u64>(entry, 0);
      high ^= load<u64>(entry, 8);
    }
  }
  return (low | high) != 0;
}

export function allocate(length: usize): usize {
  return heap.alloc(length);
}
