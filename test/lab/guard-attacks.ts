/** What somebody who can write any object, or is istiod, tries so that the owner's policies are not asked. */
import type { Clause } from "../../xds-proxy/src/guard/clauses.ts";

/** Which of Istio's proxies it is, in the words of EnvoyFilters. */
export type Context = "SIDECAR_INBOUND" | "GATEWAY";

export interface Place {
  readonly context: Context;
  readonly namespace: string;
  /** Of the workload, and of the objects that the lab has made for it. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Address and port where requests go in, and the port of the application. */
  readonly address: string;
  readonly port: number;
  readonly appPort: number;
}

export type Objects = readonly Readonly<Record<string, unknown>>[];

export interface Attack {
  readonly what: string;
  readonly clause: Clause | "removed" | "PAYLOAD";
  /** Where it shows: the listener, the routes, the extension configuration. */
  readonly type: "LDS" | "RDS" | "ECDS" | "CDS";
  /** Objects that are added, or take the place of others; the given plugin is the one in force. */
  readonly objects: (place: Place, plugin: Readonly<Record<string, unknown>>) => Objects;
  /** Of objects that are deleted. */
  readonly deletes?: readonly string[];
  /** Where nothing is left to route to, what the owner allows is answered with 404 instead of 200. */
  readonly leavesNothing?: boolean;
  /** Added to the mesh configuration. */
  readonly mesh?: Readonly<Record<string, unknown>>;
}

const HCM = "envoy.filters.network.http_connection_manager";

const EVERYWHERE: readonly Attack[] = [
  {
    ...{ what: "deletes the WasmPlugin", clause: "filter-missing", type: "LDS" },
    objects: () => [],
    deletes: ["wasmplugin/wpgate"],
  },
  {
    ...{ what: "removes the filter by an EnvoyFilter", clause: "filter-missing", type: "LDS" },
    objects: (place) => [
      envoyFilter(place, {
        ...{ applyTo: "HTTP_FILTER", match: inChain(place, { name: filterName(place) }) },
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

/** Routes of sidecars are in the listener. */
const ON_SIDECARS: readonly Attack[] = [
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
  turnsOffOnRoute("LDS"),
];

/** Routes of gateways come by RDS. */
const ON_GATEWAYS: readonly Attack[] = [
  {
    ...{ what: "makes the port a TCP port", clause: "plain-tcp", type: "LDS", leavesNothing: true },
    objects: (place) => [
      gateway(place, { number: place.port, name: "tcp-orders", protocol: "TCP" }),
      virtualService(place, { tcp: [{ route: destination(place) }] }),
    ],
  },
  {
    ...{ what: "moves the gateway to another port", clause: "removed", type: "LDS", leavesNothing: true },
    objects: (place) => [gateway(place, { number: place.port + 1, name: "http", protocol: "HTTP" })],
  },
  {
    ...{ what: "gives the application another path than was judged", clause: "rewrite", type: "RDS" },
    objects: (place) => [
      virtualService(place, { http: [{ rewrite: { uri: "/customers" }, route: destination(place) }] }),
    ],
  },
  turnsOffOnRoute("RDS"),
];

export function attacksOn(context: Context): readonly Attack[] {
  return [...EVERYWHERE, ...(context === "GATEWAY" ? ON_GATEWAYS : ON_SIDECARS)];
}

function turnsOffOnRoute(type: Attack["type"]): Attack {
  return {
    ...{ what: "turns the filter off on a route", clause: "route-bypass", type },
    objects: (place) => [
      envoyFilter(place, {
        ...{ applyTo: "VIRTUAL_HOST", match: { context: place.context } },
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
  };
}

function filterName({ namespace }: Place): string {
  return `extensions.istio.io/trafficextension/${namespace}.wpgate~istio-translated-wasmplugin`;
}

function inChain({ context }: Place, subFilter?: { readonly name: string }): unknown {
  const filter = { name: HCM, ...(subFilter && { subFilter }) };
  return { context, listener: { filterChain: { filter } } };
}

function insertFirst(place: Place, value: unknown): Objects[number] {
  return envoyFilter(place, {
    ...{ applyTo: "HTTP_FILTER", match: inChain(place) },
    patch: { operation: "INSERT_FIRST", value },
  });
}

function mergeHcm(place: Place, config: object): Objects[number] {
  const type = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
  return envoyFilter(place, {
    ...{ applyTo: "NETWORK_FILTER", match: inChain(place) },
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

function sidecar({ namespace, name, labels }: Place, ports: readonly unknown[]): Objects[number] {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "Sidecar",
    metadata: { name, namespace },
    spec: { workloadSelector: { labels }, ingress: ports, egress: [{ hosts: ["~/*"] }] },
  };
}

function ingress({ address, appPort }: Place, number: number, name: string, protocol: string): unknown {
  return {
    port: { number, name, protocol },
    ...{ bind: address, captureMode: "NONE", defaultEndpoint: `127.0.0.1:${appPort}` },
  };
}

function gateway({ namespace, name, labels, address }: Place, port: unknown): Objects[number] {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "Gateway",
    metadata: { name, namespace },
    spec: { selector: labels, servers: [{ port, bind: address, hosts: ["*"] }] },
  };
}

function virtualService({ namespace, name }: Place, routes: object): Objects[number] {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name, namespace },
    spec: { hosts: ["*"], gateways: [`${namespace}/${name}`], ...routes },
  };
}

/** As the lab's gateway has it. */
function destination({ name }: Place): unknown {
  return [{ destination: { host: `${name}.example`, port: { number: 80 } } }];
}

function edited(plugin: Readonly<Record<string, unknown>>, changes: object): Objects[number] {
  return { ...plugin, spec: { ...(plugin["spec"] as object), ...changes } };
}
