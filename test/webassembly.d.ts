// The part of the WebAssembly JavaScript API that the tests use; Node's types lack it and the DOM library is not wanted.
declare namespace WebAssembly {
  type ImportValue = ((...args: never[]) => unknown) | Memory;
  type ExportValue = ((...args: never[]) => unknown) | Memory | Global;

  class Module {
    constructor(bytes: Uint8Array);
    static exports(module: Module): { name: string; kind: string }[];
    static imports(module: Module): { module: string; name: string; kind: string }[];
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, ImportValue>>);
    readonly exports: Readonly<Record<string, ExportValue | undefined>>;
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class Global {
    value: number | bigint;
  }
  class RuntimeError extends Error {}
}
