/**
 * The one field of a WasmPlugin that an online signer keeps: `spec.pluginConfig.fresh["<namespace>"]`, with a field manager
 * of its own. Whoever applies the rest of the object neither owns nor overwrites it.
 */
import { isRecord } from "../bytes/record.ts";
import { freshPatch } from "../owner/outer-fresh.ts";
import { readPluginConfig } from "./plugin-config.ts";
import { API_VERSION, KIND, type LivePlugin, type WasmPlugins } from "./wasm-plugins.ts";

export const FRESH_MANAGER = "wpgate-fresh";

export interface FreshField {
  readonly ns: string;
  /** base64url of the envelope. */
  readonly text: string;
}

/** @param live - as it was read: when it has changed since, nothing is done
 *  @throws UpstreamError, `CHANGED` among others */
export async function applyFresh(plugins: WasmPlugins, live: LivePlugin, { ns, text }: FreshField): Promise<void> {
  const { namespace, name, resourceVersion } = live;
  const object = {
    ...{ apiVersion: API_VERSION, kind: KIND, metadata: { namespace, name, resourceVersion } },
    spec: freshPatch({ ...ownStatements(live), [ns]: text }),
  };
  await plugins.apply(live, object, { fieldManager: FRESH_MANAGER, force: true });
}

/** What signers of other namespaces keep under the same manager; what a manager does not give again is removed. */
function ownStatements({ object }: LivePlugin): Readonly<Record<string, string>> {
  const all = readPluginConfig(object, KIND)?.fresh ?? new Map<string, string>();
  return Object.fromEntries([...all].filter(([ns]) => isOwned(object, ns)));
}

/** Whether the server has noted our manager for this namespace's field. */
function isOwned({ metadata }: LivePlugin["object"], ns: string): boolean {
  const managedFields = isRecord(metadata) ? metadata["managedFields"] : undefined;
  if (!Array.isArray(managedFields)) return false;
  return managedFields.some((entry: unknown) => {
    if (!isRecord(entry) || entry["manager"] !== FRESH_MANAGER) return false;
    const path = ["fieldsV1", "f:spec", "f:pluginConfig", "f:fresh"];
    const fields = path.reduce<unknown>((value, key) => (isRecord(value) ? value[key] : undefined), entry);
    return isRecord(fields) && fields[`f:${ns}`] !== undefined;
  });
}
