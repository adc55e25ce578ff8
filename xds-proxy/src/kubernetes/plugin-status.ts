/** What a WasmPlugin of wpgate does, for people who watch over it. */
import { isRecord } from "../bytes/record.ts";
import { ConfigError } from "../errors.ts";
import { conditionOf, setStatus, type Condition, type SetStatus, type SetStatusOptions } from "../owner/set-status.ts";
import { readPluginConfig } from "./plugin-config.ts";
import type { LivePlugin, PluginName } from "./wasm-plugins.ts";

export interface PluginStatus extends PluginName {
  /** Labels; absent when it is for all workloads. */
  readonly selector?: Readonly<Record<string, unknown>>;
  /** `SERVER`, `CLIENT`; none means both. */
  readonly modes: readonly string[];
  readonly url: string;
  readonly sha256: string;
  readonly failStrategy: string;
  readonly sets: readonly SetStatus[];
  /** Why it can not be read, where it can not. */
  readonly fault?: string;
}

export type StatusOptions = Omit<SetStatusOptions, "bundle">;

/** @returns undefined when it does not belong to wpgate */
export function pluginStatus(
  { namespace, name, object }: LivePlugin,
  options: StatusOptions,
): PluginStatus | undefined {
  const { selector, match, url, sha256, failStrategy } = asRecord(object["spec"]);
  const { matchLabels } = asRecord(selector);
  const modes: readonly unknown[] = Array.isArray(match) ? match.map((item: unknown) => asRecord(item)["mode"]) : [];
  const base = {
    ...{ namespace, name, modes: modes.filter((mode) => typeof mode === "string") },
    ...(isRecord(matchLabels) && { selector: matchLabels }),
    ...{ url: text(url), sha256: text(sha256), failStrategy: text(failStrategy) },
  };
  try {
    const config = readPluginConfig(object, `${namespace}/${name}`);
    return config && { ...base, sets: config.sets.map((bundle) => setStatus({ ...options, bundle })) };
  } catch (error) {
    if (error instanceof ConfigError) return { ...base, sets: [], fault: error.message };
    throw error;
  }
}

export function pluginCondition({ sets, fault }: PluginStatus): Condition {
  return fault === undefined ? conditionOf(sets.flatMap(({ findings }) => findings)) : "refused";
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}
