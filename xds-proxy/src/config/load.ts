/** Configuration files: `wpgate.yaml` in an owner's folder, and what any other file of one YAML document holds. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseYaml } from "../bytes/yaml.ts";
import { ConfigError } from "../errors.ts";
import { parseOwnerConfig, type OwnerConfig } from "./schema.ts";

export const CONFIG_FILE = "wpgate.yaml";

/** @throws ConfigError when the file is missing, is not YAML, or has faults (all of them are listed). */
export function loadOwnerConfig(folder: string): OwnerConfig {
  const path = join(folder, CONFIG_FILE);
  return parseOwnerConfig(readYamlFile(path), path);
}

/** @throws ConfigError when the file is missing or is not one YAML document */
export function readYamlFile(path: string): unknown {
  const [document, second] = parseYaml(readText(path));
  if (document === undefined || second !== undefined)
    throw new ConfigError([{ path, message: "must be one YAML document" }]);
  if ("value" in document) return document.value;
  throw new ConfigError([{ path: `${path}:${document.fault.line}`, message: document.fault.message }]);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new ConfigError([{ path, message: "cannot be read" }], { cause });
  }
}
