/** Routes: that none turns off the filter or the belt, and none gives the application another request than was judged. */
import type { DescMessage, Message } from "@bufbuild/protobuf";
import { RouteConfigurationSchema, type RouteConfiguration } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import type { HeaderValueOption } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type { RouteAction } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import type { HttpConnectionManager } from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { BELT_NAME } from "./belt.ts";
import type { Findings } from "./findings.ts";
import type { Guard } from "./types.ts";
import { walk } from "./walk.ts";

/** The routes of a connection manager that serves a protected port. */
export function checkManagerRoutes(
  manager: HttpConnectionManager,
  where: string,
  guard: Guard,
  findings: Findings,
): void {
  const { routeSpecifier: routes } = manager;
  if (routes.case === "routeConfig") {
    const at = `${where}.route_config`;
    checkBypass(RouteConfigurationSchema, routes.value, at, guard, findings);
    if (guard.routes.rewrite === "refuse") checkRewrites(routes.value, at, findings);
    checkTunnels(routes.value, at, findings);
  } else if (routes.case !== "rds") {
    findings.add("route-source", where, `routes are chosen by ${routes.case ?? "nothing"}`);
  } else if (guard.routes.rds === "refuse") {
    findings.add("route-source", `${where}.rds`, `routes come by RDS as ${routes.value.routeConfigName}`);
  } else if (routes.value.configSource?.configSourceSpecifier.case !== "ads") {
    findings.add("route-source", `${where}.rds`, "routes do not come through this stream, where they would be checked");
  }
}

/** Envoy takes what a route says about a filter by the filter's name. */
export function checkBypass(
  schema: DescMessage,
  message: Message,
  where: string,
  guard: Guard,
  findings: Findings,
): void {
  const names: ReadonlySet<string> = new Set([guard.filter.extension, ...(guard.belt ? [BELT_NAME] : [])]);
  walk(schema, message, where, {
    message: () => undefined,
    any: ({ name, where: at, field }) => {
      if (field.endsWith(".typed_per_filter_config") && names.has(name))
        findings.add("route-bypass", at, `the route configures ${name}, and can turn it off`);
      return true;
    },
    unreadable: (at, reason) => {
      findings.add("undecodable", at, reason);
    },
  });
}

export function checkTunnels(routes: RouteConfiguration, where: string, findings: Findings): void {
  forEachAction(routes, where, (action, at) => {
    const tunnel = action.upgradeConfigs.find(({ upgradeType, enabled, connectConfig }) => {
      const isConnect = upgradeType.toLowerCase().startsWith("connect");
      return connectConfig !== undefined || (isConnect && enabled !== false);
    });
    findings.unless(tunnel === undefined, "upgrade", at, "a tunnel hides the requests in it");
  });
}

export function checkRewrites(routes: RouteConfiguration, where: string, findings: Findings): void {
  const pseudo = (headers: readonly HeaderValueOption[], at: string): void => {
    const names = headers.map(({ header }) => header?.key.toLowerCase() ?? "");
    const name = names.find((key) => key.startsWith(":") || key === "host" || key === "x-envoy-original-path");
    if (name !== undefined) findings.add("rewrite", at, `${name} is written anew`);
  };
  pseudo(routes.requestHeadersToAdd, where);
  forEachAction(routes, where, (action, at) => {
    const { prefixRewrite, regexRewrite, pathRewritePolicy, hostRewriteSpecifier, internalRedirectPolicy } = action;
    const isPath = prefixRewrite !== "" || regexRewrite !== undefined || pathRewritePolicy !== undefined;
    findings.unless(!isPath, "rewrite", at, "the application gets another path than the filter has judged");
    const host = hostRewriteSpecifier.case;
    findings.unless(host === undefined, "rewrite", at, "the application gets another host than the filter has judged");
    findings.unless(internalRedirectPolicy === undefined, "rewrite", at, "the proxy follows redirects by itself");
    if (action.clusterSpecifier.case === "weightedClusters")
      for (const { requestHeadersToAdd } of action.clusterSpecifier.value.clusters) pseudo(requestHeadersToAdd, at);
  });
  routes.virtualHosts.forEach((host, index) => {
    pseudo(host.requestHeadersToAdd, `${where}.virtual_hosts[${index}]`);
    host.routes.forEach((route, at) => {
      pseudo(route.requestHeadersToAdd, `${where}.virtual_hosts[${index}].routes[${at}]`);
    });
  });
}

/** Also of routes that a matcher chooses. */
function forEachAction(
  routes: RouteConfiguration,
  where: string,
  visit: (action: RouteAction, where: string) => void,
): void {
  walk(RouteConfigurationSchema, routes, where, {
    message: ({ schema, message, where: at }) => {
      if (schema.typeName === "envoy.config.route.v3.RouteAction") visit(message as RouteAction, at);
    },
    any: () => true,
    // `checkBypass` walks the same message, and says it.
    unreadable: () => undefined,
  });
}
