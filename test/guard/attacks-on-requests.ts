/** Attacks on what the filter and the application get to see: keys of tokens, options, routes. */
import { HeaderValueOptionSchema } from "../../xds-proxy/src/gen/proto/envoy/config/core/v3/base_pb.js";
import { HttpConnectionManager_ForwardClientCertDetails } from "../../xds-proxy/src/gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { create } from "@bufbuild/protobuf";
import { TypedExtensionConfigSchema } from "../../xds-proxy/src/gen/proto/envoy/config/core/v3/extension_pb.js";
import { RouteConfigurationSchema } from "../../xds-proxy/src/gen/proto/envoy/config/route/v3/route_pb.js";
import { checkRoutes } from "../../xds-proxy/src/guard/check.ts";
import { defaultExtension } from "../../xds-proxy/src/guard/parse.ts";
import { any, edited, firstAction, firstRoute, httpFilter, routesOf } from "./edit.ts";
import { guardOf, KEPT } from "./guards.ts";

import { GATEWAY, OWN, type Attack, onManager, editJwt, bypass } from "./attack.ts";

export const ON_REQUESTS: readonly Attack[] = [
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
    manager.forwardClientCertDetails = HttpConnectionManager_ForwardClientCertDetails.ALWAYS_FORWARD_ONLY;
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
      create(HeaderValueOptionSchema, { header: { key: ":path", value: "/admin" } }),
    ];
  }),
  onManager("a filter behind it that changes the path", "rewrite", (manager) => {
    manager.httpFilters.splice(
      -1,
      0,
      httpFilter("late", any("envoy.extensions.filters.http.header_mutation.v3.HeaderMutation")),
    );
  }),
];
