/** What an attacker who owns istiod does to a captured resource. */
import { create, fromBinary, toBinary, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import { anyPack, AnySchema, type Any } from "@bufbuild/protobuf/wkt";
import { ClusterSchema, type Cluster } from "../../xds-proxy/src/gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { TypedExtensionConfigSchema } from "../../xds-proxy/src/gen/proto/envoy/config/core/v3/extension_pb.js";
import type { FilterChain } from "../../xds-proxy/src/gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import { ListenerSchema, type Listener } from "../../xds-proxy/src/gen/proto/envoy/config/listener/v3/listener_pb.js";
import type { RouteConfiguration } from "../../xds-proxy/src/gen/proto/envoy/config/route/v3/route_pb.js";
import type { Route, RouteAction } from "../../xds-proxy/src/gen/proto/envoy/config/route/v3/route_components_pb.js";
import {
  HttpConnectionManagerSchema,
  type HttpConnectionManager,
  type HttpFilter,
} from "../../xds-proxy/src/gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { WasmSchema, type Wasm } from "../../xds-proxy/src/gen/proto/envoy/extensions/filters/http/wasm/v3/wasm_pb.js";
import { connectionManagerOf } from "../../xds-proxy/src/guard/listener.ts";

export function edited<Desc extends DescMessage>(
  schema: Desc,
  value: Uint8Array,
  edit: (message: MessageShape<Desc>) => void,
): Uint8Array {
  const message = fromBinary(schema, value);
  edit(message);
  return toBinary(schema, message);
}

export function editListener(value: Uint8Array, edit: (listener: Listener) => void): Uint8Array {
  return edited(ListenerSchema, value, edit);
}

export function editCluster(value: Uint8Array, edit: (cluster: Cluster) => void): Uint8Array {
  return edited(ClusterSchema, value, edit);
}

/** The connection manager of each chain for which `choose` holds. */
export function editManagers(
  value: Uint8Array,
  choose: (chain: FilterChain) => boolean,
  edit: (manager: HttpConnectionManager) => void,
): Uint8Array {
  return editListener(value, (listener) => {
    for (const filter of listener.filterChains.filter(choose).flatMap(({ filters }) => filters)) {
      const manager = connectionManagerOf(filter);
      if (manager === undefined) continue;
      edit(manager);
      filter.configType = { case: "typedConfig", value: anyPack(HttpConnectionManagerSchema, manager) };
    }
  });
}

export function servesPort(port: number): (chain: FilterChain) => boolean {
  return ({ filterChainMatch }) => filterChainMatch?.destinationPort === port;
}

/** The Wasm configuration of an extension. */
export function editWasm(value: Uint8Array, edit: (wasm: Wasm) => void): Uint8Array {
  return edited(TypedExtensionConfigSchema, value, (extension) => {
    if (extension.typedConfig === undefined) throw new Error("an extension without configuration");
    extension.typedConfig = { ...extension.typedConfig, value: edited(WasmSchema, extension.typedConfig.value, edit) };
  });
}

export function any(type: string, value: Uint8Array = new Uint8Array()): Any {
  return create(AnySchema, { typeUrl: `type.googleapis.com/${type}`, value });
}

export function httpFilter(name: string, config: Any): HttpFilter {
  return {
    $typeName: "envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter",
    ...{ name, isOptional: false, disabled: false, configType: { case: "typedConfig", value: config } },
  };
}

export function routesOf({ routeSpecifier }: HttpConnectionManager): RouteConfiguration {
  if (routeSpecifier.case !== "routeConfig") throw new Error("routes that are not in the listener");
  return routeSpecifier.value;
}

export function firstRoute(routes: RouteConfiguration): Route {
  const route = routes.virtualHosts[0]?.routes[0];
  if (route === undefined) throw new Error("no route");
  return route;
}

export function firstAction(routes: RouteConfiguration): RouteAction {
  const { action } = firstRoute(routes);
  if (action.case !== "route") throw new Error("no route that leads to a cluster");
  return action.value;
}
