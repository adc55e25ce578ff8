/** Reads `wpgate.yaml` from an owner's folder. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { ConfigError } from "../errors.ts";
import { parseOwnerConfig, type OwnerConfig } from "./schema.ts";

export const CONFIG_FILE = "wpgate.yaml";

/** @throws ConfigError when the file is missing, is not YAML, or has faults (all of them are listed). */
export function loadOwnerConfig(folder: string): OwnerConfig {
  const path = join(folder, CONFIG_FILE);
  const document = parseDocument(readText(path), { version: "1.2", strict: true });
  const faults = [...document.errors, ...document.warnings].map(({ message }) => ({
    path,
    message: message.split("\n", 1)[0]?.replace(/:$/, "") ?? "not YAML",
  }));
  if (faults.length > 0) throw new ConfigError(faults);
  return parseOwnerConfig(document.toJS({ maxAliasCount: 0 }), path);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new ConfigError([{ path, message: "cannot be read" }], { cause });
  }
}
