/** SHA-256 compression (FIPS 180-4 §6.2.2) with the schedules of four blocks made beforehand, side by side; the rounds are
 *  those of one block after the other. Eight rounds are written out: after eight every variable has its name again. What is
 *  known first is added first, as in sha256-compress-block. Maj(a, b, c) is ((a ^ b) & (b ^ c)) ^ b, whose a ^ b is b ^ c in
 *  the next round.
 *
 *  Timing: constant. Allocates nothing; the schedules, which tell the message, are wiped. */
import { wipe } from "../bytes/wipe";
import { SCHEDULES_BYTES, scheduleFour } from "./sha256-schedule-fours";

const FOUR_BLOCKS: usize = 256;
const EIGHT_WORDS: usize = 128;
const SCHEDULES: usize = memory.data(1024);

/** Updates the eight hash words at `state` with `blocks` blocks, a multiple of four, of 64 bytes at `data`. */
export function compressFours(state: usize, data: usize, blocks: usize): void {
  let ha = load<u32>(state, 0);
  let hb = load<u32>(state, 4);
  let hc = load<u32>(state, 8);
  let hd = load<u32>(state, 12);
  let he = load<u32>(state, 16);
  let hf = load<u32>(state, 20);
  let hg = load<u32>(state, 24);
  let hh = load<u32>(state, 28);
  for (const end = data + 64 * blocks; data < end; data += FOUR_BLOCKS) {
    scheduleFour(data, SCHEDULES);
    for (let lane: usize = 0; lane < 16; lane += 4) {
      let a = ha;
      let b = hb;
      let c = hc;
      let d = hd;
      let e = he;
      let f = hf;
      let g = hg;
      let h = hh;
      let ab: u32 = 0;
      let bc = b ^ c;
      for (let word = SCHEDULES + lane, last = word + SCHEDULES_BYTES; word < last; word += EIGHT_WORDS) {
        h += load<u32>(word, 0);
        h += g ^ (e & (f ^ g));
        h += rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25);
        d += h;
        ab = a ^ b;
        h += (bc & ab) ^ b;
        h += rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22);
        g += load<u32>(word, 16);
        g += f ^ (d & (e ^ f));
        g += rotr(d, 6) ^ rotr(d, 11) ^ rotr(d, 25);
        c += g;
        bc = h ^ a;
        g += (ab & bc) ^ a;
        g += rotr(h, 2) ^ rotr(h, 13) ^ rotr(h, 22);
        f += load<u32>(word, 32);
        f += e ^ (c & (d ^ e));
        f += rotr(c, 6) ^ rotr(c, 11) ^ rotr(c, 25);
        b += f;
        ab = g ^ h;
        f += (bc & ab) ^ h;
        f += rotr(g, 2) ^ rotr(g, 13) ^ rotr(g, 22);
        e += load<u32>(word, 48);
        e += d ^ (b & (c ^ d));
        e += rotr(b, 6) ^ rotr(b, 11) ^ rotr(b, 25);
        a += e;
        bc = f ^ g;
        e += (ab & bc) ^ g;
        e += rotr(f, 2) ^ rotr(f, 13) ^ rotr(f, 22);
        d += load<u32>(word, 64);
        d += c ^ (a & (b ^ c));
        d += rotr(a, 6) ^ rotr(a, 11) ^ rotr(a, 25);
        h += d;
        ab = e ^ f;
        d += (bc & ab) ^ f;
        d += rotr(e, 2) ^ rotr(e, 13) ^ rotr(e, 22);
        c += load<u32>(word, 80);
        c += b ^ (h & (a ^ b));
        c += rotr(h, 6) ^ rotr(h, 11) ^ rotr(h, 25);
        g += c;
        bc = d ^ e;
        c += (ab & bc) ^ e;
        c += rotr(d, 2) ^ rotr(d, 13) ^ rotr(d, 22);
        b += load<u32>(word, 96);
        b += a ^ (g & (h ^ a));
        b += rotr(g, 6) ^ rotr(g, 11) ^ rotr(g, 25);
        f += b;
        ab = c ^ d;
        b += (bc & ab) ^ d;
        b += rotr(c, 2) ^ rotr(c, 13) ^ rotr(c, 22);
        a += load<u32>(word, 112);
        a += h ^ (f & (g ^ h));
        a += rotr(f, 6) ^ rotr(f, 11) ^ rotr(f, 25);
        e += a;
        bc = b ^ c;
        a += (ab & bc) ^ c;
        a += rotr(b, 2) ^ rotr(b, 13) ^ rotr(b, 22);
      }
      ha += a;
      hb += b;
      hc += c;
      hd += d;
      he += e;
      hf += f;
      hg += g;
      hh += h;
    }
  }
  store<u32>(state, ha, 0);
  store<u32>(state, hb, 4);
  store<u32>(state, hc, 8);
  store<u32>(state, hd, 12);
  store<u32>(state, he, 16);
  store<u32>(state, hf, 20);
  store<u32>(state, hg, 24);
  store<u32>(state, hh, 28);
  wipe(SCHEDULES, <i32>SCHEDULES_BYTES);
}
