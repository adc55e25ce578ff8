import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** An exported function of the module; pointers and i32 are numbers, i64 are bigints, `bool` is 0 or 1. */
export type WasmFunction = (...args: (number | bigint)[]) => number;

/** Memory of one call: everything put or reserved here is given back, and its bounds are checked, when the call ends. */
export interface CallMemory {
  /** Copies bytes into the module. */
  readonly put: (bytes: Uint8Array) => number;
  /** Copies the UTF-8 of a text into the module. */
  readonly putText: (text: string) => { readonly ptr: number; readonly length: number };
  /** Room for a result, filled with 0xdd. */
  readonly reserve: (lengthBytes: number) => number;
  /** A copy of bytes of the module. */
  readonly take: (ptr: number, lengthBytes: number) => Uint8Array;
  /** The string that an exported function has just returned. */
  readonly takeString: (ptr: number) => string;
}

export interface Testable {
  /** The exported function of that name; a name that does not exist is an error. */
  readonly fn: (name: string) => WasmFunction;
  /** Runs one call with memory of its own. */
  readonly call: <T>(body: (memory: CallMemory) => T) => T;
  readonly memory: WebAssembly.Memory;
}

const GUARD = 16;
const GUARD_BYTE = 0xa5;
const RESERVED_BYTE = 0xdd;

/** The same code compiled with SIMD, as it is shipped, and without. */
export const BUILDS = ["testable", "testable-scalar"] as const;
export type Build = (typeof BUILDS)[number];

const compiled = new Map<Build, WebAssembly.Module>();
const shared = new Map<Build, Testable>();

/** The one instance that tests share. */
export function testable(build: Build = "testable"): Testable {
  const instance = shared.get(build) ?? freshTestable(build);
  shared.set(build, instance);
  return instance;
}

/** An instance of its own, for tests that look at memory or expect a trap. */
export function freshTestable(build: Build = "testable"): Testable {
  return instanceOf(testableModule(build));
}

export function instanceOf(module: WebAssembly.Module): Testable {
  const { exports } = new WebAssembly.Instance(module, {});
  const { memory, _initialize } = exports;
  if (!(memory instanceof WebAssembly.Memory)) throw new Error("testable.wasm exports no memory");
  asFunction(_initialize, "_initialize")();
  const fn = (name: string): WasmFunction => asFunction(exports[name], name);
  return { fn, memory, call: (body) => withMemory({ fn, memory }, body) };
}

export function testableModule(build: Build = "testable"): WebAssembly.Module {
  const module = compiled.get(build) ?? new WebAssembly.Module(testableBytes(build));
  compiled.set(build, module);
  return module;
}

export function testableBytes(build: Build = "testable"): Uint8Array<ArrayBuffer> {
  const replaced = build === "testable" ? process.env["WPGATE_TESTABLE"] : undefined;
  const file = replaced ?? new URL(`../../filter/build/${build}.wasm`, import.meta.url);
  try {
    return readFileSync(file);
  } catch (cause) {
    const path = typeof file === "string" ? file : fileURLToPath(file);
    throw new Error(`cannot load ${path}: build it with node tools/prepare.mjs`, { cause });
  }
}

function asFunction(value: unknown, name: string): WasmFunction {
  if (typeof value !== "function") throw new Error(`testable.wasm exports no function ${name}`);
  return (...args) => Number(Reflect.apply(value, undefined, args));
}

function withMemory<T>({ fn, memory }: Pick<Testable, "fn" | "memory">, body: (memory: CallMemory) => T): T {
  const blocks: { ptr: number; lengthBytes: number }[] = [];
  const bytes = (ptr: number, length: number): Uint8Array => new Uint8Array(memory.buffer, ptr, length);
  const reserve = (lengthBytes: number): number => {
    const block = fn("allocate")(lengthBytes + 2 * GUARD) >>> 0;
    bytes(block, lengthBytes + 2 * GUARD).fill(GUARD_BYTE);
    blocks.push({ ptr: block, lengthBytes });
    bytes(block + GUARD, lengthBytes).fill(RESERVED_BYTE);
    return block + GUARD;
  };
  const put = (data: Uint8Array): number => {
    const ptr = reserve(data.length);
    bytes(ptr, data.length).set(data);
    return ptr;
  };
  const result = body({
    put,
    reserve,
    putText: (text) => {
      const data = new TextEncoder().encode(text);
      return { ptr: put(data), length: data.length };
    },
    take: (ptr, lengthBytes) => bytes(ptr >>> 0, lengthBytes).slice(),
    takeString: (ptr) => {
      const lengthBytes = new DataView(memory.buffer).getUint32((ptr >>> 0) - 4, true);
      return new TextDecoder("utf-16le", { ignoreBOM: true }).decode(bytes(ptr >>> 0, lengthBytes).slice());
    },
  });
  for (const { ptr, lengthBytes } of blocks) {
    const guards = [...bytes(ptr, GUARD), ...bytes(ptr + GUARD + lengthBytes, GUARD)];
    if (guards.some((byte) => byte !== GUARD_BYTE)) throw new Error("the module wrote outside its argument");
    fn("release")(ptr);
  }
  return result;
}
