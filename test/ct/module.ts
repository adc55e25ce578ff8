/** An instance of a compiled module, its functions called without anything in between. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export type ModuleName = "testable" | "leaky";

export type WasmFunction = (...args: readonly number[]) => number;

export class WasmModule {
  /** Of the file, in hex. */
  readonly digest: string;
  readonly #exports: WebAssembly.Instance["exports"];
  readonly #memory: WebAssembly.Memory;

  constructor(name: ModuleName) {
    const file = fileURLToPath(new URL(`../../filter/build/${name}.wasm`, import.meta.url));
    const binary = readFileSync(file);
    this.digest = createHash("sha256").update(binary).digest("hex");
    this.#exports = new WebAssembly.Instance(new WebAssembly.Module(binary), {}).exports;
    const { memory } = this.#exports;
    if (!(memory instanceof WebAssembly.Memory)) throw new Error(`${name}.wasm exports no memory`);
    this.#memory = memory;
    this.fn("_initialize")();
  }

  fn(name: string): WasmFunction {
    const value = this.#exports[name];
    if (typeof value !== "function") throw new Error(`no function ${name} is exported`);
    return value as WasmFunction;
  }

  /** Room that is never given back, on a cache line of its own. */
  reserve(lengthBytes: number): number {
    const ptr = this.fn("allocate")(lengthBytes + 128) >>> 0;
    return (ptr + 63) & ~63;
  }

  put(bytes: Uint8Array): number {
    const ptr = this.reserve(bytes.length);
    this.bytes().set(bytes, ptr);
    return ptr;
  }

  bytes(): Uint8Array {
    return new Uint8Array(this.#memory.buffer);
  }
}
