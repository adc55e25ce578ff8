/** One instance of a module: its memory, its contexts, and the callbacks that a host makes into it. */
import type { Pair } from "./pairs.ts";
import type { HostProcess, Thread } from "./process.ts";
import type { SharedData } from "./shared-data.ts";
import { Status } from "./status.ts";

export interface LocalResponse {
  readonly status: number;
  readonly details: string;
  readonly body: string;
}

/** A request as the filter sees it, and what the filter makes of it. */
export interface Stream {
  readonly headers: readonly Pair[];
  /** Instead of the serialised headers: what a host with a fault of its own hands over. */
  readonly rawHeaders?: Uint8Array;
  /** By path, its segments joined by NUL. */
  readonly attributes: ReadonlyMap<string, Uint8Array>;
  readonly filterState: Map<string, string>;
  localResponse?: LocalResponse;
}

export type HostFunction = (...args: number[]) => number;
export type NumberedFunction = (id: number, value: bigint) => number;
export type ClockFunction = (clock: number, precision: bigint, out: number) => number;
export type AnyHostFunction = HostFunction | NumberedFunction | ClockFunction;
export type HostFunctions = Record<string, Record<string, AnyHostFunction>>;

export interface VmOptions {
  readonly hostFunctions: (vm: VirtualMachine) => HostFunctions;
  readonly module: WebAssembly.Module;
  readonly thread: Thread;
  readonly process: HostProcess;
  readonly sharedData: SharedData;
  readonly environment: Readonly<Record<string, string>>;
}

/** The module cannot be loaded: Envoy would refuse it before any callback. */
export class LoadRefusal extends Error {}

type Callback = (...args: number[]) => unknown;

export class VirtualMachine {
  readonly process: HostProcess;
  readonly thread: Thread;
  readonly sharedData: SharedData;
  readonly environment: Readonly<Record<string, string>>;
  readonly memory: WebAssembly.Memory;
  /** Names of the host calls made so far. */
  readonly calls: string[] = [];
  isInitialized = false;
  /** A callback trapped; Envoy makes no more of them. */
  hasTrapped = false;
  configuration: Uint8Array | undefined;
  stream: Stream | undefined;
  readonly tickPeriodsMs: Map<number, number> = new Map<number, number>();
  readonly #exports: WebAssembly.Instance["exports"];
  #enteredAt = 0n;
  #depth = 0;
  #currentRoot = 0;
  #nextId = 1;

  constructor(options: VmOptions) {
    this.process = options.process;
    this.thread = options.thread;
    this.sharedData = options.sharedData;
    this.environment = options.environment;
    this.#exports = this.#link(options.module, options.hostFunctions(this));
    const { memory } = this.#exports;
    if (!(memory instanceof WebAssembly.Memory)) throw new LoadRefusal("no memory is exported");
    this.memory = memory;
    for (const name of ["proxy_abi_version_0_2_1", "malloc", "_initialize"])
      if (typeof this.#exports[name] !== "function") throw new LoadRefusal(`missing export: ${name}`);
    this.#call("_initialize");
    this.isInitialized = true;
  }

  /** A root context that has started and taken its configuration; undefined when it was refused or trapped. */
  startPlugin(configuration: Uint8Array): number | undefined {
    const id = this.#nextId++;
    this.configuration = configuration;
    this.#currentRoot = id;
    try {
      this.#call("proxy_on_context_create", id, 0);
      if (this.#call("proxy_on_vm_start", id, 0) === 0) return undefined;
      return this.#call("proxy_on_configure", id, configuration.length) === 0 ? undefined : id;
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      return undefined;
    } finally {
      this.configuration = undefined;
    }
  }

  /** @returns the action that `proxy_on_request_headers` asked for
   *  @throws WebAssembly.RuntimeError on a trap */
  request(rootId: number, stream: Stream): number {
    const id = this.#nextId++;
    this.#call("proxy_on_context_create", id, rootId);
    this.stream = stream;
    try {
      return this.#call("proxy_on_request_headers", id, stream.headers.length, 1);
    } finally {
      this.stream = undefined;
      if (!this.hasTrapped) this.#call("proxy_on_delete", id);
    }
  }

  /** What a host that has lost count would do. */
  requestWithoutContext(id: number, stream: Stream): number {
    this.stream = stream;
    try {
      return this.#call("proxy_on_request_headers", id, stream.headers.length, 1);
    } finally {
      this.stream = undefined;
    }
  }

  /** Any callback, in any order. */
  callback(name: string, ...args: number[]): number {
    return this.#call(name, ...args);
  }

  tick(): void {
    for (const rootId of this.tickPeriodsMs.keys()) this.tickRoot(rootId);
  }

  tickRoot(rootId: number): void {
    this.#call("proxy_on_tick", rootId);
  }

  deleteContext(id: number): void {
    this.tickPeriodsMs.delete(id);
    if (!this.hasTrapped) this.#call("proxy_on_delete", id);
  }

  setTickPeriod(periodMs: number): void {
    this.tickPeriodsMs.set(this.#currentRoot, periodMs);
  }

  view(): DataView {
    return new DataView(this.memory.buffer);
  }

  bytes(ptr: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, ptr >>> 0, length);
  }

  text(ptr: number, length: number): string {
    return new TextDecoder().decode(this.bytes(ptr, length));
  }

  /** Hands bytes to the module in a buffer that it allocates. */
  give(value: string | Uint8Array, out: number, outLength: number): number {
    const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
    const ptr = this.#call("malloc", bytes.length) >>> 0;
    if (ptr === 0) return Status.invalidMemoryAccess;
    this.bytes(ptr, bytes.length).set(bytes);
    this.view().setUint32(out, ptr, true);
    this.view().setUint32(outLength, bytes.length, true);
    return Status.ok;
  }

  /** Real time since the callback in progress began; between callbacks the emulated clock stands still. */
  elapsedNs(): bigint {
    return this.process.timerNs() - this.#enteredAt;
  }

  #link(module: WebAssembly.Module, functions: HostFunctions): WebAssembly.Instance["exports"] {
    for (const { module: from, name } of WebAssembly.Module.imports(module))
      if (!functions[from]?.[name]) throw new LoadRefusal(`missing import: ${from}.${name}`);
    return new WebAssembly.Instance(module, functions).exports;
  }

  #call(name: string, ...args: number[]): number {
    if (this.hasTrapped) throw new Error(`${name} is called in a VM that has trapped`);
    const callback = this.#exports[name];
    if (typeof callback !== "function") throw new LoadRefusal(`missing export: ${name}`);
    if (this.#depth++ === 0) this.#enteredAt = this.process.timerNs();
    try {
      return Number(Reflect.apply(callback as Callback, undefined, args));
    } catch (error) {
      this.hasTrapped = error instanceof WebAssembly.RuntimeError;
      throw error;
    } finally {
      this.#depth--;
    }
  }
}
