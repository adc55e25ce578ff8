/** Message schedules (FIPS 180-4 §6.2.2 step 1) of four blocks at a time, one in each lane, the constant of the round (§4.2.2)
 *  added (Gueron and Krasnov, "Simultaneous hashing of multiple messages", 2012, for the blocks of one message).
 *
 *      word t of the four blocks, plus the constant of round t: 16 bytes at 16 · t, block l at 4 · l of them
 *
 *  Cost: 24 vector operations for a word of four blocks. Timing: constant. Allocates nothing; the caller wipes. */

export const SCHEDULES_BYTES: usize = 1024;
const WORDS_BYTES: usize = 256;
const BLOCK: usize = 64;

const K: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
]);

/** Writes the schedules of the four blocks at `blocks` to SCHEDULES_BYTES at `schedules`. */
export function scheduleFour(blocks: usize, schedules: usize): void {
  wordsOfBlocks(blocks, schedules);
  let w0 = v128.load(schedules, 0);
  let w1 = v128.load(schedules, 16);
  let w2 = v128.load(schedules, 32);
  let w3 = v128.load(schedules, 48);
  let w4 = v128.load(schedules, 64);
  let w5 = v128.load(schedules, 80);
  let w6 = v128.load(schedules, 96);
  let w7 = v128.load(schedules, 112);
  let w8 = v128.load(schedules, 128);
  let w9 = v128.load(schedules, 144);
  let w10 = v128.load(schedules, 160);
  let w11 = v128.load(schedules, 176);
  let w12 = v128.load(schedules, 192);
  let w13 = v128.load(schedules, 208);
  let w14 = v128.load(schedules, 224);
  let w15 = v128.load(schedules, 240);
  const last = schedules + SCHEDULES_BYTES - WORDS_BYTES;
  for (let k = K; ; k += 64, schedules += WORDS_BYTES) {
    v128.store(schedules, i32x4.add(w0, v128.load32_splat(k, 0)), 0);
    v128.store(schedules, i32x4.add(w1, v128.load32_splat(k, 4)), 16);
    v128.store(schedules, i32x4.add(w2, v128.load32_splat(k, 8)), 32);
    v128.store(schedules, i32x4.add(w3, v128.load32_splat(k, 12)), 48);
    v128.store(schedules, i32x4.add(w4, v128.load32_splat(k, 16)), 64);
    v128.store(schedules, i32x4.add(w5, v128.load32_splat(k, 20)), 80);
    v128.store(schedules, i32x4.add(w6, v128.load32_splat(k, 24)), 96);
    v128.store(schedules, i32x4.add(w7, v128.load32_splat(k, 28)), 112);
    v128.store(schedules, i32x4.add(w8, v128.load32_splat(k, 32)), 128);
    v128.store(schedules, i32x4.add(w9, v128.load32_splat(k, 36)), 144);
    v128.store(schedules, i32x4.add(w10, v128.load32_splat(k, 40)), 160);
    v128.store(schedules, i32x4.add(w11, v128.load32_splat(k, 44)), 176);
    v128.store(schedules, i32x4.add(w12, v128.load32_splat(k, 48)), 192);
    v128.store(schedules, i32x4.add(w13, v128.load32_splat(k, 52)), 208);
    v128.store(schedules, i32x4.add(w14, v128.load32_splat(k, 56)), 224);
    v128.store(schedules, i32x4.add(w15, v128.load32_splat(k, 60)), 240);
    if (schedules == last) return;
    w0 = next(w0, w1, w9, w14);
    w1 = next(w1, w2, w10, w15);
    w2 = next(w2, w3, w11, w0);
    w3 = next(w3, w4, w12, w1);
    w4 = next(w4, w5, w13, w2);
    w5 = next(w5, w6, w14, w3);
    w6 = next(w6, w7, w15, w4);
    w7 = next(w7, w8, w0, w5);
    w8 = next(w8, w9, w1, w6);
    w9 = next(w9, w10, w2, w7);
    w10 = next(w10, w11, w3, w8);
    w11 = next(w11, w12, w4, w9);
    w12 = next(w12, w13, w5, w10);
    w13 = next(w13, w14, w6, w11);
    w14 = next(w14, w15, w7, w12);
    w15 = next(w15, w0, w8, w13);
  }
}

/** The word sixteen after `w0`. */
function next(w0: v128, w1: v128, w9: v128, w14: v128): v128 {
  return i32x4.add(i32x4.add(w0, sigma0(w1)), i32x4.add(w9, sigma1(w14)));
}

function sigma0(x: v128): v128 {
  const by7 = v128.xor(i32x4.shr_u(x, 7), i32x4.shl(x, 25));
  const by18 = v128.xor(i32x4.shr_u(x, 18), i32x4.shl(x, 14));
  return v128.xor(v128.xor(by7, by18), i32x4.shr_u(x, 3));
}

function sigma1(x: v128): v128 {
  const by17 = v128.xor(i32x4.shr_u(x, 17), i32x4.shl(x, 15));
  const by19 = v128.xor(i32x4.shr_u(x, 19), i32x4.shl(x, 13));
  return v128.xor(v128.xor(by17, by19), i32x4.shr_u(x, 10));
}

/** Words 0 to 15 of the four blocks, four words of each at a time: word by word instead of block by block. */
function wordsOfBlocks(blocks: usize, words: usize): void {
  for (const end = blocks + BLOCK; blocks < end; blocks += 16, words += 64) {
    const a = bigEndian(v128.load(blocks));
    const b = bigEndian(v128.load(blocks, BLOCK));
    const c = bigEndian(v128.load(blocks, 2 * BLOCK));
    const d = bigEndian(v128.load(blocks, 3 * BLOCK));
    const ab01 = i32x4.shuffle(a, b, 0, 4, 1, 5);
    const cd01 = i32x4.shuffle(c, d, 0, 4, 1, 5);
    const ab23 = i32x4.shuffle(a, b, 2, 6, 3, 7);
    const cd23 = i32x4.shuffle(c, d, 2, 6, 3, 7);
    v128.store(words, i64x2.shuffle(ab01, cd01, 0, 2), 0);
    v128.store(words, i64x2.shuffle(ab01, cd01, 1, 3), 16);
    v128.store(words, i64x2.shuffle(ab23, cd23, 0, 2), 32);
    v128.store(words, i64x2.shuffle(ab23, cd23, 1, 3), 48);
  }
}

function bigEndian(words: v128): v128 {
  return i8x16.swizzle(words, i8x16(3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12));
}
