/** What the proxy asks: do these bytes keep what the owner's Guards say? Every function here takes hostile bytes, and none throws. */
import { fromBinary } from "@bufbuild/protobuf";
import { ClusterSchema } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { FilterChainSchema, type FilterChain } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import { ListenerSchema, type Listener } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import { assignmentFacts, clusterFacts, type ClusterView } from "./cluster-view.ts";
import { checkContents } from "./contents.ts";
import {
  checkChainExposure,
  checkChosenCluster,
  checkListenerExposure,
  checkRouteExposure,
  exposureOfCluster,
  exposureOfClusterBytes,
  exposureOfEndpoints,
} from "./exposure.ts";
import { Findings } from "./findings.ts";
import { checkHttpFilters } from "./http-filters.ts";
import { checkHttpManager } from "./http-manager.ts";
import { chainsOf, connectionManagerOf, decodeListener } from "./listener.ts";
import { checkBypass, checkManagerRoutes, checkRewrites, checkTunnels } from "./routes.ts";
import { servingChains, type Serving } from "./serving.ts";
import { checkTransport } from "./transport.ts";
import type { Guard, GuardFinding } from "./types.ts";

export { exposureKey } from "./exposure.ts";
export { checkExtension, type ExtensionOptions } from "./extension.ts";
export { denyAllExtension, denyAllListener } from "./deny-all.ts";
export { discoveredExtensions, discoveredRoutes } from "./listener.ts";
export { appliesTo, parseGuard } from "./parse.ts";

/** @param value - an encoded Listener */
export function checkListener(value: Uint8Array, guards: readonly Guard[], view: ClusterView): readonly GuardFinding[] {
  const findings = new Findings();
  findings.reading("", () => {
    const listener = decodeListener(value);
    for (const guard of guards) checkDecoded(listener, guard, view, findings);
  });
  return findings.all;
}

/** Whether it serves a port that a Guard protects; what cannot be read does, for all that is known. */
export function isProtected(value: Uint8Array, guards: readonly Guard[]): boolean {
  try {
    const listener = decodeListener(value);
    return guards.some((guard) => servingChains(listener, guard).length > 0);
  } catch {
    return guards.length > 0;
  }
}

/** @param value - an encoded RouteConfiguration that came by RDS */
export function checkRoutes(value: Uint8Array, guards: readonly Guard[], view: ClusterView): readonly GuardFinding[] {
  const findings = new Findings();
  findings.reading("", () => {
    const routes = fromBinary(RouteConfigurationSchema, value);
    for (const guard of guards) {
      checkBypass(RouteConfigurationSchema, routes, "", guard, findings);
      checkRouteExposure({ routes, value, view }, guard, findings);
      checkContents(RouteConfigurationSchema, routes, "", { guard, findings, isProtected: false });
      // Where none may come by RDS, no protected port has these.
      if (guard.routes.rds === "refuse") continue;
      checkTunnels(routes, "", findings);
      if (guard.routes.rewrite === "refuse") checkRewrites(routes, "", findings);
    }
  });
  return findings.all;
}

/** @param value - an encoded Cluster */
export function checkCluster(value: Uint8Array, guards: readonly Guard[], view: ClusterView): readonly GuardFinding[] {
  const findings = new Findings();
  findings.reading("", () => {
    const facts = clusterFacts(value);
    const cluster = fromBinary(ClusterSchema, value);
    for (const guard of guards) {
      const reason = exposureOfCluster(facts, guard, view) ?? exposureOfClusterBytes(facts.name, value, guard);
      if (reason !== undefined) findings.add("exposure", facts.name, reason);
      checkContents(ClusterSchema, cluster, "", { guard, findings, isProtected: false });
    }
  });
  return findings.all;
}

/** @param value - an encoded ClusterLoadAssignment */
export function checkEndpoints(
  value: Uint8Array,
  guards: readonly Guard[],
  view: ClusterView,
): readonly GuardFinding[] {
  const findings = new Findings();
  findings.reading("", () => {
    const [name, endpoints] = assignmentFacts(value);
    for (const guard of guards) {
      const reason = exposureOfEndpoints(name, endpoints, guard, view);
      if (reason !== undefined) findings.add("exposure", name, reason);
    }
  });
  return findings.all;
}

function checkDecoded(listener: Listener, guard: Guard, view: ClusterView, findings: Findings): void {
  const serving = servingChains(listener, guard);
  const served = new Set(serving.map(({ chain }) => chain.where));
  checkListenerExposure(listener, findings);
  const isGuarded = served.size > 0;
  const contents = { guard, findings, isProtected: isGuarded, own: guard.filter.extension };
  const frame: Listener = { ...listener, filterChains: [] };
  delete frame.defaultFilterChain;
  checkContents(ListenerSchema, frame, "", contents);
  for (const { chain, where } of chainsOf(listener)) {
    checkContents(FilterChainSchema, chain, where, contents);
    if (served.has(where)) continue;
    checkChainExposure({ chain, where, listener }, guard, view, findings);
    checkChosenCluster(FilterChainSchema, chain, where, findings);
  }
  for (const item of serving) checkServing(item, guard, findings);
}

function checkServing({ chain: { chain, where }, port }: Serving, guard: Guard, findings: Findings): void {
  findings.reading(`${where}.transport_socket`, () => {
    checkTransport(chain, where, port, findings);
  });
  const managers = findManagers(chain, where, findings);
  if (managers.length === 0 && port.tcp === "refuse")
    findings.add("plain-tcp", where, `port ${port.port} is served without HTTP filters`);
  for (const { manager, at } of managers) {
    findings.reading(at, () => {
      checkHttpFilters(manager, at, guard, findings);
      checkHttpManager(manager, at, guard, findings);
      checkManagerRoutes(manager, at, guard, findings);
      checkChosenCluster(FilterChainSchema, chain, where, findings);
    });
  }
}

interface Managed {
  readonly manager: NonNullable<ReturnType<typeof connectionManagerOf>>;
  readonly at: string;
}

function findManagers(chain: FilterChain, where: string, findings: Findings): readonly Managed[] {
  return chain.filters.flatMap((filter, index) => {
    const at = `${where}.filters[${index}]`;
    const found: Managed[] = [];
    findings.reading(at, () => {
      const manager = connectionManagerOf(filter);
      if (manager !== undefined) found.push({ manager, at });
      else if (filter.configType.case === "configDiscovery")
        findings.add("unknown-type", at, `${filter.name} comes by ECDS, where nobody sees which port it serves`);
    });
    return found;
  });
}
