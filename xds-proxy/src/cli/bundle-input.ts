/** Bundles as commands read them: files or `-`. */
import { parseBundle, type Bundle } from "../owner/bundle.ts";
import type { CliContext } from "./context.ts";
import { inputName, readTextInput } from "./files.ts";

/** @throws ConfigError */
export async function readBundleInput(context: CliContext, path: string): Promise<Bundle> {
  return parseBundle(await readTextInput(context, path), inputName(path));
}
