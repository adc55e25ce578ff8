/** Mutations of bytes that know nothing of what they mean, in place: what AFL calls havoc. */
import type { Random } from "./random.ts";

const INTERESTING = [0, 1, 2, 7, 8, 15, 16, 31, 32, 63, 64, 65, 127, 128, 129, 191, 192, 254, 255];
/** Tokens are longer than this only where the dictionary has them. */
const SPAN_MAX_BYTES = 24;

/** Room for one input, which changes. */
export class Scratch {
  length = 0;
  readonly #bytes: Uint8Array;
  readonly #random: Random;
  readonly #dictionary: readonly Uint8Array[];

  constructor(options: { maxBytes: number; random: Random; dictionary: readonly (string | Uint8Array)[] }) {
    this.#bytes = new Uint8Array(options.maxBytes);
    this.#random = options.random;
    this.#dictionary = options.dictionary.map((token) => (typeof token === "string" ? Buffer.from(token) : token));
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  load(bytes: Uint8Array): void {
    this.length = Math.min(bytes.length, this.#bytes.length);
    this.#bytes.set(this.length === bytes.length ? bytes : bytes.subarray(0, this.length));
  }

  /** One change. `other`: an input to take a piece of. */
  mutate(other: Uint8Array): void {
    const random = this.#random;
    const at = random.below(this.length + 1);
    switch (random.below(11)) {
      case 0:
        if (at < this.length) this.#bytes[at]! ^= 1 << random.below(8);
        break;
      case 1:
        if (at < this.length) this.#bytes[at] = random.u32() >>> 24;
        break;
      case 2:
        if (at < this.length) this.#bytes[at] = random.pick(INTERESTING);
        break;
      case 3:
        if (at < this.length) this.#bytes[at]! += random.below(2) * 2 - 1;
        break;
      case 4:
        this.#remove(at, 1 + random.below(SPAN_MAX_BYTES));
        break;
      case 5:
        this.#repeat(at, 1 + random.below(SPAN_MAX_BYTES));
        break;
      case 6:
        this.#insert(at, Uint8Array.of(random.u32() >>> 24));
        break;
      case 7:
        this.#splice(at, other);
        break;
      case 8:
        this.#insert(random.chance(50) ? 0 : this.length, other);
        break;
      default:
        this.#useToken(at);
    }
  }

  #remove(at: number, wanted: number): void {
    const count = Math.min(wanted, this.length - at);
    this.#bytes.copyWithin(at, at + count, this.length);
    this.length -= count;
  }

  #repeat(at: number, wanted: number): void {
    const count = Math.min(wanted, this.length - at);
    this.#insert(at, this.#bytes.slice(at, at + count));
  }

  #insert(at: number, piece: Uint8Array): void {
    if (this.length + piece.length > this.#bytes.length) return;
    this.#bytes.copyWithin(at + piece.length, at, this.length);
    this.#bytes.set(piece, at);
    this.length += piece.length;
  }

  /** The rest, or a piece, of another input. */
  #splice(at: number, other: Uint8Array): void {
    const from = this.#random.below(other.length + 1);
    if (this.#random.chance(50)) this.length = at;
    this.#insert(at, other.slice(from, from + 1 + this.#random.below(other.length)));
  }

  #useToken(at: number): void {
    if (this.#dictionary.length === 0) return;
    const token = this.#random.pick(this.#dictionary);
    if (this.#random.chance(50)) this.#insert(at, token);
    else if (at + token.length <= this.length) this.#bytes.set(token, at);
  }
}
