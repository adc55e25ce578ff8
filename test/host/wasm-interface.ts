/** proto/wasm-interface.json: all that the shipped module may ask of its host and offer to it. */
import { readFileSync } from "node:fs";
import { projectFile } from "../../xds-proxy/src/demo/project-file.ts";

interface WasmInterface {
  readonly imports: Readonly<Record<string, readonly string[]>>;
  readonly exports: readonly string[];
}

const { imports, exports } = JSON.parse(
  readFileSync(projectFile("proto/wasm-interface.json"), "utf8"),
) as WasmInterface;

export const LISTED_IMPORTS: readonly { readonly from: string; readonly name: string }[] = Object.entries(
  imports,
).flatMap(([from, names]) => names.map((name) => ({ from, name })));

export const LISTED_EXPORTS: readonly string[] = exports;
