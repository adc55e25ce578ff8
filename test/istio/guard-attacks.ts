/** What somebody who can write any object, or is istiod, tries so that the owner's policies are not asked. */
import type { Clause } from "../../xds-proxy/src/guard/clauses.ts";

export interface Place {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Address and port of the workload's inbound listener, and the port of its application. */
  readonly address: string;
  readonly port: number;
  readonly appPort: number;
}

export type Objects = readonly Readonly<Record<string, unknown>>[];

export interface Attack {
  readonly what: string;
  readonly clause: Clause | "removed" | "PAYLOAD";
  /** Where it shows: the listener, the extension configuration. */
  readonly type: "LDS" | "ECDS" | "CDS";
  /** Objects that are added, or take the place of others; the given plugin is the one in force. */
  readonly objects: (place: Place, plugin: Readonly<Record<string, unknown>>) => Objects;
  /** Of objects that are deleted. */
  readonly deletes?: readonly string[];
  /** Added to the mesh configuration. */
  readonly mesh?: Readonly<Record<string, unknown>>;
}

const HCM = "envoy.filters.network.http_connection_manager";

export const ATTACKS: readonly Attack[] = [
  {
    ...{ what: "deletes the WasmPlugin", clause: "filter-missing", type: "LDS" },
    objects: () => [],
    deletes: ["wasmplugin/wpgate"],
  },
  {
    ...{ what: "removes the filter by an EnvoyFilter", clause: "filter-missing", type: "LDS" },
    objects: (place) => [
      envoyFilter(place, {
        ...{ applyTo: "HTTP_FILTER", match: inbound({ name: filterName(place) }) },
        patch: { operation: "REMOVE" },
      }),
    ],
  },
  {
    ...{ what: "inserts Lua before the filter", clause: "code", type: "LDS" },
    objects: (place) => [
      insertFirst(place, {
        ...{ name: "envoy.filters.http.lua" },
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
          default_source_code: {
            inline_string: 'function envoy_on_request(h) h:headers():replace(":path", "/orders") end',
          },
        },
      }),
    ],
  },
  {
    ...{ what: "puts a filter that changes headers before it", clause: "filter-order", type: "LDS" },
    objects: (place) => [
      insertFirst(place, {
        name: "envoy.filters.http.header_mutation",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
          mutations: { request_mutations: [{ remove: "x-user" }] },
        },
      }),
    ],
  },
  {
    ...{ what: "removes the belt", clause: "belt", type: "LDS" },
    objects: () => [],
    deletes: ["envoyfilter/wpgate-belt"],
  },
  {
    ...{ what: "makes the port a TCP port", clause: "plain-tcp", type: "LDS" },
    objects: (place) => [sidecar(place, [ingress(place, place.port, "tcp-orders", "TCP")])],
  },
  {
    ...{ what: "opens another port to the same application", clause: "exposure", type: "LDS" },
    objects: (place) => [
      sidecar(place, [ingress(place, place.port, "http", "HTTP"), ingress(place, place.port + 1, "tcp-side", "TCP")]),
    ],
  },
  {
    ...{ what: "fails open, with a module that nobody serves", clause: "failure-policy", type: "ECDS" },
    objects: (_place, plugin) => [edited(plugin, { failStrategy: "FAIL_OPEN", url: "http://127.0.0.1:9/wpgate.wasm" })],
  },
  {
    ...{ what: "names another module", clause: "module", type: "ECDS" },
    objects: (_place, plugin) => [
      edited(plugin, { url: "https://modules.example/other.wasm", sha256: "ab".repeat(32) }),
    ],
  },
  {
    ...{ what: "changes the module's environment", clause: "environment", type: "ECDS" },
    objects: (_place, plugin) => [
      edited(plugin, { vmConfig: { env: [{ name: "WPGATE_RECIPIENT", valueFrom: "INLINE", value: "mine" }] } }),
    ],
  },
  {
    ...{ what: "lets its own issuer make request principals", clause: "jwt", type: "LDS" },
    objects: ({ namespace, labels }) => [
      {
        apiVersion: "security.istio.io/v1",
        kind: "RequestAuthentication",
        metadata: { name: "mine", namespace },
        spec: {
          selector: { matchLabels: labels },
          jwtRules: [{ issuer: "https://evil.example", jwks: '{"keys":[]}' }],
        },
      },
    ],
  },
  {
    ...{ what: "turns path normalisation off", clause: "http", type: "LDS" },
    objects: () => [],
    mesh: { pathNormalization: { normalization: "NONE" } },
  },
  {
    ...{ what: "trusts everybody's X-Forwarded-For", clause: "http", type: "LDS" },
    objects: (place) => [mergeHcm(place, { xff_num_trusted_hops: 7 })],
  },
  {
    ...{ what: "turns the filter off on a route", clause: "route-bypass", type: "LDS" },
    objects: (place) => [
      envoyFilter(place, {
        ...{ applyTo: "VIRTUAL_HOST", match: { context: "SIDECAR_INBOUND" } },
        patch: {
          operation: "MERGE",
          value: {
            typed_per_filter_config: {
              [filterName(place)]: {
                "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig",
                disabled: true,
              },
            },
          },
        },
      }),
    ],
  },
  {
    ...{ what: "gives upgraded requests a chain of their own", clause: "upgrade", type: "LDS" },
    objects: (place) => [
      mergeHcm(place, {
        upgrade_configs: [
          {
            upgrade_type: "websocket",
            filters: [
              {
                name: "envoy.filters.http.router",
                typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
              },
            ],
          },
        ],
      }),
    ],
  },
];

function filterName({ namespace }: Place): string {
  return `extensions.istio.io/trafficextension/${namespace}.wpgate~istio-translated-wasmplugin`;
}

function inbound(subFilter?: { readonly name: string }): unknown {
  const filter = { name: HCM, ...(subFilter && { subFilter }) };
  return { context: "SIDECAR_INBOUND", listener: { filterChain: { filter } } };
}

function insertFirst(place: Place, value: unknown): Objects[number] {
  return envoyFilter(place, {
    ...{ applyTo: "HTTP_FILTER", match: inbound() },
    patch: { operation: "INSERT_FIRST", value },
  });
}

function mergeHcm(place: Place, config: object): Objects[number] {
  const type = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
  return envoyFilter(place, {
    ...{ applyTo: "NETWORK_FILTER", match: inbound() },
    patch: { operation: "MERGE", value: { name: HCM, typed_config: { "@type": type, ...config } } },
  });
}

function envoyFilter({ namespace, labels }: Place, configPatch: unknown): Objects[number] {
  return {
    apiVersion: "networking.istio.io/v1alpha3",
    kind: "EnvoyFilter",
    metadata: { name: "attack", namespace },
    spec: { workloadSelector: { labels }, priority: 100, configPatches: [configPatch] },
  };
}

function sidecar({ namespace, labels }: Place, ports: readonly unknown[]): Objects[number] {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "Sidecar",
    metadata: { name: "shop", namespace },
    spec: { workloadSelector: { labels }, ingress: ports, egress: [{ hosts: ["~/*"] }] },
  };
}

function ingress({ address, appPort }: Place, number: number, name: string, protocol: string): unknown {
  return {
    port: { number, name, protocol },
    ...{ bind: address, captureMode: "NONE", defaultEndpoint: `127.0.0.1:${appPort}` },
  };
}

function edited(plugin: Readonly<Record<string, unknown>>, changes: object): Objects[number] {
  return { ...plugin, spec: { ...(plugin["spec"] as object), ...changes } };
}
