/** What a WasmPlugin carries: the bundles its author applied, and beside them what online signers keep current. */
import { isRecord } from "../bytes/record.ts";
import { parseRoot } from "../envelope/documents.ts";
import { ParseError } from "../errors.ts";
import { readConfiguration, type NamespaceBundle, type PluginConfiguration } from "../owner/bundle.ts";
import { describe } from "../owner/describe.ts";

/**
 * @param object - a WasmPlugin
 * @returns undefined when it does not belong to wpgate
 * @throws ConfigError when it does, and is malformed
 */
export function readPluginConfig(
  object: Readonly<Record<string, unknown>>,
  source: string,
): PluginConfiguration | undefined {
  const pluginConfig = pluginConfigOf(object);
  return pluginConfig?.["wpgate"] === undefined ? undefined : readConfiguration(pluginConfig, source);
}

export function pluginConfigOf(
  object: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> | undefined {
  const spec = object["spec"];
  const pluginConfig = isRecord(spec) ? spec["pluginConfig"] : undefined;
  return isRecord(pluginConfig) ? pluginConfig : undefined;
}

/** As its last root says; undefined where that is none. Nobody has verified it. */
export function claimedNamespace({ roots }: NamespaceBundle): string | undefined {
  try {
    return parseRoot(describe(roots.at(-1) ?? "").data).ns;
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}
