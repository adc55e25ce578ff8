/** Objects to sign, from the paths on the command line: files, folders, `-`. */
import { ConfigError } from "../errors.ts";
import { readObjects, type OwnerObject, type Source } from "../owner/objects.ts";
import type { CliContext } from "./context.ts";
import { Hinted } from "./failure.ts";
import { expandFolders, inputName, readTextInput } from "./files.ts";

/** @throws ConfigError with every fault of every object. */
export async function readObjectInputs(
  context: CliContext,
  paths: readonly string[],
  namespace: string,
): Promise<readonly OwnerObject[]> {
  const sources: Source[] = [];
  for (const path of expandFolders(context, paths))
    sources.push({ name: inputName(path), text: await readTextInput(context, path) });
  const objects = readObjects(sources, namespace);
  if (objects.length === 0)
    throw new Hinted(
      new ConfigError([{ path: paths.join(" "), message: "holds no object" }]),
      "give YAML or JSON files of AuthorizationPolicy, or a folder of them",
    );
  return objects;
}
