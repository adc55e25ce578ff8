/** WasmPlugin objects of Istio (extensions.istio.io/v1alpha1) in an API server: get, list, server-side apply. */
import { isRecord } from "../bytes/record.ts";
import { UpstreamError } from "../errors.ts";
import type { ApiRequest } from "./api-error.ts";
import type { Cluster } from "./cluster.ts";

export const API_VERSION = "extensions.istio.io/v1alpha1";
export const KIND = "WasmPlugin";
const RESOURCE = { group: "extensions.istio.io", version: "v1alpha1", plural: "wasmplugins" } as const;

const PAGE_SIZE = 50;
/** More pages than any cluster has. */
const PAGES_MAX_COUNT = 1000;

export interface PluginName {
  readonly namespace: string;
  readonly name: string;
}

/** As the server has it. */
export interface LivePlugin extends PluginName {
  readonly resourceVersion: string;
  readonly object: Readonly<Record<string, unknown>>;
}

export interface ApplyOptions {
  readonly fieldManager: string;
  /** Takes over fields of other managers. */
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

export class WasmPlugins {
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** @returns undefined when there is none. @throws UpstreamError */
  async get(plugin: PluginName): Promise<LivePlugin | undefined> {
    try {
      const object = await this.#cluster.call(requestOf("get", plugin), (api, options) =>
        api.getNamespacedCustomObject({ ...RESOURCE, ...plugin }, options),
      );
      return livePlugin(object);
    } catch (error) {
      if (error instanceof UpstreamError && error.code === "NOT_FOUND") return undefined;
      throw error;
    }
  }

  /** @param namespace - all when absent. @throws UpstreamError */
  async list(namespace: string | undefined): Promise<readonly LivePlugin[]> {
    const found: LivePlugin[] = [];
    let next: string | undefined;
    for (let page = 0; page < PAGES_MAX_COUNT; page++) {
      const list = asRecord(await this.#page(namespace, next));
      const { items, metadata } = list;
      if (Array.isArray(items)) found.push(...items.map(livePlugin));
      const token = asRecord(metadata)["continue"];
      if (typeof token !== "string" || token === "") break;
      next = token;
    }
    return found;
  }

  /**
   * Server-side apply: fields that this manager gave before and does not give now are removed, those of others stay.
   * @returns what the server has now, or would have
   * @throws UpstreamError
   */
  async apply(
    plugin: PluginName,
    object: Readonly<Record<string, unknown>>,
    { fieldManager, force = false, dryRun = false }: ApplyOptions,
  ): Promise<LivePlugin> {
    const parameters = {
      ...{ ...RESOURCE, ...plugin, body: object, fieldManager, force, fieldValidation: "Strict" },
      ...(dryRun && { dryRun: "All" }),
    };
    const { PatchStrategy } = await import("@kubernetes/client-node");
    const applied = await this.#cluster.call(
      requestOf("patch", plugin),
      (api, options) => api.patchNamespacedCustomObject(parameters, options),
      PatchStrategy.ServerSideApply,
    );
    return livePlugin(applied);
  }

  async #page(namespace: string | undefined, next: string | undefined): Promise<unknown> {
    const parameters = { ...RESOURCE, limit: PAGE_SIZE, ...(next !== undefined && { _continue: next }) };
    return await this.#cluster.call(requestOf("list", { namespace }), (api, options) =>
      namespace === undefined
        ? api.listCustomObjectForAllNamespaces(parameters, options)
        : api.listNamespacedCustomObject({ ...parameters, namespace }, options),
    );
  }
}

function requestOf(verb: ApiRequest["verb"], place: { namespace: string | undefined; name?: string }): ApiRequest {
  return { verb, resource: RESOURCE.plural, group: RESOURCE.group, ...place };
}

function livePlugin(object: unknown): LivePlugin {
  const record = asRecord(object);
  const { name, namespace, resourceVersion } = asRecord(record["metadata"]);
  if (typeof name !== "string" || typeof namespace !== "string")
    throw new UpstreamError("PROTOCOL", "the API server answers with an object that has no name");
  return {
    name,
    namespace,
    resourceVersion: typeof resourceVersion === "string" ? resourceVersion : "",
    object: record,
  };
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {};
}
