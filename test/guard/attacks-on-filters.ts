/** Attacks on the chain of HTTP filters: the filter, what stands before it, the belt, what nobody knows. */
import { ConfigSourceSchema } from "../../xds-proxy/src/gen/proto/envoy/config/core/v3/config_source_pb.js";
import { create, fromJson, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { utf8 } from "../../xds-proxy/src/bytes/octets.ts";
import { TypedExtensionConfigSchema } from "../../xds-proxy/src/gen/proto/envoy/config/core/v3/extension_pb.js";
import { RBACSchema } from "../../xds-proxy/src/gen/proto/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";
import { ConfigSchema as SetFilterStateSchema } from "../../xds-proxy/src/gen/proto/envoy/extensions/filters/http/set_filter_state/v3/set_filter_state_pb.js";
import { checkExtension, checkListener } from "../../xds-proxy/src/guard/check.ts";
import { any, httpFilter, servesPort } from "./edit.ts";

import { WireType } from "@bufbuild/protobuf/wire";
import {
  REDIRECT,
  OWN,
  guards,
  type Attack,
  onManager,
  onListener,
  indexOfOwn,
  ownFilter,
  discovery,
} from "./attack.ts";

export const ON_FILTERS: readonly Attack[] = [
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
    manager.$unknown = [{ no: 999, wireType: WireType.Varint, data: Uint8Array.of(1) }];
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
  onManager("the filter from somewhere else", "filter-source", (manager) => {
    discovery(manager).configSource = fromJson(ConfigSourceSchema, { self: {} });
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
];
