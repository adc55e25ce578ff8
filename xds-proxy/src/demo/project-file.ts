/** Files that are shipped beside the code, whether it runs from its sources or from `dist/`. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { InternalError } from "../errors.ts";

/** The absolute path of a file of this package, such as `deploy/envoy/listener.yaml`. */
export function projectFile(path: string): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return join(folder, path);
    if (folder === dirname(folder)) throw new InternalError("the package folder is not above this module");
  }
}
