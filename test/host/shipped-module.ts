/** The module that users get, as it was compiled. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export function shippedModule(): Uint8Array {
  const file =
    process.env["WPGATE_MODULE"] ?? fileURLToPath(new URL("../../filter/build/wpgate.wasm", import.meta.url));
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new Error(`cannot load ${file}: build it with node tools/prepare.mjs`, { cause });
  }
}
