/** WasmPlugin objects as people pipe them into commands: YAML or JSON, one or many, lists of them. */
import { isRecord } from "../bytes/record.ts";
import { ParseError } from "../errors.ts";
import { readPluginConfig } from "../kubernetes/plugin-config.ts";
import { API_VERSION, KIND, type PluginName } from "../kubernetes/wasm-plugins.ts";
import { documentsOf, type PluginConfiguration } from "../owner/bundle.ts";
import { summarize } from "../owner/bundle-summary.ts";
import type { CliContext } from "./context.ts";
import { Hinted } from "./failure.ts";
import { inputName, readTextInput } from "./files.ts";

export interface PluginInput extends PluginName {
  /** Only what may be applied: no status, nothing that the server manages, no fresh statements of online signers. */
  readonly object: Readonly<Record<string, unknown>>;
  readonly config: PluginConfiguration;
}

/** @throws ParseError for what is no WasmPlugin of wpgate; ConfigError for what can not be read */
export async function readPluginInputs(
  context: CliContext,
  paths: readonly string[],
  namespace: string,
): Promise<readonly PluginInput[]> {
  const inputs: PluginInput[] = [];
  for (const path of paths) {
    const values = documentsOf(await readTextInput(context, path), inputName(path)).flatMap(itemsOf);
    if (values.length === 0) throw foreign(inputName(path), "holds nothing to apply");
    inputs.push(...values.map((value, index) => pluginInput(value, `${inputName(path)}[${index}]`, namespace)));
  }
  return inputs;
}

/** An empty YAML document is nothing. */
function itemsOf(value: unknown): readonly unknown[] {
  if (value === null) return [];
  return isRecord(value) && Array.isArray(value["items"]) ? value["items"] : [value];
}

function pluginInput(value: unknown, source: string, namespace: string): PluginInput {
  const { apiVersion, kind, metadata, spec } = isRecord(value) ? value : {};
  if (apiVersion !== API_VERSION || kind !== KIND || !isRecord(metadata) || !isRecord(spec))
    throw foreign(source, `is no WasmPlugin (${API_VERSION})`);
  const { name, labels, annotations } = metadata;
  if (typeof name !== "string") throw foreign(source, "has no metadata.name");
  const place = typeof metadata["namespace"] === "string" ? metadata["namespace"] : namespace;
  const config = readPluginConfig({ spec }, source);
  if (config === undefined) throw foreign(source, "carries no bundle of wpgate");
  checkEnvelopes(config, source);
  return {
    ...{ name, namespace: place, config },
    object: {
      ...{ apiVersion, kind },
      metadata: {
        ...{ name, namespace: place },
        ...(labels !== undefined && { labels }),
        ...(annotations !== undefined && { annotations }),
      },
      spec: { ...spec, pluginConfig: withoutFresh(spec["pluginConfig"]) },
    },
  };
}

/** Those are the online signer's, and stay as they are. */
function withoutFresh(pluginConfig: unknown): unknown {
  if (!isRecord(pluginConfig)) return pluginConfig;
  return Object.fromEntries(Object.entries(pluginConfig).filter(([name]) => name !== "fresh"));
}

/** Which versions they claim is what everything else depends on. */
function checkEnvelopes({ sets }: PluginConfiguration, source: string): void {
  try {
    sets.forEach(summarize);
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    throw foreign(source, `carries what is no envelope: ${error.message}`);
  }
}

function foreign(source: string, message: string): Hinted {
  return new Hinted(
    new ParseError("DOCUMENT", `${source} ${message}`),
    "make one with wpgate wasmplugin; for other objects there is kubectl apply --server-side",
  );
}
