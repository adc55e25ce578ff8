/** A real Envoy that gets everything through a proxy: what an origin has to serve for it, and what it says of itself. */
import type { JsonObject } from "@bufbuild/protobuf";
import { findEnvoy } from "../../xds-proxy/src/demo/envoy-binary.ts";
import { startEnvoy, type EnvoyProcess } from "../../xds-proxy/src/demo/envoy-process.ts";
import { bootstrap, cluster, extensionConfig, listener, toAny, TypeUrl } from "../../xds-proxy/src/demo/resources.ts";
import { encodeBundle, type NamespaceBundle } from "../../xds-proxy/src/owner/bundle.ts";
import { makeResource, type Resource } from "../../xds-proxy/src/xds/resource.ts";
import type { Protocol } from "../../xds-proxy/src/xds/type-url.ts";
import { PinnedModule } from "../lab/plugin.ts";
import { Owner } from "../scenarios/owner.ts";
import type { Origin } from "./harness/origin.ts";
import { proxyTrust, type ProxyTrust } from "./harness/proxy-config.ts";
import { NODE } from "./scene.ts";

/** The number of a state, which is in everything that is served for it. */
export interface Served {
  readonly number: number;
  readonly bundles: readonly NamespaceBundle[];
}

export interface EnvoyPlaceOptions {
  readonly protocol: Protocol;
  readonly appPort: number;
  /** Where the listener is, so that another Envoy can take its place. */
  readonly inboundPort: number;
  /** Of the proxy. */
  readonly adsPort: number;
}

/** Everybody lets everything through: what is asked here is only whether it arrives. */
const ANYTHING = { name: "anything", spec: { action: "ALLOW", rules: [{}] } };

export class EnvoyPlace {
  readonly trust: ProxyTrust;
  readonly #owner: Owner;
  readonly #module: PinnedModule;
  readonly #options: EnvoyPlaceOptions;
  #number = 0;

  private constructor(parts: { trust: ProxyTrust; owner: Owner; module: PinnedModule; options: EnvoyPlaceOptions }) {
    this.trust = parts.trust;
    this.#owner = parts.owner;
    this.#module = parts.module;
    this.#options = parts.options;
  }

  static async create(options: EnvoyPlaceOptions): Promise<EnvoyPlace> {
    const owner = await Owner.create({ ns: "team-a" });
    const trust = await proxyTrust(owner);
    const module = await PinnedModule.create(String(trust.files["pin.json"]));
    return new EnvoyPlace({ trust, owner, module, options });
  }

  /** The next state, signed by its owners. */
  async next(): Promise<Served> {
    const number = ++this.#number;
    const content = { policies: [ANYTHING], ver: String(number) };
    // In the order in which the proxy would write them.
    return { number, bundles: [await this.#owner.bundle(content), await this.trust.owner.bundle(content)] };
  }

  serve(origin: Origin, { number, bundles }: Served): void {
    const { appPort } = this.#options;
    const version = String(number);
    origin.serve(
      TypeUrl.cluster,
      [
        resourceOf("app", cluster({ appPort })),
        resourceOf(`c${number}`, { ...cluster({ appPort }), name: `c${number}`, alt_stat_name: `c${number}` }),
      ],
      version,
    );
    origin.serve(TypeUrl.listener, [resourceOf("inbound", this.listener(`inbound_${number}`))], version);
    this.serveStatements(origin, bundles, version);
  }

  serveStatements(origin: Origin, bundles: readonly NamespaceBundle[], version?: string): void {
    const configuration = encodeBundle(bundles);
    const extension = resourceOf("wpgate", extensionConfig({ wasm: this.#module.path, configuration }));
    origin.serve(TypeUrl.extensionConfig, [extension], version);
  }

  /** @param statPrefix - tells one from another */
  listener(statPrefix: string): JsonObject {
    const text = JSON.stringify(listener())
      .replace('"stat_prefix":"inbound"', `"stat_prefix":"${statPrefix}"`)
      .replace('"port_value":"0"', `"port_value":"${this.#options.inboundPort}"`);
    return JSON.parse(text) as JsonObject;
  }

  async envoy(): Promise<EnvoyProcess> {
    const { adsPort, protocol } = this.#options;
    const text = JSON.stringify(bootstrap({ adsPort, namespace: "team-a", app: "shop", nodeId: NODE.id }));
    return await startEnvoy({
      binary: await findEnvoy({ environment: globalThis.process.env }),
      bootstrap: JSON.parse(protocol === "sotw" ? text : text.replace('"api_type":"GRPC"', '"api_type":"DELTA_GRPC"')),
    });
  }

  async remove(): Promise<void> {
    await this.#module.remove();
  }
}

export function resourceOf(name: string, content: JsonObject): Resource {
  const { typeUrl, value } = toAny(content);
  return makeResource({ name, version: "", typeUrl, value });
}

/** Clusters, listeners and extension configurations that are in force, without when and under which version they came. */
export async function dumpOf({ admin }: EnvoyProcess): Promise<string> {
  const { configs } = (await admin.configDump()) as { readonly configs: readonly Dump[] };
  const entries = configs.flatMap((dump) => [
    ...(dump.dynamic_active_clusters ?? []).map(({ cluster: found }) => found),
    ...(dump.dynamic_listeners ?? []).map(({ active_state }) => active_state?.listener),
    ...(dump.ecds_filters ?? []).map(({ ecds_filter }) => ecds_filter),
  ]);
  return [...new Set(entries.map((entry) => JSON.stringify(entry)))].toSorted().join("\n");
}

interface Dump {
  readonly dynamic_active_clusters?: readonly { readonly cluster: unknown }[];
  readonly dynamic_listeners?: readonly { readonly active_state?: { readonly listener: unknown } }[];
  readonly ecds_filters?: readonly { readonly ecds_filter: unknown }[];
}

/** Whether Envoy has all of a state and nothing of another. */
export function isAt(dump: string, { number, bundles }: Served): boolean {
  const clusters = [...dump.matchAll(/"name":"c(\d+)"/g)].map(([, found]) => Number(found));
  return (
    clusters.every((found) => found === number) &&
    clusters.length > 0 &&
    dump.includes(`"stat_prefix":"inbound_${number}"`) &&
    bundles.every(({ set = "?" }) => dump.includes(set))
  );
}
