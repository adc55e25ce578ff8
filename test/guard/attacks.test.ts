/**
 * What somebody who owns istiod can do to a protected port, one attack after the other on what a real istiod sent: each is
 * found, under the clause that it breaks, and each clause is broken by one.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { utf8 } from "../../xds-proxy/src/bytes/octets.ts";
import {
  ClusterSchema,
  Cluster_DiscoveryType,
} from "../../xds-proxy/src/gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { TypedExtensionConfigSchema } from "../../xds-proxy/src/gen/proto/envoy/config/core/v3/extension_pb.js";
import { ClusterLoadAssignmentSchema } from "../../xds-proxy/src/gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { FilterConfigSchema } from "../../xds-proxy/src/gen/proto/envoy/config/route/v3/route_components_pb.js";
import { RouteConfigurationSchema } from "../../xds-proxy/src/gen/proto/envoy/config/route/v3/route_pb.js";
import { JwtAuthenticationSchema } from "../../xds-proxy/src/gen/proto/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js";
import { RBACSchema } from "../../xds-proxy/src/gen/proto/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";
import { ConfigSchema as SetFilterStateSchema } from "../../xds-proxy/src/gen/proto/envoy/extensions/filters/http/set_filter_state/v3/set_filter_state_pb.js";
import {
  HttpFilterSchema,
  type HttpConnectionManager,
} from "../../xds-proxy/src/gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { TcpProxySchema } from "../../xds-proxy/src/gen/proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { DownstreamTlsContextSchema } from "../../xds-proxy/src/gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { FailurePolicy } from "../../xds-proxy/src/gen/proto/envoy/extensions/wasm/v3/wasm_pb.js";
import { TypedStructSchema } from "../../xds-proxy/src/gen/proto/xds/type/v3/typed_struct_pb.js";
import {
  checkCluster,
  checkEndpoints,
  checkExtension,
  checkListener,
  checkRoutes,
  isProtected,
} from "../../xds-proxy/src/guard/check.ts";
import { sha256Hex } from "../../xds-proxy/src/guard/code.ts";
import { CLAUSES, type Clause } from "../../xds-proxy/src/guard/clauses.ts";
import { clusterView } from "../../xds-proxy/src/guard/cluster-view.ts";
import { defaultExtension } from "../../xds-proxy/src/guard/parse.ts";
import type { GuardFinding } from "../../xds-proxy/src/guard/types.ts";
import { readCaptured } from "./captured.ts";
import {
  any,
  edited,
  editCluster,
  editListener,
  editManagers,
  editWasm,
  firstAction,
  firstRoute,
  httpFilter,
  routesOf,
  servesPort,
} from "./edit.ts";
import { guardOf, KEPT } from "./guards.ts";

const REDIRECT = readCaptured("sidecar-redirect");
const STRICT = readCaptured("sidecar-strict");
const NONE = readCaptured("sidecar-none");
const GATEWAY = readCaptured("gateway");
const LUA = "envoy.extensions.filters.http.lua.v3.Lua";
const LUA_CONFIG = utf8("\n\u0000");
const OWN = defaultExtension("team-a");
const guards = [guardOf("team-a")];
const inbound = named(REDIRECT.listeners, "virtualInbound");

interface Attack {
  readonly what: string;
  readonly clause: Clause;
  readonly findings: () => readonly GuardFinding[];
}

function named(listeners: readonly Uint8Array[], name: string): Uint8Array {
  const found = listeners.find((value) => Buffer.from(value).includes(name));
  if (found === undefined) throw new Error(`no listener ${name}`);
  return found;
}

/** On the chains that serve port 8080 of a sidecar. */
function onManager(what: string, clause: Clause, edit: (manager: HttpConnectionManager) => void): Attack {
  const findings = (): readonly GuardFinding[] =>
    checkListener(editManagers(inbound, servesPort(8080), edit), guards, REDIRECT.view);
  return { what, clause, findings };
}

function onListener(what: string, clause: Clause, edit: Parameters<typeof editListener>[1]): Attack {
  return { what, clause, findings: () => checkListener(editListener(inbound, edit), guards, REDIRECT.view) };
}

function onExtension(what: string, clause: Clause, edit: Parameters<typeof editWasm>[1]): Attack {
  const [value = new Uint8Array()] = REDIRECT.extensions;
  return { what, clause, findings: () => checkExtension(editWasm(value, edit), guards) };
}

function indexOfOwn(manager: HttpConnectionManager): number {
  return manager.httpFilters.findIndex(({ name }) => name === OWN);
}

function ownFilter(manager: HttpConnectionManager): HttpConnectionManager["httpFilters"][number] {
  return manager.httpFilters[indexOfOwn(manager)] ?? create(HttpFilterSchema);
}

function lua(): ReturnType<typeof httpFilter> {
  return httpFilter("lua", any(LUA, LUA_CONFIG));
}

function editJwt(manager: HttpConnectionManager, edit: (jwt: ReturnType<typeof jwtOf>) => void): void {
  for (const filter of manager.httpFilters) {
    if (filter.name !== "envoy.filters.http.jwt_authn" || filter.configType.case !== "typedConfig") continue;
    filter.configType.value.value = edited(JwtAuthenticationSchema, filter.configType.value.value, edit);
  }
}

const jwtOf = (value: Uint8Array): ReturnType<typeof fromBinary<typeof JwtAuthenticationSchema>> =>
  fromBinary(JwtAuthenticationSchema, value);

function discovery(
  manager: HttpConnectionManager,
): Extract<HttpConnectionManager["httpFilters"][number]["configType"], { case: "configDiscovery" }>["value"] {
  const { configType } = ownFilter(manager);
  if (configType.case !== "configDiscovery") throw new Error("not by ECDS");
  return configType.value;
}

function staticCluster(name: string, address: string, port: number): Uint8Array {
  return toBinary(
    ClusterSchema,
    create(ClusterSchema, {
      name,
      clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
      loadAssignment: assignment(name, address, port),
    }),
  );
}

function assignment(
  clusterName: string,
  address: string,
  port: number,
): ReturnType<typeof create<typeof ClusterLoadAssignmentSchema>> {
  return create(ClusterLoadAssignmentSchema, {
    clusterName,
    endpoints: [
      {
        lbEndpoints: [
          {
            hostIdentifier: {
              case: "endpoint",
              value: {
                address: {
                  address: {
                    case: "socketAddress",
                    value: { address, portSpecifier: { case: "portValue", value: port } },
                  },
                },
              },
            },
          },
        ],
      },
    ],
  });
}

function tcpListener(edit: Parameters<typeof editListener>[1], cluster: string): Uint8Array {
  return editListener(inbound, (listener) => {
    listener.name = "other";
    listener.listenerFilters = [];
    const { address } = listener;
    if (address?.address.case === "socketAddress")
      address.address.value.portSpecifier = { case: "portValue", value: 9999 };
    const tcp = create(TcpProxySchema, { statPrefix: "x", clusterSpecifier: { case: "cluster", value: cluster } });
    const [chain] = listener.filterChains;
    if (chain === undefined) throw new Error("no chain");
    delete chain.filterChainMatch;
    chain.filters = chain.filters.slice(0, 1);
    for (const filter of chain.filters)
      filter.configType = { case: "typedConfig", value: anyPack(TcpProxySchema, tcp) };
    listener.filterChains = [chain];
    edit(listener);
  });
}

const nothing = (): void => undefined;
const bypass = anyPack(FilterConfigSchema, create(FilterConfigSchema, { disabled: true }));

const ATTACKS: readonly Attack[] = [
  {
    what: "bytes that are no listener",
    clause: "undecodable",
    findings: () => checkListener(utf8("\u00ffno"), guards, REDIRECT.view),
  },
  onManager("a filter that is no message", "undecodable", (manager) => {
    manager.httpFilters.unshift(httpFilter("envoy.filters.http.rbac", any(RBACSchema.typeName, utf8("\n\u0009"))));
  }),
  onManager("a type that nobody knows", "unknown-type", (manager) => {
    manager.httpFilters.splice(-1, 0, httpFilter("new", any("envoy.extensions.filters.http.new.v3.New")));
  }),
  onListener("an unknown type in the access log of the listener", "unknown-type", (listener) => {
    for (const log of listener.accessLog)
      log.configType = { case: "typedConfig", value: any("envoy.access_loggers.New") };
  }),
  onManager("a filter without a type", "unknown-type", (manager) => {
    manager.httpFilters.splice(-1, 0, httpFilter("envoy.filters.http.lua", any("")));
  }),
  onManager("a field that is newer than this program", "unknown-field", (manager) => {
    manager.$unknown = [{ no: 999, wireType: 0, data: Uint8Array.of(1) }];
  }),
  onListener("the Service's port renamed to tcp-…", "plain-tcp", (listener) => {
    for (const chain of listener.filterChains.filter(servesPort(8080)))
      chain.filters = listener.filterChains.find(servesPort(9000))?.filters ?? [];
  }),
  onListener("the Service's port left out, so that the catch-all serves it", "plain-tcp", (listener) => {
    listener.filterChains = listener.filterChains.filter((chain) => !servesPort(8080)(chain));
  }),
  onListener("a default chain that takes what nothing matches", "plain-tcp", (listener) => {
    const tcp = listener.filterChains.find(servesPort(9000));
    if (tcp) listener.defaultFilterChain = tcp;
  }),
  {
    what: "plain text where certificates are demanded",
    clause: "tls",
    findings: () => {
      const weaker = editListener(named(STRICT.listeners, "virtualInbound"), (listener) => {
        for (const chain of listener.filterChains) delete chain.transportSocket;
      });
      return checkListener(weaker, [KEPT["sidecar-strict"] ?? guardOf("team-b")], STRICT.view);
    },
  },
  {
    what: "clients without certificates",
    clause: "tls",
    findings: () => {
      const weaker = editListener(named(STRICT.listeners, "virtualInbound"), (listener) => {
        for (const { transportSocket } of listener.filterChains)
          if (transportSocket?.configType.case === "typedConfig")
            transportSocket.configType.value.value = edited(
              DownstreamTlsContextSchema,
              transportSocket.configType.value.value,
              (tls) => {
                tls.requireClientCertificate = false;
              },
            );
      });
      return checkListener(weaker, [KEPT["sidecar-strict"] ?? guardOf("team-b")], STRICT.view);
    },
  },
  {
    what: "another authority for client certificates",
    clause: "tls",
    findings: () => {
      const weaker = editListener(named(STRICT.listeners, "virtualInbound"), (listener) => {
        for (const { transportSocket } of listener.filterChains)
          if (transportSocket?.configType.case === "typedConfig")
            transportSocket.configType.value.value = edited(
              DownstreamTlsContextSchema,
              transportSocket.configType.value.value,
              (tls) => {
                const type = tls.commonTlsContext?.validationContextType;
                if (type?.case === "combinedValidationContext") {
                  const secret = type.value.validationContextSdsSecretConfig;
                  if (secret) secret.name = "kubernetes://mine-cacert";
                }
              },
            );
      });
      return checkListener(weaker, [KEPT["sidecar-strict"] ?? guardOf("team-b")], STRICT.view);
    },
  },
  onManager("the WasmPlugin deleted", "filter-missing", (manager) => {
    manager.httpFilters.splice(indexOfOwn(manager), 1);
  }),
  onManager("the filter twice", "filter-missing", (manager) => {
    manager.httpFilters.splice(indexOfOwn(manager), 0, ownFilter(manager));
  }),
  onManager("the filter disabled", "filter-source", (manager) => {
    ownFilter(manager).disabled = true;
  }),
  onManager("the filter optional", "filter-source", (manager) => {
    ownFilter(manager).isOptional = true;
  }),
  onManager("the filter configured in place", "filter-source", (manager) => {
    ownFilter(manager).configType = {
      case: "typedConfig",
      value: any("envoy.extensions.filters.http.grpc_stats.v3.FilterConfig"),
    };
  }),
  onManager("a default until the filter is there", "filter-source", (manager) => {
    discovery(manager).defaultConfig = any("envoy.extensions.filters.http.cors.v3.Cors");
  }),
  onManager("requests before the filter is there", "filter-source", (manager) => {
    discovery(manager).applyDefaultConfigWithoutWarming = true;
  }),
  onManager("the filter from a file", "filter-source", (manager) => {
    const source = discovery(manager).configSource;
    if (source) source.configSourceSpecifier = { case: "path", value: "/tmp/filter" };
  }),
  onManager("another type in place of the filter", "filter-source", (manager) => {
    discovery(manager).typeUrls.push("type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors");
  }),
  {
    what: "another filter under its name",
    clause: "filter-source",
    findings: () => {
      const other = create(TypedExtensionConfigSchema, {
        name: OWN,
        typedConfig: any("envoy.extensions.filters.http.cors.v3.Cors"),
      });
      return checkExtension(toBinary(TypedExtensionConfigSchema, other), guards);
    },
  },
  onManager("a filter before it that changes headers", "filter-order", (manager) => {
    manager.httpFilters.unshift(
      httpFilter("early", any("envoy.extensions.filters.http.header_mutation.v3.HeaderMutation")),
    );
  }),
  onManager("a fault before it", "filter-order", (manager) => {
    manager.httpFilters.unshift(httpFilter("fault", any("envoy.extensions.filters.http.fault.v3.HTTPFault")));
  }),
  onManager("the router before it", "filter-order", (manager) => {
    const router = manager.httpFilters.pop();
    if (router) manager.httpFilters.unshift(router);
  }),
  onManager("the belt gone", "belt", (manager) => {
    manager.httpFilters = manager.httpFilters.filter(({ name }) => name !== "wpgate-belt");
  }),
  onManager("the belt before the filter", "belt", (manager) => {
    const at = manager.httpFilters.findIndex(({ name }) => name === "wpgate-belt");
    manager.httpFilters.unshift(...manager.httpFilters.splice(at, 1));
  }),
  onManager("a belt that lets everything through", "belt", (manager) => {
    const belt = manager.httpFilters.find(({ name }) => name === "wpgate-belt");
    if (belt?.configType.case === "typedConfig") belt.configType.value = anyPack(RBACSchema, create(RBACSchema));
  }),
  onManager("the filter's mark forged", "belt", (manager) => {
    const config = create(SetFilterStateSchema, {
      onRequestHeaders: [{ key: { case: "objectKey", value: "wasm.ok" } }],
    });
    manager.httpFilters.splice(-1, 0, httpFilter("mark", anyPack(SetFilterStateSchema, config)));
  }),
  onExtension("another module", "module", ({ config }) => {
    if (config?.vm.case === "vmConfig" && config.vm.value.code?.specifier.case === "remote")
      config.vm.value.code.specifier.value.sha256 = "0".repeat(64);
  }),
  onExtension("a module without a digest", "module", ({ config }) => {
    if (config?.vm.case === "vmConfig" && config.vm.value.code)
      config.vm.value.code.specifier = {
        case: "local",
        value: { $typeName: "envoy.config.core.v3.DataSource", specifier: { case: "filename", value: "/tmp/x" } },
      };
  }),
  onExtension("a module inside", "module", ({ config }) => {
    if (config?.vm.case === "vmConfig" && config.vm.value.code)
      config.vm.value.code.specifier = {
        case: "local",
        value: { $typeName: "envoy.config.core.v3.DataSource", specifier: { case: "inlineBytes", value: utf8("x") } },
      };
  }),
  onExtension("another environment", "environment", ({ config }) => {
    if (config?.vm.case === "vmConfig")
      config.vm.value.environmentVariables = {
        $typeName: "envoy.extensions.wasm.v3.EnvironmentVariables",
        hostEnvKeys: [],
        keyValues: { WPGATE_RECIPIENT: "mine" },
      };
  }),
  onExtension("FAIL_OPEN", "failure-policy", ({ config }) => {
    if (config) config.failurePolicy = FailurePolicy.FAIL_OPEN;
  }),
  onExtension("fail_open", "failure-policy", ({ config }) => {
    if (config) config.failOpen = true;
  }),
  onExtension("a shared VM", "sandbox", ({ config }) => {
    if (config?.vm.case === "vmConfig") config.vm.value.vmId = "shared";
  }),
  onExtension("calls taken away from the module", "sandbox", ({ config }) => {
    if (config)
      config.capabilityRestrictionConfig = {
        $typeName: "envoy.extensions.wasm.v3.CapabilityRestrictionConfig",
        allowedCapabilities: { proxy_log: { $typeName: "envoy.extensions.wasm.v3.SanitizationConfig" } },
      };
  }),
  onExtension("another root context", "sandbox", ({ config }) => {
    if (config) config.rootId = "other";
  }),
  onManager("Lua behind the filter", "code", (manager) => {
    manager.httpFilters.splice(-1, 0, lua());
  }),
  onManager("Lua in a TypedStruct", "code", (manager) => {
    const struct = anyPack(
      TypedStructSchema,
      create(TypedStructSchema, { typeUrl: `type.googleapis.com/${LUA}`, value: { inline_code: "x" } }),
    );
    manager.httpFilters.splice(-1, 0, httpFilter("lua", struct));
  }),
  onManager("another filter by ECDS", "code", (manager) => {
    manager.httpFilters.splice(-1, 0, { ...structuredClone(ownFilter(manager)), name: "extensions.istio.io/other" });
  }),
  onListener("a network filter of Wasm on another port", "code", (listener) => {
    const filters = listener.filterChains.find(servesPort(9000))?.filters ?? [];
    for (const filter of filters.slice(0, 1))
      filter.configType = { case: "typedConfig", value: any("envoy.extensions.filters.network.wasm.v3.Wasm") };
  }),
  {
    what: "Lua on what the workload sends",
    clause: "code",
    findings: () => {
      const outbound = editManagers(
        named(REDIRECT.listeners, "0.0.0.0_80"),
        () => true,
        (manager) => {
          manager.httpFilters.unshift(lua());
        },
      );
      return checkListener(outbound, guards, REDIRECT.view);
    },
  },
  {
    what: "Lua of a route",
    clause: "code",
    findings: () => {
      const [value = new Uint8Array()] = REDIRECT.routes;
      const forged = edited(RouteConfigurationSchema, value, (routes) => {
        routes.typedPerFilterConfig = { other: any("envoy.extensions.filters.http.lua.v3.LuaPerRoute") };
      });
      return checkRoutes(forged, guards, REDIRECT.view);
    },
  },
  {
    what: "other code by ECDS",
    clause: "code",
    findings: () =>
      checkExtension(
        toBinary(
          TypedExtensionConfigSchema,
          create(TypedExtensionConfigSchema, { name: "other", typedConfig: any(LUA) }),
        ),
        guards,
      ),
  },
  onManager("keys of somebody else", "jwt", (manager) => {
    editJwt(manager, ({ providers }) => {
      for (const provider of Object.values(providers))
        provider.jwksSourceSpecifier = {
          case: "localJwks",
          value: {
            $typeName: "envoy.config.core.v3.DataSource",
            specifier: { case: "inlineString", value: '{"keys":[]}' },
          },
        };
    });
  }),
  onManager("another issuer", "jwt", (manager) => {
    editJwt(manager, ({ providers }) => {
      for (const provider of Object.values(providers)) provider.issuer = "";
    });
  }),
  onManager("claims written to headers", "jwt", (manager) => {
    editJwt(manager, ({ providers }) => {
      for (const provider of Object.values(providers)) provider.forwardPayloadHeader = "x-user";
    });
  }),
  onManager("path normalisation off", "http", (manager) => {
    manager.normalizePath = false;
  }),
  onManager("XFF believed", "http", (manager) => {
    manager.xffNumTrustedHops = 1;
  }),
  onManager("certificates of clients forwarded as they claim", "http", (manager) => {
    manager.forwardClientCertDetails = 4;
  }),
  onManager("another source of addresses", "http-extension", (manager) => {
    manager.originalIpDetectionExtensions = [
      create(TypedExtensionConfigSchema, { name: "xff", typedConfig: any("x") }),
    ];
  }),
  onManager("early changes of headers", "http-extension", (manager) => {
    manager.earlyHeaderMutationExtensions = [
      create(TypedExtensionConfigSchema, { name: "early", typedConfig: any("x") }),
    ];
  }),
  onManager("filters of its own for an upgrade", "upgrade", (manager) => {
    for (const upgrade of manager.upgradeConfigs) upgrade.filters = manager.httpFilters.slice(-1);
  }),
  onManager("CONNECT", "upgrade", (manager) => {
    for (const upgrade of manager.upgradeConfigs) upgrade.upgradeType = "CONNECT";
  }),
  onManager("routes by RDS", "route-source", (manager) => {
    manager.routeSpecifier = {
      case: "rds",
      value: { $typeName: "envoy.extensions.filters.network.http_connection_manager.v3.Rds", routeConfigName: "80" },
    };
  }),
  onManager("no routes", "route-source", (manager) => {
    manager.routeSpecifier = { case: undefined };
  }),
  onManager("the filter turned off by a route", "route-bypass", (manager) => {
    firstRoute(routesOf(manager)).typedPerFilterConfig = { [OWN]: bypass };
  }),
  onManager("the belt turned off by a virtual host", "route-bypass", (manager) => {
    for (const host of routesOf(manager).virtualHosts) host.typedPerFilterConfig = { "wpgate-belt": bypass };
  }),
  {
    what: "the filter turned off by RDS",
    clause: "route-bypass",
    findings: () => {
      const [value = new Uint8Array()] = GATEWAY.routes;
      const forged = edited(RouteConfigurationSchema, value, (routes) => {
        routes.typedPerFilterConfig = { [defaultExtension("team-d")]: bypass };
      });
      return checkRoutes(forged, [KEPT["gateway"] ?? guardOf("team-d")], GATEWAY.view);
    },
  },
  onManager("another path for the application", "rewrite", (manager) => {
    firstAction(routesOf(manager)).prefixRewrite = "/admin";
  }),
  onManager("another path by a header", "rewrite", (manager) => {
    routesOf(manager).requestHeadersToAdd = [
      {
        $typeName: "envoy.config.core.v3.HeaderValueOption",
        appendAction: 0,
        keepEmptyValue: false,
        header: {
          $typeName: "envoy.config.core.v3.HeaderValue",
          key: ":path",
          value: "/admin",
          rawValue: new Uint8Array(),
        },
      },
    ];
  }),
  onManager("a filter behind it that changes the path", "rewrite", (manager) => {
    manager.httpFilters.splice(
      -1,
      0,
      httpFilter("late", any("envoy.extensions.filters.http.header_mutation.v3.HeaderMutation")),
    );
  }),
  {
    what: "another listener for the application",
    clause: "exposure",
    findings: () => checkListener(tcpListener(nothing, "inbound|8080||"), guards, REDIRECT.view),
  },
  {
    what: "another cluster for the application",
    clause: "exposure",
    findings: () => checkCluster(staticCluster("other", "127.0.0.1", 8080), guards, REDIRECT.view),
  },
  {
    what: "another cluster for it, in IPv6",
    clause: "exposure",
    findings: () => checkCluster(staticCluster("other", "::ffff:127.0.0.1", 8080), guards, REDIRECT.view),
  },
  {
    what: "another cluster for the application of a Sidecar resource",
    clause: "exposure",
    findings: () =>
      checkCluster(staticCluster("other", "127.1.2.3", 18_080), [KEPT["sidecar-none"] ?? guardOf("team-c")], NONE.view),
  },
  {
    what: "a cluster past the interception",
    clause: "exposure",
    findings: () => {
      const forged = editCluster(staticCluster("other", "10.1.0.5", 8080), (cluster) => {
        cluster.upstreamBindConfig = {
          $typeName: "envoy.config.core.v3.BindConfig",
          ...{ socketOptions: [], extraSourceAddresses: [], additionalSourceAddresses: [] },
          sourceAddress: {
            $typeName: "envoy.config.core.v3.SocketAddress",
            protocol: 0,
            address: "127.0.0.6",
            portSpecifier: { case: "portValue", value: 0 },
            resolverName: "",
            ipv4Compat: false,
          },
        };
      });
      return checkCluster(forged, guards, REDIRECT.view);
    },
  },
  {
    what: "a cluster whose destination a header says",
    clause: "exposure",
    findings: () => {
      const forged = editCluster(staticCluster("other", "10.1.0.5", 1), (cluster) => {
        cluster.clusterDiscoveryType = { case: "type", value: Cluster_DiscoveryType.ORIGINAL_DST };
        delete cluster.loadAssignment;
        cluster.lbConfig = {
          case: "originalDstLbConfig",
          value: {
            $typeName: "envoy.config.cluster.v3.Cluster.OriginalDstLbConfig",
            useHttpHeader: true,
            httpHeaderName: "x",
          },
        };
      });
      return checkCluster(forged, guards, REDIRECT.view);
    },
  },
  {
    what: "an endpoint of another Service",
    clause: "exposure",
    findings: () =>
      checkEndpoints(
        toBinary(ClusterLoadAssignmentSchema, assignment("outbound|80||peer.other.example", "127.0.0.1", 8080)),
        guards,
        REDIRECT.view,
      ),
  },
  {
    what: "a route of another listener to it",
    clause: "exposure",
    findings: () => {
      const [value = new Uint8Array()] = REDIRECT.routes;
      const forged = edited(RouteConfigurationSchema, value, (routes) => {
        firstAction(routes).clusterSpecifier = { case: "cluster", value: "inbound|8080||" };
      });
      return checkRoutes(forged, guards, REDIRECT.view);
    },
  },
  {
    what: "a route whose cluster the client says",
    clause: "exposure",
    findings: () => {
      const [value = new Uint8Array()] = REDIRECT.routes;
      const forged = edited(RouteConfigurationSchema, value, (routes) => {
        firstAction(routes).clusterSpecifier = { case: "clusterHeader", value: "x-cluster" };
      });
      return checkRoutes(forged, guards, REDIRECT.view);
    },
  },
  {
    what: "the PROXY protocol before an original destination",
    clause: "exposure",
    findings: () =>
      checkListener(
        tcpListener((listener) => {
          listener.listenerFilters = [
            {
              $typeName: "envoy.config.listener.v3.ListenerFilter",
              name: "proxy",
              configType: {
                case: "typedConfig",
                value: any("envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol"),
              },
            },
          ];
          for (const chain of listener.filterChains)
            chain.filterChainMatch = {
              $typeName: "envoy.config.listener.v3.FilterChainMatch",
              ...{
                prefixRanges: [],
                addressSuffix: "",
                directSourcePrefixRanges: [],
                sourceType: 0,
                sourcePrefixRanges: [],
                sourcePorts: [],
                serverNames: [],
                transportProtocol: "",
                applicationProtocols: [],
              },
              destinationPort: 1,
            };
        }, "InboundPassthroughCluster"),
        guards,
        REDIRECT.view,
      ),
  },
  {
    what: "a name that leads to this machine",
    clause: "exposure",
    findings: () => {
      const dns = editCluster(staticCluster("dns", "mine.example.com", 8080), (cluster) => {
        cluster.clusterDiscoveryType = { case: "type", value: Cluster_DiscoveryType.STRICT_DNS };
      });
      const view = clusterView([...REDIRECT.clusters, dns], REDIRECT.endpoints);
      return checkListener(tcpListener(nothing, "dns"), guards, view);
    },
  },
  onListener("connections handed on to listeners of the workload's own", "exposure", (listener) => {
    listener.useOriginalDst = true;
  }),
];

describe("an attack on what istiod sends", () => {
  test.each(ATTACKS)("$clause: $what", ({ clause, findings }) => {
    const found = findings();
    expect(found.map((finding) => finding.clause)).toContain(clause);
    expect(found.every(({ reason }) => reason.length > 0)).toBe(true);
  });

  test("breaks each clause at least once", () => {
    expect(new Set(ATTACKS.map(({ clause }) => clause))).toEqual(new Set(CLAUSES.keys()));
  });
});

describe("what Istio itself does not send and an owner may want", () => {
  test("code that the owner lists, and only with the digest that is listed", () => {
    const value = editManagers(inbound, servesPort(8080), (manager) => {
      manager.httpFilters.splice(-1, 0, lua());
    });
    const listed = (sha256: string): readonly GuardFinding[] =>
      checkListener(
        value,
        [guardOf("team-a", { code: [{ name: "lua", typeUrl: LUA, sha256: [sha256] }] })],
        REDIRECT.view,
      );
    expect(listed(sha256Hex("x")).map(({ clause }) => clause)).toContain("code");
    expect(listed(sha256Hex(LUA_CONFIG))).toEqual([]);
  });

  test("a belt may be left out", () => {
    const value = editManagers(
      inbound,
      () => true,
      (manager) => {
        manager.httpFilters = manager.httpFilters.filter(({ name }) => name !== "wpgate-belt");
      },
    );
    expect(checkListener(value, [guardOf("team-a", { belt: false })], REDIRECT.view)).toEqual([]);
  });

  test("a module in a file counts by its digest", () => {
    const [value = new Uint8Array()] = REDIRECT.extensions;
    const local = editWasm(value, ({ config }) => {
      if (config?.vm.case === "vmConfig" && config.vm.value.code)
        config.vm.value.code.specifier = {
          case: "local",
          value: { $typeName: "envoy.config.core.v3.DataSource", specifier: { case: "filename", value: "/m.wasm" } },
        };
    });
    const sha256OfFile = (): string => "5f1d7c9a".repeat(8);
    expect(checkExtension(local, guards, { sha256OfFile })).toEqual([]);
  });

  test("without a Guard nothing is refused", () => {
    expect(
      checkListener(
        editListener(inbound, () => undefined),
        [],
        REDIRECT.view,
      ),
    ).toEqual([]);
    expect(isProtected(inbound, [])).toBe(false);
    expect(isProtected(inbound, [guardOf("team-a", { ports: [{ port: 8080 }] })])).toBe(true);
  });
});
