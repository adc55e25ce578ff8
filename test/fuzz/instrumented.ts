/** The modules under test, with probes. */
import { testableBytes } from "../filter/testable.ts";
import { Coverage } from "./coverage.ts";
import { instrument } from "./instrument.ts";

const INPUT_MAX_BYTES = 1 << 17;

export type WasmNumberFunction = (...args: number[]) => number;

let compiled: WebAssembly.Module | undefined;

/** An instance of testable.wasm for one target; arguments and results are handed over without copies of copies. */
export class InstrumentedTestable {
  readonly coverage: Coverage = new Coverage();
  readonly memory: WebAssembly.Memory;
  readonly #exports: WebAssembly.Instance["exports"];
  readonly #input: number;
  #bytes: Uint8Array = new Uint8Array();
  #used = 0;

  constructor() {
    compiled ??= new WebAssembly.Module(instrument(testableBytes()).module);
    this.#exports = new WebAssembly.Instance(compiled, {}).exports;
    const { memory } = this.#exports;
    if (!(memory instanceof WebAssembly.Memory)) throw new Error("testable.wasm exports no memory");
    this.memory = memory;
    this.fn("_initialize")();
    this.#input = this.fn("allocate")(INPUT_MAX_BYTES) >>> 0;
    this.coverage.attach(memory);
  }

  fn(name: string): WasmNumberFunction {
    const found = this.#exports[name];
    if (typeof found !== "function") throw new Error(`testable.wasm exports no function ${name}`);
    return found as WasmNumberFunction;
  }

  /** Forgets the arguments of the call before. */
  begin(): void {
    this.#used = 0;
  }

  put(bytes: Uint8Array): number {
    const ptr = this.reserve(bytes.length);
    this.#view().set(bytes, ptr);
    return ptr;
  }

  reserve(lengthBytes: number): number {
    const ptr = this.#input + this.#used;
    this.#used += (lengthBytes + 7) & ~7;
    if (this.#used > INPUT_MAX_BYTES) throw new Error("the arguments do not fit");
    return ptr;
  }

  /** A window that the next call may overwrite. */
  window(ptr: number, lengthBytes: number): Uint8Array {
    return this.#view().subarray(ptr >>> 0, (ptr >>> 0) + lengthBytes);
  }

  /** What a function has left as its result. */
  result(): Buffer {
    const ptr = this.fn("wireResultPtr")() >>> 0;
    return Buffer.from(this.window(ptr, this.fn("wireResultLength")()));
  }

  /** A string that a function has returned. */
  text(ptr: number): string {
    const lengthBytes = new DataView(this.memory.buffer).getUint32((ptr >>> 0) - 4, true);
    return Buffer.from(this.window(ptr, lengthBytes)).toString("utf16le");
  }

  #view(): Uint8Array {
    if (this.#bytes.buffer !== this.memory.buffer) this.#bytes = new Uint8Array(this.memory.buffer);
    return this.#bytes;
  }
}
