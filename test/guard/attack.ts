/** How attacks on what a real istiod sent are written: what somebody who owns it changes, and the clause that this breaks. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyPack, type Any } from "@bufbuild/protobuf/wkt";
import { utf8 } from "../../xds-proxy/src/bytes/octets.ts";
import {
  ClusterSchema,
  Cluster_DiscoveryType,
} from "../../xds-proxy/src/gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "../../xds-proxy/src/gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { FilterConfigSchema } from "../../xds-proxy/src/gen/proto/envoy/config/route/v3/route_components_pb.js";
import { JwtAuthenticationSchema } from "../../xds-proxy/src/gen/proto/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js";
import {
  HttpFilterSchema,
  type HttpConnectionManager,
} from "../../xds-proxy/src/gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { TcpProxySchema } from "../../xds-proxy/src/gen/proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { checkExtension, checkListener } from "../../xds-proxy/src/guard/check.ts";
import type { Clause } from "../../xds-proxy/src/guard/clauses.ts";
import { defaultExtension } from "../../xds-proxy/src/guard/parse.ts";
import type { Guard, GuardFinding } from "../../xds-proxy/src/guard/types.ts";
import { readCaptured, type CapturedView } from "./captured.ts";
import { any, edited, editListener, editManagers, editWasm, httpFilter, servesPort } from "./edit.ts";
import { guardOf } from "./guards.ts";

export const REDIRECT: CapturedView = readCaptured("sidecar-redirect");
export const STRICT: CapturedView = readCaptured("sidecar-strict");
export const NONE: CapturedView = readCaptured("sidecar-none");
export const GATEWAY: CapturedView = readCaptured("gateway");
export const LUA = "envoy.extensions.filters.http.lua.v3.Lua";
export const LUA_CONFIG: Uint8Array = utf8("\n\u0000");
export const OWN: string = defaultExtension("team-a");
export const guards: readonly Guard[] = [guardOf("team-a")];
export const inbound: Uint8Array = named(REDIRECT.listeners, "virtualInbound");

export interface Attack {
  readonly what: string;
  readonly clause: Clause;
  readonly findings: () => readonly GuardFinding[];
}

export function named(listeners: readonly Uint8Array[], name: string): Uint8Array {
  const found = listeners.find((value) => Buffer.from(value).includes(name));
  if (found === undefined) throw new Error(`no listener ${name}`);
  return found;
}

/** On the chains that serve port 8080 of a sidecar. */
export function onManager(what: string, clause: Clause, edit: (manager: HttpConnectionManager) => void): Attack {
  const findings = (): readonly GuardFinding[] =>
    checkListener(editManagers(inbound, servesPort(8080), edit), guards, REDIRECT.view);
  return { what, clause, findings };
}

export function onListener(what: string, clause: Clause, edit: Parameters<typeof editListener>[1]): Attack {
  return { what, clause, findings: () => checkListener(editListener(inbound, edit), guards, REDIRECT.view) };
}

export function onExtension(what: string, clause: Clause, edit: Parameters<typeof editWasm>[1]): Attack {
  const [value = new Uint8Array()] = REDIRECT.extensions;
  return { what, clause, findings: () => checkExtension(editWasm(value, edit), guards) };
}

export function indexOfOwn(manager: HttpConnectionManager): number {
  return manager.httpFilters.findIndex(({ name }) => name === OWN);
}

export function ownFilter(manager: HttpConnectionManager): HttpConnectionManager["httpFilters"][number] {
  return manager.httpFilters[indexOfOwn(manager)] ?? create(HttpFilterSchema);
}

export function lua(): ReturnType<typeof httpFilter> {
  return httpFilter("lua", any(LUA, LUA_CONFIG));
}

export function editJwt(manager: HttpConnectionManager, edit: (jwt: ReturnType<typeof jwtOf>) => void): void {
  for (const filter of manager.httpFilters) {
    if (filter.name !== "envoy.filters.http.jwt_authn" || filter.configType.case !== "typedConfig") continue;
    filter.configType.value.value = edited(JwtAuthenticationSchema, filter.configType.value.value, edit);
  }
}

export const jwtOf = (value: Uint8Array): ReturnType<typeof fromBinary<typeof JwtAuthenticationSchema>> =>
  fromBinary(JwtAuthenticationSchema, value);

export function discovery(
  manager: HttpConnectionManager,
): Extract<HttpConnectionManager["httpFilters"][number]["configType"], { case: "configDiscovery" }>["value"] {
  const { configType } = ownFilter(manager);
  if (configType.case !== "configDiscovery") throw new Error("not by ECDS");
  return configType.value;
}

export function staticCluster(name: string, address: string, port: number): Uint8Array {
  return toBinary(
    ClusterSchema,
    create(ClusterSchema, {
      name,
      clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
      loadAssignment: assignment(name, address, port),
    }),
  );
}

export function assignment(
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

export function tcpListener(edit: Parameters<typeof editListener>[1], cluster: string): Uint8Array {
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

export const nothing = (): void => undefined;
export const bypass: Any = anyPack(FilterConfigSchema, create(FilterConfigSchema, { disabled: true }));
