/** testable.wasm with all mutants in it; which one lives is set from outside. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { instrument } from "./mutants.ts";
import type { Mutant } from "./mutants.ts";

/** How often mutants may be asked for in one call, before it is one that never ends. */
const FUEL = 20_000_000;
const SWITCH = "filter/assembly/mutant.ts";

/** Named by a variable, because the compiler's own declarations are of AssemblyScript's globals, which are not TypeScript's. */
const COMPILER: string = "assemblyscript/asc";

interface Compiler {
  readonly main: (
    args: readonly string[],
    host: {
      readonly stderr: NodeJS.WritableStream;
      readonly readFile: (name: string) => string | null;
      readonly writeFile: (name: string, contents: Uint8Array | string) => void;
      readonly listFiles: () => readonly string[];
    },
  ) => Promise<{ readonly error: Error | null }>;
}

export interface MutantModule {
  readonly bytes: Uint8Array;
  readonly mutants: readonly Mutant[];
}

export async function compileMutants(root: string, files: readonly string[]): Promise<MutantModule> {
  const replaced = new Map<string, string>();
  const mutants: Mutant[] = [];
  for (const file of files) {
    const made = instrument(file, readFileSync(join(root, file), "utf8"), mutants.length + 1);
    mutants.push(...made.mutants);
    if (made.mutants.length > 0) replaced.set(file, `${made.text}\nimport { mutant } from "../mutant";\n`);
  }
  replaced.set(SWITCH, switchSource(mutants.length));
  const entry = "filter/assembly/testable.ts";
  replaced.set(
    entry,
    `${readFileSync(join(root, entry), "utf8")}\nexport { setMutant, wasReached } from "./mutant";\n`,
  );
  return { bytes: await compile(root, entry, replaced), mutants };
}

function switchSource(count: number): string {
  return `let living: i32 = 0;
let fuel: i32 = 0;
const reached: usize = memory.data(${count + 8});
export function mutant(id: i32): bool {
  store<u8>(reached + id, 1);
  if (++fuel > ${FUEL}) unreachable();
  return living == id;
}
/** Also forgets which ones were reached. */
export function setMutant(id: i32): void {
  living = id;
  fuel = 0;
  memory.fill(reached, 0, ${count + 8});
}
export function wasReached(id: i32): bool {
  return load<u8>(reached + id) != 0;
}
`;
}

async function compile(root: string, entry: string, replaced: ReadonlyMap<string, string>): Promise<Uint8Array> {
  const asc = (await import(COMPILER)) as Compiler;
  let bytes: Uint8Array | undefined;
  const options = [
    "--optimizeLevel",
    "2",
    "--runtime",
    "incremental",
    "--exportRuntime",
    "--exportStart",
    "_initialize",
  ];
  const features = ["--enable", "simd", "--use", "abort=filter/assembly/abi/abort/abort"];
  const { error } = await asc.main([entry, ...options, ...features, "--outFile", "mutants.wasm"], {
    stderr: process.stderr,
    readFile: (name) => {
      const known = replaced.get(name);
      if (known !== undefined) return known;
      try {
        return readFileSync(join(root, name), "utf8");
      } catch {
        return null;
      }
    },
    writeFile: (_, contents) => {
      if (typeof contents !== "string") bytes = contents;
    },
    listFiles: () => [],
  });
  if (error || !bytes) throw new Error(`the mutants do not compile: ${error?.message ?? ""}`);
  return bytes;
}
