/** Wasm filters of a few lines, compiled for one test each: what other people's, or broken, filters do in Envoy. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../xds-proxy/src/demo/child-output.ts";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";

const PRELUDE = `
@external("env", "proxy_set_property") declare function setProperty(p: usize, n: usize, v: usize, m: usize): i32;
@external("env", "proxy_get_shared_data")
declare function getSharedData(p: usize, n: usize, v: usize, m: usize, cas: usize): i32;
@external("env", "proxy_set_shared_data") declare function setSharedData(p: usize, n: usize, v: usize, m: usize, cas: u32): i32;
const KEY = memory.data<u8>([0x6f, 0x6b]); // ok
const ONE = memory.data<u8>([0x31]); // 1
const OUT = memory.data(16);
export function proxy_abi_version_0_2_1(): void {}
export function malloc(size: i32): usize { return heap.alloc(size); }
`;

export interface TinyModule {
  readonly file: string;
  readonly remove: () => Promise<void>;
}

/** `body` is AssemblyScript that the prelude above stands before. */
export async function compileTiny(body: string): Promise<TinyModule> {
  const folder = await mkdtemp(join(tmpdir(), "wpgate-tiny-"));
  await writeFile(join(folder, "tiny.ts"), PRELUDE + body);
  const file = join(folder, "tiny.wasm");
  const args = ["tiny.ts", "--baseDir", folder, "-o", "tiny.wasm", "-O", "--runtime", "stub", "--use", "abort="];
  const output = await run({
    file: projectFile("node_modules/.bin/asc"),
    args: [...args, "--exportStart", "_initialize"],
    environment: process.env,
  });
  if (output?.exitCode !== 0) throw new Error(`the module does not compile: ${output?.stderr ?? "no asc"}`);
  return {
    file,
    remove: async () => {
      await rm(folder, { recursive: true, force: true });
    },
  };
}
