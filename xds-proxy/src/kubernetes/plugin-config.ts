/** What a WasmPlugin carries: the bundles its author applied, and beside them what online signers keep current. */
import { isRecord } from "../bytes/record.ts";
import { readConfiguration, type PluginConfiguration } from "../owner/bundle.ts";

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
