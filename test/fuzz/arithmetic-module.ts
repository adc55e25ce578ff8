/** Memory of testable.wasm for arithmetic: numbers at places of their own, and functions called with pointers only. */
import { freshTestable } from "../filter/testable.ts";
import { readNumber, writeNumber } from "./numbers.ts";

export type PointerFunction = (...args: (number | bigint)[]) => number;

export class ArithmeticModule {
  readonly #module = freshTestable();
  readonly #bytes: number;
  #view: DataView | undefined;

  constructor() {
    this.#bytes = this.reserve(32);
  }

  fn(name: string): PointerFunction {
    return this.#module.fn(name);
  }

  /** Never given back. */
  reserve(lengthBytes: number): number {
    return this.#module.fn("allocate")(lengthBytes) >>> 0;
  }

  /** A pointer to 32 bytes that the next call may overwrite. */
  bytesOf(value: bigint): number {
    writeNumber(this.view, this.#bytes, value);
    return this.#bytes;
  }

  /** The number that `write` writes as 32 bytes. */
  numberFrom(write: (bytes: number) => unknown): bigint {
    write(this.#bytes);
    return readNumber(this.view, this.#bytes);
  }

  get view(): DataView {
    const { buffer } = this.#module.memory;
    if (this.#view?.buffer !== buffer) this.#view = new DataView(buffer);
    return this.#view;
  }
}
