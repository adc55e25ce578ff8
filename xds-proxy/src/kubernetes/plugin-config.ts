/** What a WasmPlugin carries: the bundles its author applied, and beside them what online signers keep current. */
import { isRecord } from "../bytes/record.ts";
import { ParseError } from "../errors.ts";
import { parseBundle, type NamespaceBundle } from "../owner/bundle.ts";
import { describe } from "../owner/describe.ts";
import { laterFresh } from "../owner/later-fresh.ts";

export interface PluginConfig {
  /** Each with the fresh statement that counts. */
  readonly sets: readonly NamespaceBundle[];
  /** By namespace: `pluginConfig.fresh`. */
  readonly fresh: ReadonlyMap<string, string>;
}

/**
 * @param object - a WasmPlugin
 * @returns undefined when it does not belong to wpgate
 * @throws ConfigError when it does, and is malformed
 */
export function readPluginConfig(object: Readonly<Record<string, unknown>>, source: string): PluginConfig | undefined {
  const pluginConfig = pluginConfigOf(object);
  if (pluginConfig?.["wpgate"] === undefined) return undefined;
  const fresh = new Map<string, string>();
  const beside = isRecord(pluginConfig["fresh"]) ? pluginConfig["fresh"] : {};
  for (const [ns, text] of Object.entries(beside)) if (typeof text === "string") fresh.set(ns, text);
  const { sets } = parseBundle(JSON.stringify(pluginConfig), source);
  return { sets: sets.map((set) => withFresh(set, fresh.get(claimedNamespace(set) ?? ""))), fresh };
}

export function pluginConfigOf(
  object: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> | undefined {
  const spec = object["spec"];
  const pluginConfig = isRecord(spec) ? spec["pluginConfig"] : undefined;
  return isRecord(pluginConfig) ? pluginConfig : undefined;
}

/** As its last root claims; undefined where that is no envelope. */
export function claimedNamespace({ roots }: NamespaceBundle): string | undefined {
  try {
    return describe(roots.at(-1) ?? "").claims.ns;
  } catch (error) {
    if (error instanceof ParseError) return undefined;
    throw error;
  }
}

function withFresh(set: NamespaceBundle, beside: string | undefined): NamespaceBundle {
  const fresh = laterFresh(set.fresh, beside);
  return fresh === undefined ? set : { ...set, fresh };
}
