/** Lets V8 compile WebAssembly as Envoy's does: with the optimising compiler at once. */
import { setFlagsFromString } from "node:v8";
import { runInThisContext } from "node:vm";

const EXPORT = "f";

/** For all modules that this process compiles from now on. Throws when it has no effect. */
export function compileWithoutLiftoff(): void {
  setFlagsFromString("--allow-natives-syntax");
  // The body is parsed when it is first called: the flag stays until then.
  const isLiftoff = runInThisContext("(f) => %IsLiftoffFunction(f)") as (exported: unknown) => boolean;
  // V8 shares the code of modules of the same bytes, so they differ.
  if (!isLiftoff(compiledFunction(1))) throw new Error("V8 does not use Liftoff, or does not tell");
  setFlagsFromString("--no-liftoff");
  if (isLiftoff(compiledFunction(2))) throw new Error("V8 goes on compiling with Liftoff");
  setFlagsFromString("--no-allow-natives-syntax");
}

/** Exported by a module of its own; called once, because V8 compiles functions when they are first called. */
function compiledFunction(result: number): unknown {
  const type = [1, 5, 1, 0x60, 0, 1, 0x7f];
  const functions = [3, 2, 1, 0];
  const exports = [7, 5, 1, 1, EXPORT.charCodeAt(0), 0, 0];
  const code = [10, 6, 1, 4, 0, 0x41, result, 0x0b];
  const bytes = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...type, ...functions, ...exports, ...code]);
  const compiled = new WebAssembly.Instance(new WebAssembly.Module(bytes), {}).exports[EXPORT];
  if (typeof compiled !== "function" || Reflect.apply(compiled, undefined, []) !== result) {
    throw new Error("a module of one function does not run");
  }
  return compiled;
}
